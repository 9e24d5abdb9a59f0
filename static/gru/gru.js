/** What a GRU has of its own on the page. Its figure and its equations are drawn in templates/gru/. */

/** @import { Own } from "../own.js" */
import { layerIndex, layerOf } from "../state.js";
import { SCALED_AS, carried, strips } from "./figure.js";
import { narrate, tellLasting } from "./narration.js";
import { FUNCTIONS, equations, seenBy, veilOf } from "./reading.js";

const RESETS = {
  before:
    "This model applies r before the product: r ⊙ h goes into U. After the product, as PyTorch and Keras do it, is " +
    "another function with other trained weights, so it is no choice of display.",
  after:
    "This model applies r after the product: it scales U h + c. Before the product, as in the source, is another " +
    "function with other trained weights, so it is no choice of display.",
};
const NAMES = {
  source: "z near 1 takes the candidate here; PyTorch and Keras call the same gate 1 − z. ",
  pytorch: "z is named as PyTorch and Keras do: near 1 it keeps the state. It is 1 minus the source's z, its sum that one's negative; h is the same. ", // prettier-ignore
};

/** @type {Own} */
export const gru = {
  narrate,
  tellLasting,
  functions: FUNCTIONS,
  equations,
  note: (state) => NAMES[state.convention] + RESETS[layerOf(state).reset ?? "before"],
  scaledAs: SCALED_AS,
  carried,
  strips,
  seenBy,
  veilOf,
  leaveOut(state, step) {
    const { convention, run } = state;
    const layer = layerIndex(state) + 1;
    const whose = layerOf(state).H === 1 ? "z" : "every unit’s z";
    const of = run.layers.length > 1 ? ` of layer ${layer}` : "";
    return {
      clamps: [{ gate: "z", units: null, from: step, to: step, value: 0, layer }],
      said: `${whose}${of} held at ${convention === "pytorch" ? 1 : 0}`,
    };
  },
};
