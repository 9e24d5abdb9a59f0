/** What a GRU's figure shows on its wires and in its boxes. */

/** @import { State } from "../state.js" */
import { layerOf } from "../state.js";
import { reading } from "./reading.js";

/** Which signal's colours a wire or a strip has, where they are not those of h. @type {Record<string, string>} */
export const SCALED_AS = { r: "r", z: "z", keep: "z", take: "z" };

/** Of the cursor's unit, by wire, box and label. @param {State} state @returns {Record<string, number>} */
export function carried(state) {
  const { h_prev, r, z, h_tilde, h, keep, take, kept, taken, past } = reading(state);
  return { h_prev, r, z, h_tilde, h, keep, take, kept, taken, past };
}

/** Of all units. @param {State} state @returns {Record<string, number[]>} */
export function strips(state) {
  const { rows, h0, reset } = layerOf(state);
  const column = state.step - 1;
  const at = (/** @type {string} */ name) => rows[name].map((row) => row[column]);
  const times = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.map((value, i) => value * b[i]);
  const h_prev = column === 0 ? h0 : rows.h.map((row) => row[column - 1]);
  const [r, take, h_tilde, h] = ["r", "z", "h_tilde", "h"].map(at);
  const keep = take.map((z) => 1 - z);
  const z = state.convention === "pytorch" ? keep : take;
  const past = reset === "before" ? times(r, h_prev) : at("Uh.h_tilde");
  return { h_prev, r, z, h_tilde, h, keep, take, kept: times(keep, h_prev), taken: times(take, h_tilde), past };
}
