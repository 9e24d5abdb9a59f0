/**
 * The four signals on the tape: one Plotly figure behind the tape's rows, units down and steps right, and its numbers
 * where they fit. One figure, because what an update costs is the figure and not its heatmaps.
 */

/** @import { Store } from "../store.js" */
/** @import { Signal } from "../run.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, Picture, PlotlyLibrary, Place } from "../plot.js" */
import { drawHeatmaps } from "../plot.js";
import { fixed } from "../run.js";
import { topLayer } from "../state.js";
import { blend, colourAt, wantsWhite } from "../theme.js";

const MOST_NUMBERS = 128; // cells of one heatmap: more would cost an edit longer than the pictures do
const MOST_CELLS = 4000; // the same, where they are all there is
const ROOM_FOR_NUMBER = { width: 34, height: 14 }; // px

/**
 * @param {HTMLElement} tape
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountHeatmaps(tape, store, figures) {
  const figure = /** @type {HTMLElement} */ (tape.querySelector(".heatmaps"));
  const rows = /** @type {HTMLElement[]} */ ([...tape.querySelectorAll(".signal")]).map((row) => ({
    row,
    signal: /** @type {Signal} */ (row.dataset.signal),
    plot: /** @type {HTMLElement} */ (row.querySelector(".plot")),
    values: /** @type {HTMLElement} */ (row.querySelector(".values")),
    mark: /** @type {HTMLElement} */ (row.querySelector(".rowmark")),
  }));
  /** @type {PlotlyLibrary | null} */
  let Plotly = null;
  /** @type {State | null} */
  let drawn = null;
  // Known from the last layout, because to ask for it between two changes of the page would force one each time.
  let places = measure();

  /** Where each signal's cells stand in the figure. @returns {Record<string, Place>} */
  function measure() {
    const box = figure.getBoundingClientRect();
    const place = (/** @type {HTMLElement} */ plot) => {
      const { top, width, height } = plot.getBoundingClientRect();
      return { top: top - box.top, width, height, of: box.height };
    };
    return Object.fromEntries(rows.map(({ signal, plot }) => [signal, place(plot)]));
  }

  /** @param {State} state */
  function draw(state) {
    const layer = topLayer(state);
    if (!drawn || drawn.run.columns !== state.run.columns || topLayer(drawn).H !== layer.H) {
      for (const { row } of rows) row.style.setProperty("--units", String(layer.H));
      places = measure();
    }
    if (Plotly) drawHeatmaps(Plotly, figure, figures[state.theme], layer.rows, places);
    for (const { signal, values } of rows) writeNumbers(state, signal, values);
    drawn = state;
  }

  /**
   * The numbers, each in black or white, whichever its cell's colour wants. Until Plotly is there the cells are
   * coloured here, so that the picture need not wait for it.
   * @param {State} state @param {Signal} signal @param {HTMLElement} values
   */
  function writeNumbers(state, signal, values) {
    const { T, columns } = state.run;
    const layer = topLayer(state);
    const { width, height } = places[signal];
    const few = layer.H * T <= (Plotly ? MOST_NUMBERS : MOST_CELLS);
    const fit = width / columns >= ROOM_FOR_NUMBER.width && height / layer.H >= ROOM_FOR_NUMBER.height;
    const wanted = few && (fit || !Plotly) ? layer.H * T : 0;
    while (values.childElementCount > wanted) values.lastElementChild?.remove();
    while (values.childElementCount < wanted) values.append(document.createElement("span"));
    if (!wanted) return;
    const pictures = figures[state.theme].data;
    const { colorscale, zmin, zmax } = /** @type {Picture} */ (pictures.find(({ name }) => name === signal));
    const veil = pictures.find(({ meta }) => meta?.over === signal)?.meta;
    layer.rows[signal].forEach((row, unit) => {
      for (let column = 0; column < T; column++) {
        const cell = /** @type {HTMLElement} */ (values.children[unit * T + column]);
        const text = fit ? fixed(row[column]) : "";
        if (cell.textContent !== text) cell.textContent = text;
        let colour = colourAt(colorscale, (row[column] - zmin) / (zmax - zmin));
        let ink = "";
        const share = veil ? 1 - layer.rows.z[unit][column] / veil.until : 0;
        if (veil && share > 0) {
          colour = blend(colour, veil.paper, share * veil.alpha);
          ink = "veiled ";
        }
        ink += wantsWhite(colour) ? "on-dark" : "on-light";
        if (cell.className !== ink) cell.className = ink;
        if (!Plotly) cell.style.background = `rgb(${colour})`;
      }
    });
  }

  store.subscribe((state) => {
    const { run, received, theme, unit } = state;
    for (const { mark } of rows) {
      mark.hidden = topLayer(state).H === 1;
      mark.style.setProperty("--unit", String(unit));
    }
    if (!drawn || drawn.run !== run || drawn.received !== received || drawn.theme !== theme) draw(state);
  });
  new ResizeObserver(() => {
    const now = measure();
    if (JSON.stringify(now) === JSON.stringify(places)) return;
    places = now;
    draw(store.get());
  }).observe(figure);

  return {
    /** Let Plotly take over. @param {PlotlyLibrary} library */
    arrive(library) {
      Plotly = library;
      for (const { values } of rows) values.replaceChildren();
      draw(store.get());
    },
  };
}
