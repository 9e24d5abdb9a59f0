/** A step of an LSTM in words: what each gate does with the cell state, and the result. */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading, Signal } from "./reading.js" */
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import * as words from "../words.js";
import { LITTLE, MUCH, change, openness, part, tellRest, tellStep } from "../words.js";
import { reading } from "./reading.js";

const SYMBOLS = { i: "i", f: "f", o: "o", c_tilde: "c̃", c: "c", h: "h" };

/**
 * What the gates do with the cursor's unit and what comes of it, after a sentence about the layer if it has several units.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const f = layerOf(state).rows.f.map((row) => row[state.step - 1]);
  const alone = at.H === 1;
  const past = state.step > 1 || f.some((_, unit) => reading(state, unit).c_prev !== 0);
  const said = tellStep(at);
  if (!past) said.push({ text: "there is no cell state to keep yet" });
  else if (alone) said.push({ text: "the forget gate is " }, { text: openness(at.f), about: "f" });
  else said.push({ text: groups(f), about: "f" });
  said.push({ text: alone ? ": the unit " : `. Unit ${at.unit + 1} ` });
  if (past) said.push(...kept(at));
  said.push({ text: `adds ${part(at.i)}`, about: "i" }, { text: " of " }, { text: "its candidate", about: "c_tilde" });
  said.push({ text: ` (i = ${fixed(at.i)}).` });
  const value = (/** @type {string} */ name) => at[/** @type {Signal} */ (name)];
  return [
    ...said,
    ...tellRest(state, { replaced: at.replaced, value, symbols: SYMBOLS }, [
      { text: `then c ${change(at.c_prev, at.c)}`, about: "c" },
      { text: `the output gate passes on ${part(at.o)} of tanh(c) (o = ${fixed(at.o)})`, about: "o" },
      { text: `then h ${change(at.h_prev, at.h)}`, about: "h" },
    ]),
  ];
}

/** How much of the old cell state stays. @param {Reading} at @returns {Phrase[]} */
const kept = ({ f }) => [
  { text: `keeps ${part(f)}`, about: "f" },
  { text: " of " },
  { text: "its cell state", about: "c_prev" },
  { text: ` (f = ${fixed(f)}) and ` },
];

/** Which units keep their cell states, and which forget them. @param {number[]} f of every unit */
function groups(f) {
  const units = f.map((_, unit) => unit);
  const partly = units.filter((unit) => f[unit] >= LITTLE && f[unit] <= MUCH);
  const parts = [
    words.whichUnits(units.filter((unit) => f[unit] > MUCH), f.length, "keeps its cell state", "keep their cell states"),
    words.whichUnits(units.filter((unit) => f[unit] < LITTLE), f.length, "forgets its cell state", "forget their cell states"),
    words.whichUnits(partly, f.length, "keeps a part of its cell state", "keep a part of their cell states"),
  ].filter(Boolean); // prettier-ignore
  return words.joined(parts);
}

/** How long the cursor's unit would keep its cell state if f stayed as it is. @param {State} state */
export function tellLasting(state) {
  const { half_life, f } = reading(state);
  return words.tellLasting("f", f, half_life, "c");
}
