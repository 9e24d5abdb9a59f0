/** The overview of a large layer: the state of all units in one small picture, in the order of the rows. A press goes to a unit. */

/** @import { Store } from "../store.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, Picture } from "../plot.js" */
import { finder, setText } from "../elements.js";
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
import { colourAt } from "../theme.js";

const SHADES = 256;

/**
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
    paint(canvas, state, figures[state.theme]);
  });

  canvas.addEventListener("pointerdown", ({ offsetX, offsetY }) => {
    const state = store.get();
    const units = unitsInOrder(state);
    const at = Math.floor((offsetY / canvas.clientHeight) * units.length);
    store.update(goTo, 1 + Math.floor((offsetX / canvas.clientWidth) * state.run.columns));
    store.update(lookAt, units[Math.max(0, Math.min(units.length - 1, at))]);
  });
}

/**
 * Paint a pixel for each unit and step. The browser scales the picture down.
 * @param {HTMLCanvasElement} canvas @param {State} state @param {Figure} figure
 */
function paint(canvas, state, figure) {
  const { colorscale, zmin, zmax } = /** @type {Picture} */ (figure.data.find(({ name }) => name === "h"));
  const shades = Array.from({ length: SHADES }, (_, i) => colourAt(colorscale, i / (SHADES - 1)));
  const rows = layerOf(state).rows.h;
  const units = unitsInOrder(state);
  const { columns, T } = state.run;
  Object.assign(canvas, { width: columns, height: units.length });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(columns, units.length);
  units.forEach((unit, y) => {
    for (let t = 0; t < T; t++) {
      const share = (rows[unit][t] - zmin) / (zmax - zmin);
      const shade = shades[Math.max(0, Math.min(SHADES - 1, Math.round(share * (SHADES - 1))))];
      const at = 4 * (y * columns + t);
      for (let i = 0; i < 3; i++) image.data[at + i] = shade[i];
      image.data[at + 3] = 255;
    }
  });
  context.putImageData(image, 0, 0);
}
