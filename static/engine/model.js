/** Models in a saved page. app/exports/models.py writes them into the page, with arrays in base64. */

/** @import { Layer, Vector } from "./cells.js" */
/** @import { Weight } from "../run.js" */
import { numbersOf } from "../base64.js";

/**
 * A model as the page stores it. Each array has little-endian numbers in base64: float32 if this is exact for all of them, else
 * float64. `table` has the rows of an embedding.
 * @typedef {{kind: "symbols" | "letters" | "embedded" | "numbers" | "vectors" | "scaled", labels: string[], alphabet: string[], inputs: number, hint: string,
 *            padding?: string | number, scale?: number, shift?: number, decimals?: number, unit?: string, operators?: {sign: string, flags: number[]}[], table?: string}} StoredEncoder
 * @typedef {{cell: string, H: number, I: number, title: string, holds: Record<string, [number, number]>, W: string, U: string, b: string, c?: string, backward_units: number}} StoredLayer
 * @typedef {{encoder: StoredEncoder, layers: StoredLayer[], task: string, regressions: Record<string, number[]>,
 *            readout: {kind: "softmax" | "linear", labels: string[], product: boolean, V: string, c: string}}} StoredModel
 */
/**
 * A model that can be run. `readout` is y = softmax(V h + c) or y = V h + c. If `product` is true, the readout multiplies the two halves
 * of h, and reads the result in place of h. `task` is the name of the built-in task, or "". `regressions` has the weights of each linear
 * autoregression: the weight of the earliest number comes first, and the constant last.
 * @typedef {{encoder: Omit<StoredEncoder, "table"> & {table: Vector}, layers: Layer[], task: string, regressions: Record<string, number[]>,
 *            readout: {kind: "softmax" | "linear", labels: string[], product: boolean, V: Vector, c: Vector}}} Model
 */

import { CELLS, gatesOf, product } from "./cells.js";

/** Decode a model that is stored in a page. @param {StoredModel} stored @returns {Model} */
export function readModel({ encoder, layers, readout, task, regressions }) {
  return {
    encoder: { ...encoder, table: numbers(encoder.table ?? "", encoder.alphabet.length * encoder.inputs) },
    layers: layers.map(readLayer),
    readout: {
      ...readout,
      V: numbers(readout.V, (readout.labels.length * (layers.at(-1)?.H ?? 0)) / (readout.product ? 2 : 1)),
      c: numbers(readout.c, readout.labels.length),
    },
    task,
    regressions,
  };
}

/** @param {StoredLayer} stored @returns {Layer} */
function readLayer({ W, U, b, c, backward_units, ...layer }) {
  const { cell, H, I } = layer;
  const gates = gatesOf(cell);
  const { recurrent } = CELLS[cell];
  return {
    ...layer,
    W: blocks(gates, numbers(W, gates.length * H * I)),
    U: blocks(recurrent, numbers(U, recurrent.length * H * H)),
    b: blocks(gates, numbers(b, gates.length * H)),
    c: c === undefined ? null : numbers(c, H),
    backward: backward_units,
  };
}

/** Split a stacked array into a block for each gate. @param {string[]} gates @param {Vector} stacked */
function blocks(gates, stacked) {
  const size = stacked.length / gates.length;
  return Object.fromEntries(gates.map((gate, i) => [gate, stacked.slice(i * size, (i + 1) * size)]));
}

/** Decode a base64 array of `n` numbers to float64. @param {string} base64 @param {number} n */
const numbers = (base64, n) => new Float64Array(numbersOf(base64, n));

/**
 * Return a copy of the model with changed weights. The copy shares the layers without changes.
 * @param {Model} model @param {readonly Weight[]} weights @returns {Model}
 */
export function edited(model, weights) {
  const layers = [...model.layers];
  for (const { layer, gate, unit, part, index, value } of weights) {
    const old = layers[layer - 1];
    const { H, I } = old;
    if (part === "c") {
      layers[layer - 1] = { ...old, c: put(old.c ?? new Float64Array(H), unit - 1, value) };
      continue;
    }
    const at = index === null ? unit - 1 : (unit - 1) * (part === "W" ? I : H) + index - 1;
    layers[layer - 1] = { ...old, [part]: { ...old[part], [gate]: put(old[part][gate], at, value) } };
  }
  return { ...model, layers };
}

/** @param {Vector} array @param {number} index @param {number} value */
function put(array, index, value) {
  const copy = array.slice();
  copy[index] = value;
  return copy;
}

/** Return the outputs for a state of the top layer. @param {Model} model @param {Vector} h @returns {Vector} */
export function readOut({ readout: { kind, product: multiplied, V, c } }, h) {
  const half = h.length / 2;
  const read = multiplied ? h.slice(0, half).map((value, unit) => value * h[half + unit]) : h;
  const y = product(V, read).map((sum, k) => sum + c[k]);
  if (kind === "linear") return y;
  let largest = -Infinity;
  for (const value of y) largest = Math.max(largest, value);
  const powers = y.map((value) => Math.exp(value - largest));
  let total = 0;
  for (const power of powers) total += power;
  return powers.map((power) => power / total);
}
