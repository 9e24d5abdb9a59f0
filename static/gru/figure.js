/** What a GRU's figure shows on its wires and in its boxes. */

/** @import { State } from "../state.js" */
import { ofAllUnits } from "../reading.js";
import { reading } from "./reading.js";

/** Which signal's colours a wire or a strip has, where they are not those of h. @type {Record<string, string>} */
export const SCALED_AS = { r: "r", z: "z", keep: "z", take: "z" };

/** Of the cursor's unit, by wire, box and label. @param {State} state @returns {Record<string, number>} */
export function carried(state) {
  const { h_prev, r, z, h_tilde, h, keep, take } = reading(state);
  return { h_prev, r, z, h_tilde, h, keep, take };
}

/** Of all units. @param {State} state */
export const strips = (state) => ofAllUnits(state, carried);
