/** What a cell does whose update gate z mixes the old state with the candidate: in words, and the numbers of that equation. */

/** @import { Numbers, Place, Worked } from "./reading.js" */
/** @import { State } from "./state.js" */
/** @import { Phrase } from "./words.js" */
import { putEquation } from "./reading.js";
import { fixed } from "./run.js";
import { layerOf } from "./state.js";
import { LITTLE, MUCH, joined, lasting, openness, part, tellStep, whichUnits } from "./words.js";

/**
 * One step of one unit. `z` is as the convention names it; `keep` and `take` are the factors of h_{t−1} and of h̃_t in
 * either convention. `half_life`: the steps after which half of the state would be gone.
 * @typedef {Place & {z: number, keep: number, take: number, h_prev: number, h_tilde: number, h: number, half_life: number}} Mixed
 */

/**
 * What the update gate does with the cursor's unit, after a sentence about the layer if it has several units.
 * @param {State} state @param {Mixed} at @param {boolean} past whether there is an old state
 * @param {string} none said where there is none
 * @returns {Phrase[]}
 */
export function tellMixed(state, at, past, none) {
  const z = layerOf(state).rows.z.map((row) => row[state.step - 1]);
  const alone = at.H === 1;
  const said = tellStep(at);
  if (!past) said.push({ text: none });
  else if (alone) said.push({ text: "the update gate is " }, { text: `${openness(at.z)} (z = ${fixed(at.z)})`, about: "z" });
  else said.push({ text: groups(z), about: "z" });
  said.push({ text: alone ? ": the unit " : `. Unit ${at.unit + 1} ` }, ...mixture(at, past));
  said.push({ text: past && alone ? "." : ` (z = ${fixed(at.z)}).` });
  return said;
}

/** How long a unit that keeps its state would keep it. @param {Mixed} at @param {boolean} past @returns {Phrase[]} */
export function tellRate({ z, take, half_life }, past) {
  if (!past || take <= 0 || take >= LITTLE) return [];
  return [{ text: `If z stayed at ${fixed(z)}, half of its state would be left after ${lasting(half_life)}`, about: "z" }];
}

/** The shares of the old state and of the candidate. @param {Mixed} at @param {boolean} past @returns {Phrase[]} */
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
    whichUnits(units.filter((unit) => z[unit] < LITTLE), z.length, "keeps its state", "keep their states"),
    whichUnits(units.filter((unit) => z[unit] > MUCH), z.length, "takes its candidate", "take their candidates"),
    whichUnits(mixed, z.length, "mixes state and candidate", "mix state and candidate"),
  ].filter(Boolean); // prettier-ignore
  return joined(parts);
}

/** Put the numbers of h = (1 − z) ⊙ h_{t−1} + z ⊙ h̃ into their slots. @param {Numbers} numbers @param {Worked} worked @param {Mixed} at */
export function putMixed(numbers, worked, { keep, take, h_prev, h_tilde, h }) {
  putEquation(numbers, worked, "h", { keep, take, h_prev, h_tilde, value: h });
}
