/** What an LSTM's figure shows on its wires and in its boxes. */

/** @import { State } from "../state.js" */
import { ofAllUnits } from "../reading.js";
import { reading } from "./reading.js";

/** Whose colours a wire or a strip has, where they are not those of h. @type {Record<string, string>} */
export const SCALED_AS = { i: "i", f: "f", o: "o", c_tilde: "c_tilde", c: "c", c_prev: "c", kept: "c", taken: "c" };

/** Of the cursor's unit, by wire, box and label. @param {State} state @returns {Record<string, number>} */
export function carried(state) {
  const { i, f, o, c_tilde, c, h, h_prev, c_prev } = reading(state);
  return { i, f, o, c_tilde, c, h, h_prev, c_prev };
}

/** Of all units. @param {State} state */
export const strips = (state) => ofAllUnits(state, carried);
