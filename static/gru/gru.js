/** The parts of the page that only a GRU needs. Its figure and its equations are drawn in templates/gru/. */

/** @import { Own } from "../own.js" */
import { mixedEquations, tellLasting } from "../mixing.js";
import { closing } from "../reading.js";
import { layerOf } from "../state.js";
import { narrate } from "./narration.js";
import { reading, veilOf } from "./reading.js";

const RESETS = {
  before:
    "This model applies r before the product with U: U multiplies r ⊙ h. PyTorch and, by default, Keras apply r after this product.",
  after:
    "This model applies r after the product with U: r multiplies U h + c. Cho et al. (2014) apply r before this product.",
};
const OTHER =
  "The other order is a different function, and its trained weights differ too. So no switch on this page can change the order.";
const OTHER_OF_ONE = "With one unit the two orders differ in only one term: r times the bias c.";
const NAMES = {
  source: "Here z near 1 takes the candidate. The z of PyTorch and Keras is 1 minus this z.",
  pytorch:
    "Here z near 1 keeps the old state, as in PyTorch and Keras. This z is 1 minus the z of the other setting. Its sum has the opposite sign. The state h stays the same.",
};

/** @type {Own} */
export const gru = {
  narrate,
  tellLasting,
  equations: (state, worked) => mixedEquations(worked, reading(state)),
  note(state) {
    const { H, reset = "before" } = layerOf(state);
    return [NAMES[state.convention], RESETS[reset], H === 1 ? OTHER_OF_ONE : OTHER].join(" ");
  },
  scaledAs: { r: "r", z: "z", keep: "z", take: "z" },
  carried(state) {
    const { h_prev, r, z, h_tilde, h, keep, take } = reading(state);
    return { h_prev, r, z, h_tilde, h, keep, take };
  },
  factorIn: (gate) => (gate === "h_tilde" ? "r ⊙ " : ""),
  veilOf,
  leaveOut: (state, step) => closing(state, "z", step),
};
