/**
 * A step of a GRU in words: what each gate does, and the result. The direction of z changes its value and whether it is
 * called open or closed, and nothing else.
 */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading } from "./reading.js" */
import { hasPast, narrateMixed } from "../mixing.js";
import { fixed } from "../run.js";
import { LITTLE, part } from "../words.js";
import { reading } from "./reading.js";

/**
 * Describe what the gates do with the cursor's unit, and the result, after a sentence about the layer if it has several units.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const resets = hasPast(state) && at.matters >= LITTLE ? [{ text: seen(at), about: "r" }] : [];
  return narrateMixed(state, at, "there is no old state to keep or reset", resets);
}

/** Describe how much of the past the reset gate lets the candidate see. @param {Reading} at */
function seen({ r, reset, H, unit }) {
  // Before the product r_i scales unit i for every candidate; after it, r_i scales all states for unit i's own candidate.
  const [who, what] =
    H === 1
      ? ["the candidate sees", "the old state"]
      : reset === "before"
        ? ["the candidates see", `unit ${unit + 1}’s old state`]
        : ["its candidate sees", "the old states"];
  return `${who} ${part(r)} of ${what} (r = ${fixed(r)})`;
}
