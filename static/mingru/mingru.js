/** The parts of the page that only a minimal GRU needs. The minimal GRU's figure and equations are in templates/mingru/. */

/** @import { Own } from "../own.js" */
/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
import { mixedAt, mixedEquations, narrateMixed, tellLasting } from "../mixing.js";
import { closing } from "../reading.js";
import { fixed } from "../run.js";

const GATES =
  "This is a minimal GRU (minGRU). Its gate z and its candidate h̃ do not read the old state. The candidate has no tanh, so h̃ and h have no bounds.";
const NAMES = {
  source: "Here z near 1 takes the candidate.",
  pytorch:
    "Here z near 1 keeps the old state, as in the GRU of PyTorch and Keras. This z is 1 minus the z of the other setting, so the sum in its σ has the opposite sign. The state h stays the same.",
};

/** Describe the cursor's step. @param {State} state @returns {Phrase[]} */
function narrate(state) {
  const at = mixedAt(state);
  const candidate = { text: `the candidate comes from the input alone (h̃ = ${fixed(at.h_tilde)})`, term: "h_tilde" };
  return narrateMixed(state, at, "there is no old state to keep", "h_tilde" in at.replaced ? [] : [candidate]);
}

/** @type {Own} */
export const mingru = {
  narrate,
  tellLasting,
  equations: (state, worked) => mixedEquations(worked, mixedAt(state)),
  note: ({ convention }) => `${GATES} ${NAMES[convention]}`,
  scaledAs: { keep: "z", take: "z" },
  carried(state) {
    const { h_prev, z, h_tilde, h, keep, take } = mixedAt(state);
    return { h_prev, z, h_tilde, h, keep, take };
  },
  factorIn: () => "",
  leaveOut: (state, step) => closing(state, "z", step),
};
