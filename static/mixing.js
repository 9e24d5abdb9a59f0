/**
 * Numbers and descriptions of units with an update gate z, which mixes the old state with the candidate. All numbers except 1 − z come
 * from the core.
 */

/** @import { Worked } from "./reading.js" */
/** @import { Gate } from "./run.js" */
/** @import { State } from "./state.js" */
/** @import { Phrase } from "./words.js" */
import { isFirstRead, unitName, unitsAlong } from "./directions.js";
import { before, gateNumbers, putEquation, turned, unitAt } from "./reading.js";
import { clampAt, fixed } from "./run.js";
import { layerIndex, layerOf } from "./state.js";
import * as words from "./words.js";
import { LITTLE, MUCH, change, openness, part, tellDirection, tellRest, tellStep, whichUnits } from "./words.js";

/** Descriptions of units in words, by how open their update gate z is. @type {[words.Openness, string, string][]} */
const UNITS = [
  ["closed", "keeps its state", "keep their states"],
  ["open", "takes its candidate", "take their candidates"],
  ["partly open", "mixes state and candidate", "mix state and candidate"],
];

/** @typedef {ReturnType<typeof mixedAt>} Mixed */

/**
 * Return the numbers of a unit at the cursor's step. `z` and its sum follow the convention on screen. `keep` and `take` are the
 * factors of h_{t−1} and of h̃_t in both conventions. `half_life` is the number of steps after which half of the state would be left.
 * @param {State} state
 */
export function mixedAt(state, unit = state.unit) {
  const at = unitAt(state, unit, /** @type {const} */ (["z", "h_tilde", "h", "half_life"]));
  const h_prev = clampAt(state.run, "h_prev", layerIndex(state), unit, state.step)?.value ?? before(state, "h", unit);
  const [keep, take] = [1 - at.z, at.z];
  return { ...at, z: turned(state, "z") ? keep : take, h_prev, keep, take };
}

/**
 * Return whether the selected unit has an old state at the cursor's step. Return false at the first step that the unit reads, if all
 * units that read in this direction start from 0.
 * @param {State} state
 */
export function hasPast(state) {
  const { run, step, unit } = state;
  const layer = layerOf(state);
  if (!isFirstRead(run, layer, unit, step)) return true;
  return unitsAlong(layer, unit).some(
    (other) => (clampAt(run, "h_prev", layerIndex(state), other, step)?.value ?? layer.h0[other]) !== 0,
  );
}

/**
 * Describe the cursor's step: the effect of the update gate, then `clauses`, which only this cell has, then the result.
 * @param {State} state @param {Mixed} at
 * @param {string} none the clause that says that there is no old state @param {Phrase[]} clauses
 */
export function narrateMixed(state, at, none, clauses) {
  const past = hasPast(state);
  const result = { text: `then h ${change(at.h_prev, at.h, at.keep)}`, term: "h" };
  return [
    ...tellMixed(state, at, past, none),
    ...tellDirection(state),
    ...tellRest(state, at, [...clauses, result], tellRate(at, past)),
  ];
}

/**
 * Describe the effect of the update gate on the selected unit. If the layer has several units, the first sentence describes the
 * layer.
 * @param {State} state @param {Mixed} at @param {boolean} past whether there is an old state
 * @param {string} none the clause that says that there is no old state
 * @returns {Phrase[]}
 */
function tellMixed(state, at, past, none) {
  const z = layerOf(state).rows.z.map((row) => row[state.step - 1]);
  const alone = at.H === 1;
  const phrases = tellStep(at);
  if (!past) phrases.push({ text: none });
  else if (alone) {
    // In PyTorch's convention an open gate would keep the state, so the words “open” and “closed” are left out there.
    const place = turned(state, "z") ? `at z = ${fixed(at.z)}` : `${openness(at.z)} (z = ${fixed(at.z)})`;
    phrases.push({ text: "the update gate is " }, { text: place, term: "z" });
  } else phrases.push({ text: whichUnits(z, UNITS), term: "z" });
  phrases.push({ text: alone ? ": the unit " : `. Unit ${unitName(layerOf(state), at.unit)} ` }, ...mixture(at, past));
  phrases.push({ text: past && alone ? "." : ` (z = ${fixed(at.z)}).` });
  return phrases;
}

/** Describe how long a unit with a nearly closed update gate keeps its state; "" for other units. @param {Mixed} at @param {boolean} past */
function tellRate({ z, take, half_life }, past) {
  return past && take > 0 && take < LITTLE ? words.tellLasting("z", z, take, half_life, "its state") : "";
}

/** Describe the shares of the old state and of the candidate. @param {Mixed} at @param {boolean} past @returns {Phrase[]} */
function mixture({ keep, take }, past) {
  const [old, candidate] = [
    { text: "its state", term: "h_prev" },
    { text: "its candidate", term: "h_tilde" },
  ];
  const share = (/** @type {string} */ text) => ({ text, term: "z" });
  if (take > MUCH || !past) return [share(`takes ${part(take, keep)}`), { text: " of " }, candidate];
  if (take < LITTLE) return [share(`keeps ${part(keep, take)}`), { text: " of " }, old];
  return [
    share(`mixes ${part(keep)}`),
    { text: " of " },
    old,
    share(` with ${part(take)}`),
    { text: " of " },
    candidate,
  ];
}

/** Describe how long the selected unit would keep its state if z kept its value. @param {State} state */
export function tellLasting(state) {
  const { half_life, z, take } = mixedAt(state);
  return words.tellLasting("z", z, take, half_life, "this state");
}

/**
 * Return the numbers of the gates' equations and of h = (1 − z) ⊙ h_{t−1} + z ⊙ h̃.
 * @param {Worked} worked @param {Mixed & Record<Gate, any>} at
 */
export function mixedEquations(worked, at) {
  const { keep, take, h_prev, h_tilde, h: value } = at;
  const numbers = gateNumbers(worked, at);
  putEquation(numbers, worked, "h", { keep, take, h_prev, h_tilde, value });
  return numbers;
}
