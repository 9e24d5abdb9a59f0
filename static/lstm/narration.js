/** A step of an LSTM in words: what the units do with their cell state, and what they show of it. */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading, Signal } from "./reading.js" */
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import { briefly, change, joined, lasting, percent, tellHeld, tellRest, whichUnits } from "../words.js";
import { reading } from "./reading.js";

const LITTLE = 0.2; // a gate below this is nearly shut
const MUCH = 0.8; // and above this nearly open
const SYMBOLS = { i: "i", f: "f", o: "o", c_tilde: "c̃", c: "c", h: "h" };

/**
 * One or two sentences about the cursor.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const f = layerOf(state).rows.f.map((row) => row[state.step - 1]);
  /** @type {Phrase[]} */
  const said = [{ text: `At t = ${at.t} (input ` }, { text: at.x, about: "x" }, { text: ") " }];
  if (at.H === 1) said.push({ text: "the unit " });
  else said.push({ text: `${groups(f)}. `, about: "f" }, { text: `Unit ${at.unit + 1} ` });
  said.push(...mixture(at));
  for (const [name, was] of Object.entries(at.replaced))
    said.push(...tellHeld(SYMBOLS[/** @type {Signal} */ (name)], name, at[/** @type {Signal} */ (name)], was));
  said.push({ text: ": c " }, { text: change(at.c_prev, at.c), about: "c" }, { text: ". " });
  said.push({ text: `It ${showing(at.o)} of it (o = ${fixed(at.o)})`, about: "o" }, { text: ". " });
  said.push(...tellRest(state, at));
  return said;
}

/** What a unit makes of its old cell state and its candidate. @param {Reading} at @returns {Phrase[]} */
function mixture({ f, i, half_life }) {
  const lasts = f > MUCH && f < 1 ? `, a half-life of ${lasting(half_life)}` : "";
  return [
    { text: `keeps ${percent(f)}`, about: "f" },
    { text: " of " },
    { text: "its cell state", about: "c_prev" },
    { text: ` (f = ${fixed(f)}${lasts})`, about: "f" },
    { text: " and " },
    { text: `adds ${i === 0 ? "nothing" : percent(i)}`, about: "i" },
    { text: " of " },
    { text: "its candidate", about: "c_tilde" },
    { text: ` (i = ${fixed(i)})`, about: "i" },
  ];
}

/** @param {number} o */
const showing = (o) => `${o < LITTLE ? "hides all but" : "shows"} ${percent(o)}`;

/** Who keeps and who forgets. @param {number[]} f of every unit */
function groups(f) {
  const units = f.map((_, unit) => unit);
  const parts = [
    whichUnits(units.filter((unit) => f[unit] > MUCH), f.length, "keeps its cell state", "keep their cell states"),
    whichUnits(units.filter((unit) => f[unit] < LITTLE), f.length, "forgets its own", "forget theirs"),
    whichUnits(units.filter((unit) => f[unit] >= LITTLE && f[unit] <= MUCH), f.length, "keeps a part of it", "keep a part of it"),
  ].filter(Boolean); // prettier-ignore
  return joined(parts);
}

/** How long the cursor's unit would keep its cell state, were f to stay as it is. @param {State} state */
export function tellLasting(state) {
  const { half_life, f } = reading(state);
  const lasts = half_life < 1 ? "within a step" : `after ${briefly(half_life)} steps`;
  const kept = half_life === Infinity ? "all of c would be kept" : `half of c would be gone ${lasts}`;
  return `Were f to stay at this step’s ${fixed(f)}, ${kept}.`;
}
