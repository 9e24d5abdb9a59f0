/** The choice of the heatmaps' rows: the layer, all units or the units that changed most, and the scroll position. */

/** @import { Store } from "../store.js" */
/** @import { RowChoice } from "../state.js" */
import { finder } from "../elements.js";
import { MOST_ROWS, chooseLayer, chooseRows, layerIndex, layerOf, rowCount, scrollTo } from "../state.js";

/**
 * @param {HTMLElement} tape
 * @param {Store} store
 */
export function mountRows(tape, store) {
  const find = finder(tape);
  const [ofLayer, ofRows] = [find(".pick-layer"), find(".pick-rows")];
  const layer = /** @type {HTMLSelectElement} */ (find("#layer"));
  const rows = /** @type {HTMLSelectElement} */ (find("#rows"));
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
    ofRows.hidden = layerOf(state).H <= MOST_ROWS;
    rows.value = state.rows;
    const hidden = rowCount(state) - MOST_ROWS;
    slider.hidden = hidden <= 0;
    slider.max = String(hidden + 1);
    slider.value = String(state.first + 1);
    slider.setAttribute(
      "aria-valuetext",
      `units ${state.first + 1} to ${state.first + MOST_ROWS} of ${rowCount(state)}`,
    );
  });

  layer.addEventListener("change", () => store.update(chooseLayer, Number(layer.value)));
  rows.addEventListener("change", () => store.update(chooseRows, /** @type {RowChoice} */ (rows.value)));
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
