/** What a GRU has of its own on the page, besides its figure and its equations. */

/** @import { Own } from "../own.js" */
import { layerIndex, layerOf } from "../state.js";
import { narrate, tellLasting } from "./narration.js";
import { FUNCTIONS, reading, seenBy, veilOf } from "./reading.js";

/** @type {Own} */
export const gru = {
  narrate,
  tellLasting,
  reading(state) {
    const { sums, replaced, r, z, h_tilde } = reading(state);
    return { sums, replaced, values: { r, z, h_tilde } };
  },
  functions: FUNCTIONS,
  seenBy,
  veilOf,
  leaveOut(state, step) {
    const { convention, run } = state;
    const layer = layerIndex(state) + 1;
    const whose = layerOf(state).H === 1 ? "z" : "every unit’s z";
    const of = run.layers.length > 1 ? ` of layer ${layer}` : "";
    return {
      clamp: { gate: "z", units: null, from: step, to: step, value: 0, layer },
      said: `${whose}${of} held at ${convention === "pytorch" ? 1 : 0}`,
    };
  },
};
