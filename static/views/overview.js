/** The overview of a large layer: the states of all units in one small picture. A press on the picture moves the cursor to that place. */

/** @import { Store } from "../store.js" */
/** @import { Theme } from "../state.js" */
/** @import { Figure, Picture } from "../plot.js" */
import { finder, setText } from "../elements.js";
import { paintPixels } from "../pixels.js";
import {
  MOST_IN_ORDER,
  MOST_ROWS,
  firstRow,
  goTo,
  layerIndex,
  layerOf,
  lookAt,
  orderOf,
  unitsInOrder,
} from "../state.js";
import { createGuard } from "../store.js";

/**
 * Mount the overview of a large layer.
 * @param {HTMLElement} tape
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountOverview(tape, store, figures) {
  const row = finder(tape)(".overview");
  const find = finder(row);
  const [name, frame] = [".name", ".frame"].map(find);
  const canvas = /** @type {HTMLCanvasElement} */ (find("canvas"));
  const isNew = createGuard();

  store.subscribe((state) => {
    const { H } = layerOf(state);
    row.hidden = H <= MOST_IN_ORDER;
    if (row.hidden) return;
    frame.style.top = `${(100 * firstRow(state)) / H}%`;
    frame.style.height = `${(100 * MOST_ROWS) / H}%`;
    const complete = state.received === state.run.T;
    if (!complete || !isNew(state.run, state.theme, layerIndex(state), orderOf(state))) return;
    setText(name, `hidden state of all ${H} units`);
    canvas.ariaLabel = `Hidden state of all ${H} units: one row for each unit, one column for each timestep`;
    const picture = /** @type {Picture} */ (figures[state.theme].data.find(({ name }) => name === "h"));
    const { h } = layerOf(state).rows;
    paintPixels(
      canvas,
      unitsInOrder(state).map((unit) => h[unit]),
      picture,
    );
  });

  canvas.addEventListener("pointerdown", ({ offsetX, offsetY }) => {
    const state = store.get();
    const units = unitsInOrder(state);
    const at = Math.floor((offsetY / canvas.clientHeight) * units.length);
    store.update(goTo, 1 + Math.floor((offsetX / canvas.clientWidth) * state.run.columns));
    store.update(lookAt, units[Math.max(0, Math.min(units.length - 1, at))]);
  });
}
