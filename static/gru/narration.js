/**
 * A step of a GRU in words: what each gate does, and the result. The direction of z changes its value and whether it is
 * called open or closed, and nothing else.
 */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading } from "./reading.js" */
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import * as words from "../words.js";
import { LITTLE, MUCH, change, openness, part, tellRest, tellStep } from "../words.js";
import { reading } from "./reading.js";

const SYMBOLS = { r: "r", z: "z", h_tilde: "h̃", h_prev: "the old state" };

/**
 * What the gates do with the cursor's unit and what comes of it, after a sentence about the layer if it has several units.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const z = layerOf(state).rows.z.map((row) => row[state.step - 1]);
  const alone = at.H === 1;
  const past = state.step > 1 || z.some((_, unit) => reading(state, unit).h_prev !== 0);
  const said = tellStep(at);
  if (!past) said.push({ text: "there is no old state to keep or reset" });
  else if (alone) said.push({ text: "the update gate is " }, { text: `${openness(at.z)} (z = ${fixed(at.z)})`, about: "z" });
  else said.push({ text: groups(z), about: "z" });
  said.push({ text: alone ? ": the unit " : `. Unit ${at.unit + 1} ` }, ...mixture(at, past));
  said.push({ text: past && alone ? "." : ` (z = ${fixed(at.z)}).` });

  const keeps = past && at.take > 0 && at.take < LITTLE;
  const half = `half of its state would be left after ${words.lasting(at.half_life)}`;
  const rate = { text: `If z stayed at ${fixed(at.z)}, ${half}`, about: "z" };
  const resets = past && at.matters >= LITTLE ? [{ text: seen(at), about: "r" }] : [];
  const clauses = [...resets, { text: `then h ${change(at.h_prev, at.h)}`, about: "h" }];
  const value = (/** @type {string} */ name) => at[/** @type {keyof typeof SYMBOLS} */ (name)];
  return [...said, ...tellRest(state, { replaced: at.replaced, value, symbols: SYMBOLS }, clauses, keeps ? [rate] : [])];
}

/** The shares of the old state and of the candidate. @param {Reading} at @param {boolean} past whether there is an old state @returns {Phrase[]} */
function mixture({ keep, take }, past) {
  const [old, candidate] = [
    { text: "its state", about: "h_prev" },
    { text: "its candidate", about: "h_tilde" },
  ];
  const share = (/** @type {string} */ text) => ({ text, about: "z" });
  if (take > MUCH || !past) return [share(`takes ${part(take, keep)}`), { text: " of " }, candidate];
  if (take < LITTLE) return [share(`keeps ${part(keep, take)}`), { text: " of " }, old];
  return [share(`mixes ${part(keep)}`), { text: " of " }, old, share(` with ${part(take)}`), { text: " of " }, candidate];
}

/** Which units keep their states, take their candidates, or mix the two. @param {number[]} z of every unit */
function groups(z) {
  const units = z.map((_, unit) => unit);
  const mixed = units.filter((unit) => z[unit] >= LITTLE && z[unit] <= MUCH);
  const parts = [
    words.whichUnits(units.filter((unit) => z[unit] < LITTLE), z.length, "keeps its state", "keep their states"),
    words.whichUnits(units.filter((unit) => z[unit] > MUCH), z.length, "takes its candidate", "take their candidates"),
    words.whichUnits(mixed, z.length, "mixes state and candidate", "mix state and candidate"),
  ].filter(Boolean); // prettier-ignore
  return words.joined(parts);
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
