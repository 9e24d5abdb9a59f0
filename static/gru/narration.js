/**
 * A step of a GRU in words: what the units do with their state, whether the reset gate matters, and what comes of it.
 * Which way z is named changes the number in brackets and nothing else that is said.
 */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Held, Reading } from "./reading.js" */
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import { briefly, joined, lasting, percent, tellHeld, tellRest, whichUnits } from "../words.js";
import { reading } from "./reading.js";

const KEEPS = 0.2; // below this a unit keeps its state
const TAKES = 0.8; // above this it takes its candidate
const HELD = { r: "r", z: "z", h_tilde: "h̃", h_prev: "the state that it sees" };

/**
 * One or two sentences about the cursor.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const z = layerOf(state).rows.z.map((row) => row[state.step - 1]);
  const matters = at.matters >= KEEPS;
  const alone = at.H === 1;
  /** @type {Phrase[]} */
  const said = [{ text: `At t = ${at.t} (input ` }, { text: at.x, about: "x" }, { text: ") " }];
  if (alone) said.push({ text: "the unit " });
  else said.push({ text: `${groups(z)}. `, about: "z" }, { text: `Unit ${at.unit + 1} ` });
  said.push(...mixture(at), { text: ` (z = ${fixed(at.z)})` });
  for (const [name, was] of Object.entries(at.replaced))
    said.push(...tellHeld(HELD[/** @type {Held} */ (name)], name, at[/** @type {Held} */ (name)], was));
  said.push({ text: matters ? "; " : ", so " });
  said.push({ text: matters ? past(at) : "what r does to the candidate does not matter here", about: "r" });
  said.push({ text: ". " }, ...tellRest(state, at));
  return said;
}

/** What a unit makes of its old state and its candidate. @param {Reading} at @returns {Phrase[]} */
function mixture({ keep, take, half_life }) {
  const [old, candidate] = [
    { text: "its state", about: "h_prev" },
    { text: "its candidate", about: "h_tilde" },
  ];
  const share = (/** @type {string} */ text) => ({ text, about: "z" });
  if (take > TAKES) return [share(`takes ${percent(take)}`), { text: " of " }, candidate];
  if (take === 0) return [share("keeps all"), { text: " of " }, old];
  if (take < KEEPS)
    return [
      share(`keeps ${percent(keep, take)}`),
      { text: " of " },
      old,
      share(`, a half-life of ${lasting(half_life)}`),
    ];
  return [share(`mixes ${percent(keep)}`), { text: " of " }, old, share(` with ${percent(take)}`), { text: " of " }, candidate]; // prettier-ignore
}

/** Who keeps, who takes and who mixes. @param {number[]} z of every unit */
function groups(z) {
  const units = z.map((_, unit) => unit);
  const parts = [
    whichUnits(units.filter((unit) => z[unit] < KEEPS), z.length, "keeps its state", "keep their states"),
    whichUnits(units.filter((unit) => z[unit] > TAKES), z.length, "takes its candidate", "take their candidates"),
    whichUnits(units.filter((unit) => z[unit] >= KEEPS && z[unit] <= TAKES), z.length, "mixes the two", "mix the two"),
  ].filter(Boolean); // prettier-ignore
  return joined(parts);
}

/** What the reset gate lets the candidate see. @param {Reading} at */
function past({ r, reset, H }) {
  const how = r < KEEPS ? "hides" : r > TAKES ? "shows" : "dims";
  // Before the product r_i dims unit i for every candidate; after it, r_i dims the past for unit i's own candidate.
  const [what, from, to] =
    reset === "before"
      ? ["its state", H === 1 ? "from the candidate" : "from the candidates", H === 1 ? "the candidate" : "the candidates"]
      : ["the past", "from its candidate", "its candidate"]; // prettier-ignore
  const whom = { hides: `${what} ${from}`, shows: `${to} ${what}`, dims: `${what} for ${to}` }[how];
  return `r = ${fixed(r)} ${how} ${whom}`;
}

/** How long the cursor's unit would keep its state, were z to stay as it is. @param {State} state */
export function tellLasting(state) {
  const { half_life, z } = reading(state);
  const lasts = half_life < 1 ? "within a step" : `after ${briefly(half_life)} steps`;
  const kept = half_life === Infinity ? "all of it would be kept" : `half of it would be gone ${lasts}`;
  return `Were z to stay at this step’s ${fixed(z)}, ${kept}.`;
}
