/** What the page reads off a plain RNN's run at the cursor. No model is run here. */

/** @import { Numbers, Place, Sum } from "../reading.js" */
/** @import { State } from "../state.js" */
import { before, placeAt, putGate, replacedAt, sumsAt, tanh, valuesAt } from "../reading.js";

/** What makes h of its sum. */
export const FUNCTIONS = { h: tanh };

/**
 * One step of one unit; `replaced` has the value that was computed where h is held.
 * @param {State} state
 * @param {number} [unit]
 * @returns {Place & {h: number, h_prev: number, sums: {h: Sum}, replaced: {h?: number}}}
 */
export const reading = (state, unit = state.unit) => ({
  ...placeAt(state, unit),
  h: valuesAt(state, unit)("h"),
  h_prev: before(state, "h", unit),
  sums: /** @type {{h: Sum}} */ (sumsAt(state, unit)),
  replaced: replacedAt(state, unit),
});

/** The numbers of its equation. @param {State} state @returns {Numbers} */
export function equations(state) {
  const at = reading(state);
  /** @type {Numbers} */
  const numbers = { slots: {}, rounded: new Set() };
  putGate(numbers, "h", at, at.h, tanh);
  return numbers;
}
