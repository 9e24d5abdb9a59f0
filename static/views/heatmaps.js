/**
 * The four signals on the tape: one Plotly figure behind the tape's rows, units down and steps right, and its numbers
 * where they fit. One figure for all, because an update costs as much for one heatmap as for four.
 */

/** @import { Store } from "../store.js" */
/** @import { Rows, Signal } from "../run.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, Picture, PlotlyLibrary, Place, Veil } from "../plot.js" */
import { ownOf } from "../own.js";
import { drawHeatmaps } from "../plot.js";
import { shownRows } from "../reading.js";
import { fixed } from "../run.js";
import { layerOf, unitsInSight } from "../state.js";
import { blend, colourAt, wantsWhite } from "../theme.js";

const MOST_NUMBERS = 128; // cells of one heatmap: writing more would take longer than drawing the pictures
const MOST_CELLS = 4000; // the same until Plotly is there: the cells are then all that is shown
/** What the pictures depend on. @type {(keyof State)[]} */
const DRAWN_OF = ["run", "received", "theme", "layer", "first", "rows", "convention", "difference"];
const ROOM_FOR_NUMBER = { width: 34, height: 14 }; // px

/**
 * @param {HTMLElement} tape
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountHeatmaps(tape, store, figures) {
  const figure = /** @type {HTMLElement} */ (tape.querySelector(".heatmaps"));
  const rows = /** @type {HTMLElement[]} */ ([...tape.querySelectorAll(".signal")]).map((row) => ({
    signal: /** @type {Signal} */ (row.dataset.signal),
    plot: /** @type {HTMLElement} */ (row.querySelector(".plot")),
    values: /** @type {HTMLElement} */ (row.querySelector(".values")),
    names: /** @type {HTMLElement} */ (row.querySelector(".unitnames")),
    mark: /** @type {HTMLElement} */ (row.querySelector(".rowmark")),
  }));
  /** @type {PlotlyLibrary | null} */
  let Plotly = null;
  /** @type {State | null} */
  let drawn = null;
  /** @type {string[]} */
  let shownUnits = [];
  // Kept, because to measure while the page is being changed would force a layout each time.
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

  /** The figure for values, or for differences: without a veil, and all on the scale of signed values. @param {State} state */
  function figureOf({ theme, difference, run }) {
    const figure = figures[theme];
    if (!difference || !run.twin) return figure;
    const { colorscale } = /** @type {Picture} */ (figure.data.find(({ name }) => name === "h"));
    const data = figure.data.filter(({ meta }) => !meta).map((picture) => ({ ...picture, colorscale, zmin: -1, zmax: 1 }));
    return { data, layout: { ...figure.layout, meta: `${theme} difference` } };
  }

  /** @param {State} state */
  function draw(state) {
    const units = unitsInSight(state);
    const names = units.map((unit) => String(unit + 1));
    if (!drawn || drawn.run.columns !== state.run.columns || shownUnits.length !== names.length) {
      tape.style.setProperty("--units", String(units.length));
      places = measure();
    }
    if (String(names) !== String(shownUnits)) {
      for (const { names: list } of rows) list.replaceChildren(...names.map(named));
      shownUnits = names;
    }
    const inSight = (/** @type {Rows} */ all) => (all.length === units.length ? all : units.map((unit) => all[unit]));
    const figureNow = figureOf(state);
    const z = figureNow.data.map(({ name, meta }) =>
      inSight(meta ? (ownOf(state).veilOf?.(layerOf(state)) ?? []) : shownRows(state, name)),
    );
    if (Plotly) drawHeatmaps(Plotly, figure, figureNow, z, places);
    for (const { signal, values } of rows) {
      const at = figureNow.data.findIndex(({ name, meta }) => name === signal && !meta);
      const veil = figureNow.data.findIndex(({ meta }) => meta?.over === signal);
      writeNumbers(state, values, figureNow.data[at], z[at], figureNow.data[veil]?.meta, z[veil]);
    }
    drawn = state;
  }

  /**
   * The numbers, each in black or white, whichever its cell's colour wants. Until Plotly is there the cells are
   * coloured here, so that the picture need not wait for it.
   * @param {State} state @param {HTMLElement} values @param {Picture} picture @param {Rows} shown
   * @param {Veil | undefined} veil what lies over it, and what that goes by
   * @param {Rows | undefined} veiled
   */
  function writeNumbers(state, values, picture, shown, veil, veiled) {
    const { T, columns } = state.run;
    const { name, colorscale, zmin, zmax } = picture;
    const { width, height } = places[name];
    const few = shown.length * T <= (Plotly ? MOST_NUMBERS : MOST_CELLS);
    const fit = width / columns >= ROOM_FOR_NUMBER.width && height / shown.length >= ROOM_FOR_NUMBER.height;
    const wanted = few && (fit || !Plotly) ? shown.length * T : 0;
    while (values.childElementCount > wanted) values.lastElementChild?.remove();
    while (values.childElementCount < wanted) values.append(document.createElement("span"));
    if (!wanted) return;
    shown.forEach((row, unit) => {
      for (let column = 0; column < T; column++) {
        const cell = /** @type {HTMLElement} */ (values.children[unit * T + column]);
        const text = fit ? fixed(row[column]) : "";
        if (cell.textContent !== text) cell.textContent = text;
        let colour = colourAt(colorscale, (row[column] - zmin) / (zmax - zmin));
        let ink = "";
        const share = veil && veiled ? 1 - veiled[unit][column] / veil.until : 0;
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
    const row = unitsInSight(state).indexOf(state.unit);
    for (const { mark } of rows) {
      mark.hidden = layerOf(state).H === 1 || row < 0;
      mark.style.setProperty("--unit", String(row));
    }
    if (!drawn || DRAWN_OF.some((part) => drawn?.[part] !== state[part])) draw(state);
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

/** @param {string} textContent */
const named = (textContent) => Object.assign(document.createElement("li"), { textContent });
