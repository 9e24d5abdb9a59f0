/** The parts of the page that only a GRU needs. The GRU's figure and equations are in templates/gru/. */

/** @import { Own } from "../own.js" */
import { mixedEquations, tellLasting } from "../mixing.js";
import { closing } from "../reading.js";
import { layerOf } from "../state.js";
import { narrate } from "./narration.js";
import { reading } from "./reading.js";

const RESETS = {
  before:
    "Here r multiplies the old state first: U (r ⊙ h). In PyTorch and, by default, in Keras r comes later: r ⊙ (U h + c), with a second bias c.",
  after:
    "Here r comes after U, as in PyTorch: r ⊙ (U h + c). In Cho et al. (2014) r multiplies the old state first: U (r ⊙ h).",
};
const OTHER =
  "The other order is a different function with other weights, so the switch “z near 1” does not change it. An uploaded model keeps its own order.";
const OTHER_OF_ONE =
  "With one unit this changes only c. The switch “z near 1” does not change the order. An uploaded model keeps its own order.";
const NAMES = {
  source: "Here z near 1 takes the candidate. The z of PyTorch and Keras is 1 minus this z.",
  pytorch:
    "Here z near 1 keeps the old state, as in PyTorch and Keras. This z is 1 minus the z of the other setting, so the sum in its σ has the opposite sign. The state h stays the same.",
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
