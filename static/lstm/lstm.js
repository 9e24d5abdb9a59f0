/** The parts of the page that only an LSTM needs. The LSTM's figure and equations are in templates/lstm/. */

/** @import { Own } from "../own.js" */
import { closing } from "../reading.js";
import { narrate, tellLasting } from "./narration.js";
import { equations, reading } from "./reading.js";

/** @type {Own} */
export const lstm = {
  narrate,
  tellLasting,
  equations,
  note: () =>
    "f keeps the old cell state and i adds the candidate. They are separate gates and do not need to sum to 1, so c has no bounds. A GRU uses one gate for both: 1 − z keeps and z adds.",
  scaledAs: { i: "i", f: "f", o: "o", c_tilde: "c_tilde", c: "c", c_prev: "c", kept: "c", taken: "c" },
  carried(state) {
    const { i, f, o, c_tilde, c, h, h_prev, c_prev } = reading(state);
    return { i, f, o, c_tilde, c, h, h_prev, c_prev };
  },
  factorIn: () => "",
  leaveOut: (state, step) => closing(state, "i", step),
};
