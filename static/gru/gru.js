/** The parts of the page that only a GRU needs. Its figure and its equations are drawn in templates/gru/. */

/** @import { Own } from "../own.js" */
import { mixedEquations, tellLasting } from "../mixing.js";
import { closing } from "../reading.js";
import { layerOf } from "../state.js";
import { narrate } from "./narration.js";
import { reading } from "./reading.js";

const RESETS = {
  before:
    "Here the reset gate r first multiplies h, and U multiplies the result. In PyTorch and, by default, in Keras U comes first: r multiplies U h + c.",
  after:
    "Here U first multiplies h, and the reset gate r multiplies the result, U h + c. In Cho et al. (2014) r comes first: U multiplies r ⊙ h.",
};
const OTHER =
  "The other order is a different function, and its trained weights differ too. So no switch on this page can change the order.";
const OTHER_OF_ONE = "With one unit the order matters only for the bias c: r multiplies c only if U comes first.";
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
  leaveOut: (state, step) => closing(state, "z", step),
};
