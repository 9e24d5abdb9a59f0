/**
 * The heatmaps of the signals on the tape: one Plotly figure behind the tape's rows, with units as rows and steps as columns, and with
 * numbers in the cells if they fit. All signals share one figure, because updating all its heatmaps costs no more than updating one.
 * Until Plotly has loaded, a canvas in each row has the same pixels.
 */

/** @import { Store } from "../store.js" */
/** @import { Rows, Signal } from "../run.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, Picture, PlotlyLibrary, Place } from "../plot.js" */
import { unitName } from "../directions.js";
import { findAll, newElement } from "../elements.js";
import { paintPixels } from "../pixels.js";
import { drawHeatmaps } from "../plot.js";
import { shownRows } from "../reading.js";
import { layerOf, unitsInSight } from "../state.js";
import { writeNumbers } from "../heatmaps/numbers.js";

/** The parts of the state that change the pictures. @type {(keyof State)[]} */
const DRAWN_OF = ["run", "received", "theme", "layer", "first", "rows", "convention", "difference"];

/**
 * Draw the signals of all units as heatmaps.
 * @param {HTMLElement} tape
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountHeatmaps(tape, store, figures) {
  const figure = /** @type {HTMLElement} */ (tape.querySelector(".heatmaps"));
  const rows = findAll(tape, ".signal").map((row) => ({
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
  // Stored, because measuring while the page changes would force a layout each time.
  let places = measure();

  /** Measure the place of each signal's cells in the figure. @returns {Record<string, Place>} */
  function measure() {
    const box = figure.getBoundingClientRect();
    const place = (/** @type {HTMLElement} */ plot, /** @type {HTMLElement} */ values) => {
      const { top, width, height } = plot.getBoundingClientRect();
      const font = parseFloat(getComputedStyle(values).fontSize);
      return { top: top - box.top, width, height, total: box.height, font };
    };
    return Object.fromEntries(rows.map(({ signal, plot, values }) => [signal, place(plot, values)]));
  }

  /** @param {State} state */
  function draw(state) {
    const units = unitsInSight(state);
    const { model, models, run } = state;
    // On the Train page a checkpoint has no entry of its own and uses the entry of its task.
    const entry = models.find(({ id }) => id === run.model) ?? models.find(({ id }) => id === model);
    const handover = entry?.handover ?? "";
    const isHalved = handover !== "" && units.length === layerOf(state).H && units.every((unit, i) => unit === i);
    const names = units.map((unit, i) => (isHalved ? halfOf(i, units.length) : "") + unitName(layerOf(state), unit));
    tape.classList.toggle("halved", isHalved);
    tape.classList.toggle("arrowed", Boolean(layerOf(state).backward_units));
    tape.style.setProperty("--handed", String(isHalved ? (state.run.tokens ?? []).indexOf(handover) : -1));
    if (!drawn || drawn.run.columns !== state.run.columns || shownUnits.length !== names.length) {
      tape.style.setProperty("--units", String(units.length));
      places = measure();
    }
    if (String(names) !== String(shownUnits)) {
      for (const { names: list } of rows) list.replaceChildren(...names.map((name) => newElement("li", name)));
      shownUnits = names;
    }
    const inSight = (/** @type {Rows} */ all) => (all.length === units.length ? all : units.map((unit) => all[unit]));
    const { data, layout } = figureOf(figures[state.theme], state);
    const pictures = data.map((picture) => ({ ...picture, z: inSight(shownRows(state, picture.name)) }));
    if (Plotly) drawHeatmaps(Plotly, figure, { data: pictures, layout }, places);
    for (const { signal, plot, values } of rows) {
      const picture = pictures.find(({ name }) => name === signal);
      if (!picture) continue;
      if (!Plotly) paintPixels(canvasOf(plot), picture.z, picture);
      writeNumbers(values, picture, state.run, places[signal]);
    }
    drawn = state;
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
    const measured = measure();
    if (JSON.stringify(measured) === JSON.stringify(places)) return;
    places = measured;
    draw(store.get());
  }).observe(figure);

  return {
    /** Receive Plotly once it has loaded, and draw with it from then on. @param {PlotlyLibrary} library */
    arrive(library) {
      Plotly = library;
      draw(store.get());
      for (const { plot } of rows) canvasOf(plot).remove();
    },
  };
}

/** Return the canvas of a row. If the row has no canvas yet, add one. @param {HTMLElement} plot */
function canvasOf(plot) {
  const canvas = plot.querySelector("canvas") ?? document.createElement("canvas");
  if (!canvas.parentElement) plot.prepend(canvas);
  return canvas;
}

/**
 * Return a label for a unit of an encoder and decoder: "encoder " for the first unit, "decoder " for the last unit, otherwise "".
 * @param {number} i @param {number} H
 */
const halfOf = (i, H) => (i === 0 ? "encoder " : i === H - 1 ? "decoder " : "");

/**
 * Return the figure for values or for differences. For differences, all signals use the colors of h, from −1 to 1.
 * @param {Figure} figure
 * @param {State} state
 */
function figureOf(figure, { theme, difference, run }) {
  if (!difference || !run.twin) return figure;
  const { colorscale } = /** @type {Picture} */ (figure.data.find(({ name }) => name === "h"));
  const data = figure.data.map((picture) => ({ ...picture, colorscale, zmin: -1, zmax: 1 }));
  return { data, layout: { ...figure.layout, meta: `${theme} difference` } };
}
