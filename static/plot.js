/** All code that uses Plotly. */

/** @import { Rows, Signal } from "./run.js" */
/** @import { Scale } from "./theme.js" */
/**
 * The heatmap of a signal, as a Plotly trace.
 * @typedef {{name: Signal, yaxis?: string, colorscale: Scale, zmin: number, zmax: number}} Picture
 */
/** A heatmap with its values. @typedef {Picture & {z: Rows}} Filled */
/** @typedef {{data: Picture[], layout: Record<string, any>}} Figure */
/** An element that Plotly has drawn into. @typedef {HTMLElement & {data: Filled[]}} Drawn */
/** @typedef {{top: number, width: number, height: number, total: number, font: number}} Place in pixels; `total` is the height of the figure, `font` the size of its numbers */
/**
 * The functions of Plotly that the page uses.
 * @typedef {{toImage: (figure: object, options: object) => Promise<string>,
 *            restyle: (div: HTMLElement, changes: object, traces: number[]) => Promise<void>,
 *            react: (div: HTMLElement, data: object[], layout: object, config: object) => Promise<void>}} PlotlyLibrary
 */

import { unpacked } from "./base64.js";
import { pictureAddress } from "./pixels.js";
import { LEAST_SHARE } from "./thresholds.js";

// By default Plotly shows its logo and can offer to send the figure to another server. A static plot has no controls at all.
const CONFIG = { staticPlot: true, showSendToCloud: false, displaylogo: false };

const XLINK = "http://www.w3.org/1999/xlink"; // Plotly's images have xlink:href, and not href

const LABELS = 5; // the width of the labels of a confusion matrix, em

/** The message if Plotly cannot be loaded. */
export const NO_PICTURES = "Some pictures could not be loaded. All numbers are here. Reload the page to try again.";

/** @type {Promise<PlotlyLibrary> | undefined} */
let library;

let draws = 0;

/** Return the promise of Plotly, which loads on the first call. Plotly has 1.5 MB, and the page works while Plotly is loading. */
export function plotly() {
  const { dataset, textContent } = /** @type {HTMLElement} */ (document.querySelector("#plotly"));
  library ??= dataset.src ? loaded(dataset.src) : fromPage(textContent);
  return library;
}

/** @param {string} src @returns {Promise<PlotlyLibrary>} */
const loaded = (src) =>
  new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src });
    script.onload = () => resolve(/** @type {any} */ (globalThis).Plotly);
    script.onerror = () => reject(new Error("plotly.min.js did not load"));
    document.head.append(script);
  });

/**
 * Unpack and load Plotly on a page without a server. This page, or the page that embeds it, contains Plotly as gzip in base64.
 * @param {string | null} base64
 * @returns {Promise<PlotlyLibrary>}
 */
async function fromPage(base64) {
  const script = document.createElement("script");
  script.textContent = await unpacked(base64 || (parent.document.querySelector("#plotly")?.textContent ?? ""));
  document.head.append(script);
  return /** @type {any} */ (globalThis).Plotly;
}

/**
 * Draw the heatmaps into `div`, each at the place of its row on the tape. This is fast if only the numbers have changed.
 * @param {PlotlyLibrary} Plotly
 * @param {HTMLElement} div
 * @param {{data: Filled[], layout: Figure["layout"]}} figure from Python, with the values filled in
 * @param {Record<string, Place>} places by signal
 */
export function drawHeatmaps(Plotly, div, figure, places) {
  const z = figure.data.map(({ z }) => z);
  const [units, columns] = [z[0].length, z[0][0].length];
  const shape = JSON.stringify([units, columns, places, figure.layout.meta]);
  if (div.dataset.shape === shape) {
    if (!replaceImages(/** @type {Drawn} */ (div), figure.data)) Plotly.restyle(div, { z }, [...z.keys()]);
    return;
  }
  div.dataset.shape = shape;
  /** @type {Figure["layout"]} */
  const layout = {
    ...figure.layout,
    datarevision: draws++, // the numbers in the arrays can change, but Plotly compares only the arrays
    width: places.h.width,
    height: places.h.total,
    xaxis: { ...figure.layout.xaxis, autorange: false, range: [-0.5, columns - 0.5] },
  };
  for (const { name, yaxis = "y" } of figure.data) {
    const { top, height, total } = places[name];
    const axis = yaxis.replace("y", "yaxis");
    const domain = [1 - (top + height) / total, 1 - top / total];
    layout[axis] = { ...figure.layout[axis], domain, autorange: false, range: [units - 0.5, -0.5] };
  }
  Plotly.react(div, figure.data, layout, CONFIG);
}

/**
 * Replace the images of Plotly's heatmaps, as Plotly does at the end of `restyle`. The rest of `restyle` takes many times as long.
 * Change nothing and return false if Plotly has enlarged the images itself, as it does in browsers that blur enlarged images.
 * Otherwise return true.
 * @param {Drawn} div @param {Filled[]} data
 */
function replaceImages(div, data) {
  const images = data.map(
    ({ yaxis = "y" }) => /** @type {SVGImageElement | null} */ (div.querySelector(`.x${yaxis} .heatmaplayer image`)),
  );
  if (images.some((image) => image?.style.imageRendering !== "pixelated")) return false;
  data.forEach((picture, i) => {
    images[i]?.setAttributeNS(XLINK, "href", pictureAddress(picture.z, picture));
    div.data[i].z = picture.z; // for the next time that Plotly draws
  });
  return true;
}

/**
 * Draw lines into `div`, with a point in the middle of each column. A line's name starts with the name of a trace in `figure`, and the
 * line has the style of this trace.
 * @param {PlotlyLibrary} Plotly
 * @param {HTMLElement} div
 * @param {Figure} figure from Python
 * @param {{name: string, values: number[]}[]} lines
 * @param {number} columns
 * @param {number | null} given the number of columns before the mark; null for no mark
 * @param {number} width @param {number} height in pixels
 */
export function drawLines(Plotly, div, { data, layout }, lines, columns, given, width, height) {
  const traces = lines.map(({ name, values }) => ({
    ...data.find((trace) => name.startsWith(trace.name)),
    name,
    x: [...values.keys()],
    y: values,
  }));
  const all = lines.flatMap(({ values }) => values.filter(Number.isFinite));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const margin = 0.06 * (high - low) || 1;
  const axes = {
    xaxis: { ...layout.xaxis, autorange: false, range: [-0.5, columns - 0.5] },
    yaxis: { ...layout.yaxis, autorange: false, range: [low - margin, high + margin] },
  };
  const at = (given ?? 0) - 0.5;
  const marks = {
    shapes: given === null ? [] : layout.shapes.map((/** @type {object} */ shape) => ({ ...shape, x0: at, x1: at })),
    annotations: given === null ? [] : layout.annotations.map((/** @type {object} */ text) => ({ ...text, x: at })),
  };
  return Plotly.react(div, traces, { ...layout, ...axes, ...marks, width, height }, CONFIG);
}

/**
 * Draw a confusion matrix into `div`: a square for each share of `rows`, with its percentage if there is room.
 * @param {PlotlyLibrary} Plotly
 * @param {HTMLElement} div
 * @param {Figure} figure from Python
 * @param {string[]} labels of the rows and of the columns
 * @param {number[][]} rows shares from 0 to 1
 * @param {number} width @param {number} font in pixels
 */
export function drawConfusion(Plotly, div, { data: [trace], layout }, labels, rows, width, font) {
  const square = (width - LABELS * font) / labels.length;
  const text = rows.map((row) =>
    row.map((share) => (share < LEAST_SHARE || square < 1.6 * font ? "" : (100 * share).toFixed(0))),
  );
  const height = width; // the labels at the top are rotated, so they take as much room as the labels on the left
  const size = { width, height, font: { ...layout.font, size: font } };
  return Plotly.react(div, [{ ...trace, x: labels, y: labels, z: rows, text }], { ...layout, ...size }, CONFIG);
}

/**
 * Return a promise of the figure's SVG or PNG picture, as a data: address.
 * @param {PlotlyLibrary} Plotly
 * @param {Figure} figure with its size in `layout`
 * @param {"svg" | "png"} format
 */
export function pictureOf(Plotly, { data, layout }, format) {
  const { width, height } = layout;
  return Plotly.toImage({ data, layout, config: CONFIG }, { format, width, height, scale: format === "png" ? 2 : 1 });
}
