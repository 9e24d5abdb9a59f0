/**
 * Bidirectional layers, as in gru_core/cells/directions.py. The last `backward` units read the sequence from its end, and no unit
 * reads the state of a unit of the other direction.
 */

/** @import { Layer, Values, Vector } from "./cells.js" */
import { vector } from "./cells.js";

/**
 * Split a bidirectional layer into a forward layer and a backward layer, each with only one direction.
 * @param {Layer} layer @returns {[Layer, Layer]}
 */
export function halves(layer) {
  const { H, I, W, U, b, c, backward } = layer;
  const half = (/** @type {number} */ first, /** @type {number} */ last) => {
    const n = last - first;
    const block = (/** @type {Vector} */ matrix) =>
      vector(n * n, (i) => matrix[(first + Math.floor(i / n)) * H + first + (i % n)]);
    return {
      ...layer,
      H: n,
      W: each(W, (rows) => rows.slice(first * I, last * I)),
      U: each(U, block),
      b: part(b, first, last),
      c: c?.slice(first, last) ?? null,
      backward: 0,
    };
  };
  return [half(0, H - backward), half(H - backward, H)];
}

/**
 * Return the values of the units from `first` to before `last`, by name.
 * @param {Record<string, Vector>} named @param {number} first @param {number} [last]
 */
export const part = (named, first, last) => each(named, (row) => row.slice(first, last));

/**
 * Join the values of two directions at a timestep: first the units of `ahead`, then the units of `back`.
 * @param {Values} ahead @param {Values} back @returns {Values}
 */
export function beside(ahead, back) {
  const all = (/** @type {"signals" | "Wx" | "Uh" | "computed" | "before"} */ field) =>
    Object.fromEntries(Object.entries(ahead[field]).map(([name, row]) => [name, joined(row, back[field][name])]));
  return {
    signals: all("signals"),
    Wx: all("Wx"),
    Uh: all("Uh"),
    computed: all("computed"),
    before: all("before"),
    h_prev: joined(ahead.h_prev, back.h_prev),
    half_life: ahead.half_life && back.half_life && joined(ahead.half_life, back.half_life),
    x: ahead.x,
  };
}

/** @param {Vector} ahead @param {Vector} back */
const joined = (ahead, back) => Float64Array.from([...ahead, ...back]);

/** @param {Record<string, Vector>} named @param {(row: Vector) => Vector} f @returns {Record<string, Vector>} */
const each = (named, f) => Object.fromEntries(Object.entries(named).map(([name, row]) => [name, f(row)]));
