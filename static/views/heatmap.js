/** One signal on the tape: a Plotly heatmap, units down and steps right, with its numbers where they fit. */

/** @import { Store } from "../store.js" */
/** @import { Signal } from "../run.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, PlotlyLibrary } from "../plot.js" */
import { drawHeatmap } from "../plot.js";
import { fixed } from "../run.js";
import { topLayer } from "../state.js";
import { colourAt, wantsWhite } from "../theme.js";

const MOST_NUMBERS = 400; // cells of one picture
const ROOM_FOR_NUMBER = { width: 34, height: 14 }; // px

/**
 * @param {HTMLElement} row the signal's row of the tape
 * @param {Store} store
 * @param {Signal} signal
 * @param {Record<Theme, Figure>} figures
 */
export function mountHeatmap(row, store, signal, figures) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (row.querySelector(selector));
  const [plot, picture, values, mark] = [".plot", ".heatmap", ".values", ".rowmark"].map(find);
  /** @type {PlotlyLibrary | null} */
  let Plotly = null;
  /** @type {State | null} */
  let drawn = null;

  /** @param {State} state */
  function update(state) {
    const layer = topLayer(state);
    const rows = layer.rows[signal];
    row.style.setProperty("--units", String(rows.length));
    const size = { width: plot.clientWidth, height: plot.clientHeight };
    if (size.width === 0) return;
    const figure = figures[state.theme];
    if (Plotly) drawHeatmap(Plotly, picture, figure, layer.rows, size);
    writeNumbers(state, figure, size);
    drawn = state;
  }

  /**
   * The numbers, each in black or white, whichever its cell's colour wants. Until Plotly is there the cells are
   * coloured here, so that the picture need not wait for it.
   * @param {State} state @param {Figure} figure @param {{width: number, height: number}} size
   */
  function writeNumbers(state, figure, size) {
    const { T, columns } = state.run;
    const layer = topLayer(state);
    const rows = layer.rows[signal];
    const few = rows.length * T <= MOST_NUMBERS;
    const fit = size.width / columns >= ROOM_FOR_NUMBER.width && size.height / rows.length >= ROOM_FOR_NUMBER.height;
    const wanted = few && (fit || !Plotly) ? rows.length * T : 0;
    while (values.childElementCount > wanted) values.lastElementChild?.remove();
    while (values.childElementCount < wanted) values.append(document.createElement("span"));
    const [{ colorscale, zmin, zmax }, veil] = figure.data;
    rows.forEach((row, unit) => {
      for (let column = 0; column < T && wanted; column++) {
        const cell = /** @type {HTMLElement} */ (values.children[unit * T + column]);
        const text = fit ? fixed(row[column]) : "";
        if (cell.textContent !== text) cell.textContent = text;
        const colour = colourAt(colorscale, (row[column] - zmin) / (zmax - zmin));
        const veiled = veil && layer.rows[veil.name][unit][column] < veil.colorscale[1][0];
        cell.className = veiled ? "veiled" : wantsWhite(colour) ? "on-dark" : "on-light";
        cell.style.background = Plotly ? "" : `rgb(${colour})`;
      }
    });
  }

  /** @param {State} state */
  function changed(state) {
    const { run, received, theme, unit } = state;
    mark.hidden = topLayer(state).H === 1;
    mark.style.setProperty("--unit", String(unit));
    if (!drawn || drawn.run !== run || drawn.received !== received || drawn.theme !== theme) update(state);
  }

  store.subscribe(changed);
  new ResizeObserver(() => update(store.get())).observe(plot);
  return {
    /** Let Plotly take over. @param {PlotlyLibrary} library */
    arrive(library) {
      Plotly = library;
      update(store.get());
    },
  };
}
