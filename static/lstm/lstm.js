/** What an LSTM has of its own on the page. Its figure and its equations are drawn in templates/lstm/. */

/** @import { Own } from "../own.js" */
import { closing } from "../reading.js";
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
  leaveOut: (state, step) => closing(state, "i", step),
};
