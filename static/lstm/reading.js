/** The numbers of an LSTM unit at the cursor, read from a run. This module computes no signals. */

/** @import { Numbers, Worked } from "../reading.js" */
/** @import { State } from "../state.js" */
import { before, gateNumbers, putEquation, unitAt } from "../reading.js";
import { layerOf } from "../state.js";

/** @typedef {ReturnType<typeof reading>} Reading */

/**
 * Return the numbers of a unit at the cursor's step. `half_life` is the number of steps after which half of the cell state would be
 * left.
 * @param {State} state
 */
export const reading = (state, unit = state.unit) => ({
  ...unitAt(state, unit, /** @type {const} */ (["i", "f", "o", "c_tilde", "c", "h", "half_life"])),
  h_prev: before(state, "h", unit),
  c_prev: before(state, "c", unit, layerOf(state).H), // an initial state has h first, then c
});

/** Return the numbers of the LSTM's six equations. @param {State} state @param {Worked} worked @returns {Numbers} */
export function equations(state, worked) {
  const at = reading(state);
  const { i, f, o, c_tilde, c, h, c_prev, replaced } = at;
  const { tanh_c } = worked.parts;
  const numbers = gateNumbers(worked, at);
  const held = (/** @type {"c" | "h"} */ name) => (name in replaced ? at[name] : null);
  putEquation(numbers, worked, "c", { f, c_prev, i, c_tilde, value: replaced.c ?? c }, held("c"));
  putEquation(numbers, worked, "h", { o, c, tanh_c, value: replaced.h ?? h }, held("h"));
  return numbers;
}
