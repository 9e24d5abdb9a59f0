/** What a GRU has of its own on the page. Its figure and its equations are drawn in templates/gru/. */

/** @import { Own } from "../own.js" */
import { layerIndex, layerOf } from "../state.js";
import { SCALED_AS, carried, strips } from "./figure.js";
import { narrate, tellLasting } from "./narration.js";
import { equations, veilOf } from "./reading.js";

const RESETS = {
  before: "This model applies r before the product: U multiplies r ⊙ h. PyTorch and, by default, Keras apply r after the product.",
  after: "This model applies r after the product: r multiplies U h + c. Cho et al. (2014) apply r before the product.",
};
const OTHER = "That is a different function with different trained weights, so no switch on this page can change it.";
const OTHER_OF_ONE = "With one unit the two differ only in the bias c.";
const NAMES = {
  source: "Here z near 1 takes the candidate. The z of PyTorch and Keras is 1 minus this z.",
  pytorch: "Here z near 1 keeps the old state, as in PyTorch and Keras. This z is 1 minus the z of the other setting. Its sum has the opposite sign. The state h stays the same.", // prettier-ignore
};

/** @type {Own} */
export const gru = {
  narrate,
  tellLasting,
  equations,
  note(state) {
    const { H, reset = "before" } = layerOf(state);
    return [NAMES[state.convention], RESETS[reset], H === 1 ? OTHER_OF_ONE : OTHER].join(" ");
  },
  scaledAs: SCALED_AS,
  carried,
  strips,
  factorIn: (gate) => (gate === "h_tilde" ? "r ⊙ " : ""),
  veilOf,
  leaveOut(state, step) {
    const { convention, run } = state;
    const layer = layerIndex(state) + 1;
    const whose = layerOf(state).H === 1 ? "z" : "z of every unit";
    const of = run.layers.length > 1 ? ` of layer ${layer}` : "";
    return {
      clamps: [{ gate: "z", units: null, from: step, to: step, value: 0, layer }],
      said: `${whose}${of} at ${convention === "pytorch" ? 1 : 0}`,
    };
  },
};
