/**
 * Describe a step of a GRU in words: the effect of each gate, and the result. The convention for z changes only the value of z in the
 * text, and whether the text calls z open or closed.
 */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading } from "./reading.js" */
import { unitName } from "../directions.js";
import { hasPast, narrateMixed } from "../mixing.js";
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import { LITTLE, part } from "../words.js";
import { reading } from "./reading.js";

/**
 * Describe the effect of the gates on the selected unit, and the result. If the layer has several units, the first sentence
 * describes the layer.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const resets = hasPast(state) && at.matters >= LITTLE ? [{ text: seen(state, at), term: "r" }] : [];
  return narrateMixed(state, at, "there is no old state to keep or reset", resets);
}

/** Describe how much of the old state the candidate sees through the reset gate. @param {State} state @param {Reading} at */
function seen(state, { r, reset, H, unit }) {
  // If r is applied before the product, r_i scales the old state of unit i in every candidate. If r is applied after the product, r_i
  // scales all old states in the candidate of unit i.
  const [who, what] =
    H === 1
      ? ["the candidate sees", "the old state"]
      : reset === "before"
        ? ["the candidates see", `the old state of unit ${unitName(layerOf(state), unit)}`]
        : ["its candidate sees", "the old states"];
  return `${who} ${part(r)} of ${what} (r = ${fixed(r)})`;
}
