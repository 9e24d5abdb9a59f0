/** What the page reads off a plain RNN's run at the cursor. No model is run here. */

/** @import { Numbers, Place, Sum, Worked } from "../reading.js" */
/** @import { State } from "../state.js" */
import { before, placeAt, putGate, replacedAt, sumsAt, valuesAt } from "../reading.js";

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

/** The numbers of its equation. @param {State} state @param {Worked} worked @returns {Numbers} */
export function equations(state, worked) {
  const at = reading(state);
  /** @type {Numbers} */
  const numbers = { slots: {}, rounded: new Set() };
  putGate(numbers, worked, "h", at, at.h);
  return numbers;
}
