/** The controls for the rows of the heatmaps: the layer, the order of the units, a field for a unit's number, and the scroll position. */

/** @import { Store } from "../store.js" */
/** @import { RowChoice } from "../state.js" */
import { cellOf } from "../cells.js";
import { finder } from "../elements.js";
import {
  MOST_ROWS,
  chooseLayer,
  chooseRows,
  layerIndex,
  layerOf,
  lookAt,
  orderOf,
  rowCount,
  scrollTo,
} from "../state.js";

/**
 * Return the possible orders of the rows, each with its label.
 * @param {import("../state.js").State} state @returns {[RowChoice, string][]}
 */
const ordersOf = (state) => [
  ["all", "by number"],
  ["moved", "by change, the largest first"],
  ...cellOf(layerOf(state)).signals.map(
    ({ name, symbol }) => /** @type {[RowChoice, string]} */ ([`mean.${name}`, `by mean ${symbol}, the largest first`]),
  ),
];

/**
 * Mount the controls for the rows.
 * @param {HTMLElement} tape
 * @param {Store} store
 */
export function mountRows(tape, store) {
  const find = finder(tape);
  const [ofLayer, ofRows, ofUnit] = [".pick-layer", ".pick-rows", ".pick-unit"].map(find);
  const layer = /** @type {HTMLSelectElement} */ (find("#layer"));
  const rows = /** @type {HTMLSelectElement} */ (find("#rows"));
  const unit = /** @type {HTMLInputElement} */ (find("#go-to-unit"));
  const slider = /** @type {HTMLInputElement} */ (find("#first-row"));

  store.subscribe((state) => {
    const layers = state.run.layers.length;
    ofLayer.hidden = layers === 1;
    if (layer.options.length !== layers)
      layer.replaceChildren(
        ...state.run.layers.map(
          ({ H }, i) => new Option(`${i + 1} of ${layers}, ${H} ${H === 1 ? "unit" : "units"}`, String(i)),
        ),
      );
    layer.value = String(layerIndex(state));
    const { H } = layerOf(state);
    ofRows.hidden = ofUnit.hidden = H <= MOST_ROWS;
    const orders = ordersOf(state);
    if (rows.options.length !== orders.length)
      rows.replaceChildren(...orders.map(([order, words]) => new Option(words, order)));
    rows.value = orderOf(state);
    unit.max = String(H);
    if (document.activeElement !== unit) unit.value = String(state.unit + 1);
    const hidden = rowCount(state) - MOST_ROWS;
    slider.hidden = hidden <= 0;
    slider.max = String(hidden + 1);
    slider.value = String(state.first + 1);
    slider.setAttribute(
      "aria-valuetext",
      `rows ${state.first + 1} to ${state.first + MOST_ROWS} of ${rowCount(state)}`,
    );
  });

  layer.addEventListener("change", () => store.update(chooseLayer, Number(layer.value)));
  rows.addEventListener("change", () => store.update(chooseRows, /** @type {RowChoice} */ (rows.value)));
  unit.addEventListener("change", () => {
    if (unit.validity.valid && unit.value) store.update(lookAt, unit.valueAsNumber - 1);
  });
  slider.addEventListener("input", () => store.update(scrollTo, Number(slider.value) - 1));
  tape.addEventListener(
    "wheel",
    (event) => {
      const { first } = store.get();
      if (event.ctrlKey || !(/** @type {HTMLElement} */ (event.target).closest(".plot"))) return;
      store.update(scrollTo, first + Math.sign(event.deltaY) * Math.max(1, Math.round(Math.abs(event.deltaY) / 40)));
      if (store.get().first !== first) event.preventDefault(); // at an end the page scrolls on
    },
    { passive: false },
  );
}
