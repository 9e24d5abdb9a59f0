/**
 * A run as it arrives: `start` says how large it is, each step fills one column.
 *
 * Every signal is `rows[unit][step]`, one Float64Array a unit, NaN where nothing has come yet: the form that a
 * heatmap draws, written in place.
 */

/** @typedef {Float64Array[]} Rows */
/** @typedef {"r" | "z" | "h_tilde"} Gate */
/** @typedef {Gate | "h"} Signal */
/** @typedef {Gate extends infer G extends string ? `Wx.${G}` | `Uh.${G}` : never} Term */
/** @typedef {{H: number, reset: "before" | "after", b: Record<Gate, number[]>, h0: number[]}} LayerStart */
/** @typedef {{model: string, T: number, tokens: string[] | null, x: {labels: string[]}, layers: LayerStart[],
 *             y: {kind: "softmax" | "linear", labels: string[]}}} Start */
/** @typedef {{t: number, x: string, layers: Record<Signal | Term, string>[], y: string}} Step */
/** @typedef {{moved: number[][]}} Done how far each unit's state went, layer by layer */
/** @typedef {LayerStart & {rows: Record<Signal | Term, Rows>, moved: number[] | null}} Layer */
/** @typedef {Omit<Start, "layers"> & {columns: number, layers: Layer[], inputs: Rows, outputs: Rows}} Run */

/** @type {readonly Gate[]} */
export const GATES = ["r", "z", "h_tilde"];
/** @type {readonly Signal[]} */
export const SIGNALS = [...GATES, "h"];
/** @type {readonly (Signal | Term)[]} */
const NAMES = [...SIGNALS, "Wx.r", "Wx.z", "Wx.h_tilde", "Uh.r", "Uh.z", "Uh.h_tilde"];

/**
 * @param {Start} start
 * @param {number[]} stages how many columns a tape can have: the next of these for T steps
 * @returns {Run}
 */
export function newRun(start, stages) {
  const columns = stages.find((columns) => columns >= start.T) ?? start.T;
  /** @param {number} height @returns {Rows} */
  const blank = (height) => Array.from({ length: height }, () => new Float64Array(columns).fill(NaN));
  const layers = start.layers.map((layer) => ({
    ...layer,
    rows: /** @type {Record<Signal | Term, Rows>} */ (Object.fromEntries(NAMES.map((name) => [name, blank(layer.H)]))),
    moved: null,
  }));
  return { ...start, columns, layers, inputs: blank(start.x.labels.length), outputs: blank(start.y.labels.length) };
}

/**
 * Fill one column.
 * @param {Run} run
 * @param {Step} step
 */
export function putStep(run, step) {
  const column = step.t - 1;
  step.layers.forEach((layer, i) => {
    for (const name of NAMES) put(run.layers[i].rows[name], column, layer[name]);
  });
  put(run.inputs, column, step.x);
  put(run.outputs, column, step.y);
}

/** The last of a run. @param {Run} run @param {Done} done */
export const finish = (run, { moved }) => run.layers.forEach((layer, i) => (layer.moved = moved[i]));

/**
 * @param {Rows} rows
 * @param {number} column
 * @param {string} base64 little-endian float64, one for each row
 */
function put(rows, column, base64) {
  const text = atob(base64);
  const bytes = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) bytes.setUint8(i, text.charCodeAt(i));
  for (let i = 0; i < rows.length; i++) rows[i][column] = bytes.getFloat64(8 * i, true);
}

/**
 * What the model answers at a step: the likeliest label and its probability, or the number.
 * @param {Run} run
 * @param {number} column
 * @returns {{text: string, value: number}}
 */
export function answer(run, column) {
  const values = run.outputs.map((row) => row[column]);
  if (run.y.kind === "linear") return { text: fixed(values[0]), value: values[0] };
  const best = values.indexOf(Math.max(...values));
  return { text: run.y.labels[best] ?? "", value: values[best] ?? NaN };
}

/**
 * A number as the page writes it: two decimals, a true minus sign, never −0.00.
 * @param {number} value
 * @param {number} [decimals]
 */
export function fixed(value, decimals = 2) {
  if (Number.isNaN(value)) return "";
  const text = Math.abs(value) >= 1e4 ? value.toExponential(1) : value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}
