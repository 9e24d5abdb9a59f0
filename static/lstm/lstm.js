/** What an LSTM has of its own on the page. Its figure and its equations are drawn in templates/lstm/. */

/** @import { Own } from "../own.js" */
import { layerIndex, layerOf } from "../state.js";
import { SCALED_AS, carried, strips } from "./figure.js";
import { narrate, tellLasting } from "./narration.js";
import { FUNCTIONS, equations } from "./reading.js";

/** @type {Own} */
export const lstm = {
  narrate,
  tellLasting,
  functions: FUNCTIONS,
  equations,
  note: () =>
    "f keeps and i takes, each on its own: they need not sum to 1, so c has no bounds. A GRU ties them, 1 − z and z.",
  scaledAs: SCALED_AS,
  carried,
  strips,
  seenBy: () => ({ name: "", share: 1 }),
  leaveOut(state, step) {
    const layer = layerIndex(state) + 1;
    const whose = layerOf(state).H === 1 ? "i" : "every unit’s i";
    const of = state.run.layers.length > 1 ? ` of layer ${layer}` : "";
    return {
      clamps: [{ gate: "i", units: null, from: step, to: step, value: 0, layer }],
      said: `${whose}${of} held at 0`,
    };
  },
};
