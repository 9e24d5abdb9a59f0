/** What an LSTM has of its own on the page. Its figure and its equations are drawn in templates/lstm/. */

/** @import { Own } from "../own.js" */
import { layerIndex, layerOf } from "../state.js";
import { SCALED_AS, carried, strips } from "./figure.js";
import { narrate, tellLasting } from "./narration.js";
import { equations } from "./reading.js";

/** @type {Own} */
export const lstm = {
  narrate,
  tellLasting,
  equations,
  note: () =>
    "f keeps the old cell state and i adds the candidate. They are separate gates and do not need to sum to 1, so c has no bounds. A GRU uses one gate for both: 1 − z keeps and z adds.",
  scaledAs: SCALED_AS,
  carried,
  strips,
  factorIn: () => "",
  leaveOut(state, step) {
    const layer = layerIndex(state) + 1;
    const whose = layerOf(state).H === 1 ? "i" : "i of every unit";
    const of = state.run.layers.length > 1 ? ` of layer ${layer}` : "";
    return {
      clamps: [{ gate: "i", units: null, from: step, to: step, value: 0, layer }],
      said: `${whose}${of} at 0`,
    };
  },
};
