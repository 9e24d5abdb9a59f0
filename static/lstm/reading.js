/** What the page reads off an LSTM's run at the cursor: numbers that came. No model is run here. */

/** @import { Numbers, Place, Sum, Worked } from "../reading.js" */
/** @import { State } from "../state.js" */
import { before, placeAt, putEquation, putGate, replacedAt, sumsAt, valuesAt } from "../reading.js";
import { layerOf } from "../state.js";

/** @typedef {"i" | "f" | "o" | "c_tilde"} Gate */
/** @typedef {Gate | "c" | "h"} Signal what can be held */
/**
 * One step of one unit.
 * - `half_life`: the steps after which half of the cell state would be gone.
 * - `replaced`: for all that is held, the value that was computed.
 * @typedef {Place & Record<Signal, number> & {h_prev: number, c_prev: number,
 *            half_life: number, sums: Record<Gate, Sum>, replaced: Partial<Record<Signal, number>>}} Reading
 */

/**
 * @param {State} state
 * @param {number} [unit]
 * @returns {Reading}
 */
export function reading(state, unit = state.unit) {
  const at = valuesAt(state, unit);
  const [i, f, o, c_tilde, c, h] = ["i", "f", "o", "c_tilde", "c", "h"].map(at);
  return {
    ...placeAt(state, unit),
    i,
    f,
    o,
    c_tilde,
    c,
    h,
    h_prev: before(state, "h", unit),
    c_prev: before(state, "c", unit, layerOf(state).H), // a first state is that of h, then that of c
    half_life: at("half_life"),
    sums: /** @type {Record<Gate, Sum>} */ (sumsAt(state, unit)),
    replaced: replacedAt(state, unit),
  };
}

/** The numbers of the six equations. @param {State} state @param {Worked} worked @returns {Numbers} */
export function equations(state, worked) {
  const at = reading(state);
  const { i, f, o, c_tilde, c, h, c_prev, replaced } = at;
  const { tanh_c } = worked.parts;
  /** @type {Numbers} */
  const numbers = { slots: {}, rounded: new Set() };
  for (const gate of /** @type {const} */ (["i", "f", "o", "c_tilde"])) putGate(numbers, worked, gate, at, at[gate]);
  const held = (/** @type {"c" | "h"} */ name) => (name in replaced ? at[name] : null);
  putEquation(numbers, worked, "c", { f, c_prev, i, c_tilde, value: replaced.c ?? c }, held("c"));
  putEquation(numbers, worked, "h", { o, c, tanh_c, value: replaced.h ?? h }, held("h"));
  return numbers;
}
