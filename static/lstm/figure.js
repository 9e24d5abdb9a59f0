/** What an LSTM's figure shows on its wires and in its boxes. */

/** @import { State } from "../state.js" */
import { layerOf } from "../state.js";
import { reading } from "./reading.js";

/** Whose colours a wire or a strip has, where they are not those of h. @type {Record<string, string>} */
export const SCALED_AS = { i: "i", f: "f", o: "o", c_tilde: "c_tilde", c: "c", c_prev: "c", kept: "c", taken: "c" };

/** Of the cursor's unit, by wire, box and label. @param {State} state @returns {Record<string, number>} */
export function carried(state) {
  const { i, f, o, c_tilde, c, h, h_prev, c_prev, kept, taken, tanh_c } = reading(state);
  return { i, f, o, c_tilde, c, h, h_prev, c_prev, kept, taken, tanh_c };
}

/** Of all units. @param {State} state @returns {Record<string, number[]>} */
export function strips(state) {
  const units = Array.from({ length: layerOf(state).H }, (_, unit) => carried({ ...state, unit }));
  return Object.fromEntries(Object.keys(units[0]).map((name) => [name, units.map((unit) => unit[name])]));
}
