/**
 * A step of a GRU in words: what each gate does, and the result. The direction of z changes its value and whether it is
 * called open or closed, and nothing else.
 */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading } from "./reading.js" */
import { tellMixed, tellRate } from "../mixing.js";
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import * as words from "../words.js";
import { LITTLE, change, part, tellRest } from "../words.js";
import { reading } from "./reading.js";

const SYMBOLS = { r: "r", z: "z", h_tilde: "h̃", h_prev: "the old state" };

/**
 * What the gates do with the cursor's unit and what comes of it, after a sentence about the layer if it has several units.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const past = state.step > 1 || layerOf(state).rows.z.some((_, unit) => reading(state, unit).h_prev !== 0);
  const resets = past && at.matters >= LITTLE ? [{ text: seen(at), about: "r" }] : [];
  const clauses = [...resets, { text: `then h ${change(at.h_prev, at.h)}`, about: "h" }];
  const value = (/** @type {string} */ name) => at[/** @type {keyof typeof SYMBOLS} */ (name)];
  const rest = tellRest(state, { replaced: at.replaced, value, symbols: SYMBOLS }, clauses, tellRate(at, past));
  return [...tellMixed(state, at, past, "there is no old state to keep or reset"), ...rest];
}

/** How much of the past the reset gate lets the candidate see. @param {Reading} at */
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

/** How long the cursor's unit would keep its state if z stayed as it is. @param {State} state */
export function tellLasting(state) {
  const { half_life, z } = reading(state);
  return words.tellLasting("z", z, half_life, "this state");
}
