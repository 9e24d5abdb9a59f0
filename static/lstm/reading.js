/**
 * What the page reads off an LSTM's run at the cursor: numbers that came, and the sums and products of them that its
 * equations show. No model is run here.
 */

/** @import { Numbers, Place, Sum } from "../reading.js" */
/** @import { State } from "../state.js" */
import { before, placeAt, putEquation, putGate, replacedAt, sigmoid, sumsAt, tanh, valuesAt } from "../reading.js";
import { layerOf } from "../state.js";

/** @typedef {"i" | "f" | "o" | "c_tilde"} Gate */
/** @typedef {Gate | "c" | "h"} Signal what can be held */
/**
 * One step of one unit.
 * - `kept` is f times the old cell state, `taken` i times the candidate, `tanh_c` what the output gate lets through.
 * - `half_life`: the steps after which half of the cell state would be gone.
 * - `replaced`: for all that is held, the value that was computed.
 * @typedef {Place & Record<Signal, number> & {h_prev: number, c_prev: number, kept: number, taken: number, tanh_c: number,
 *            half_life: number, sums: Record<Gate, Sum>, replaced: Partial<Record<Signal, number>>}} Reading
 */

/** What makes a gate of its sum. */
export const FUNCTIONS = { i: sigmoid, f: sigmoid, o: sigmoid, c_tilde: tanh };

/**
 * @param {State} state
 * @param {number} [unit]
 * @returns {Reading}
 */
export function reading(state, unit = state.unit) {
  const at = valuesAt(state, unit);
  const [i, f, o, c_tilde, c, h] = ["i", "f", "o", "c_tilde", "c", "h"].map(at);
  const c_prev = before(state, "c", unit, layerOf(state).H); // a first state is that of h, then that of c
  return {
    ...placeAt(state, unit),
    i,
    f,
    o,
    c_tilde,
    c,
    h,
    h_prev: before(state, "h", unit),
    c_prev,
    kept: f * c_prev,
    taken: i * c_tilde,
    tanh_c: Math.tanh(c),
    half_life: at("half_life"),
    sums: /** @type {Record<Gate, Sum>} */ (sumsAt(state, unit)),
    replaced: replacedAt(state, unit),
  };
}

/** The numbers of the six equations. @param {State} state @returns {Numbers} */
export function equations(state) {
  const at = reading(state);
  const { i, f, o, c_tilde, c, h, c_prev, tanh_c, replaced } = at;
  /** @type {Numbers} */
  const numbers = { slots: {}, rounded: new Set() };
  for (const gate of /** @type {const} */ (["i", "f", "o", "c_tilde"]))
    putGate(numbers, gate, at, at[gate], FUNCTIONS[gate]);
  const held = (/** @type {"c" | "h"} */ name) => (name in replaced ? at[name] : null);
  putEquation(
    numbers,
    "c",
    { f, c_prev, i, c_tilde, value: replaced.c ?? c },
    (as) => [["value", as(f) * as(c_prev) + as(i) * as(c_tilde)]],
    held("c"),
  );
  putEquation(
    numbers,
    "h",
    { o, c, tanh_c, value: replaced.h ?? h },
    (as) => [
      ["tanh_c", Math.tanh(as(c))],
      ["value", as(o) * as(tanh_c)],
    ],
    held("h"),
  );
  return numbers;
}
