/** Describe a step of an LSTM in words: the effect of each gate on the cell state, and the result. */

/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
/** @import { Reading } from "./reading.js" */
import { isFirstRead, unitName, unitsAlong } from "../directions.js";
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import * as words from "../words.js";
import { change, openness, part, tellDirection, tellRest, tellStep, whichUnits } from "../words.js";
import { reading } from "./reading.js";

/** Descriptions of units in words, by how open their forget gate f is. @type {[words.Openness, string, string][]} */
const UNITS = [
  ["open", "keeps its cell state", "keep their cell states"],
  ["closed", "forgets its cell state", "forget their cell states"],
  ["partly open", "keeps a part of its cell state", "keep a part of their cell states"],
];

/**
 * Describe the effect of the gates on the selected unit, and the result. If the layer has several units, the first sentence
 * describes the layer.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const layer = layerOf(state);
  const f = layer.rows.f.map((row) => row[state.step - 1]);
  const alone = at.H === 1;
  const isFirst = isFirstRead(state.run, layer, at.unit, state.step);
  const past = !isFirst || unitsAlong(layer, at.unit).some((unit) => reading(state, unit).c_prev !== 0);
  const phrases = tellStep(at);
  if (!past) phrases.push({ text: "there is no cell state to keep yet" });
  else if (alone) phrases.push({ text: "the forget gate is " }, { text: openness(at.f), term: "f" });
  else phrases.push({ text: whichUnits(f, UNITS), term: "f" });
  phrases.push({ text: alone ? ": the unit " : `. Unit ${unitName(layer, at.unit)} ` });
  if (past) phrases.push(...share(at));
  phrases.push({ text: `adds ${part(at.i)}`, term: "i" }, { text: " of " }, { text: "its candidate", term: "c_tilde" });
  phrases.push({ text: ` (i = ${fixed(at.i)}).` });
  return [
    ...phrases,
    ...tellDirection(state),
    ...tellRest(state, at, [
      { text: `then c ${change(at.c_prev, at.c, at.f)}`, term: "c" },
      { text: `the output gate passes on ${part(at.o)} of tanh(c) (o = ${fixed(at.o)})`, term: "o" },
      { text: `then h ${change(at.h_prev, at.h, 0)}`, term: "h" },
    ]),
  ];
}

/** Describe the share of the old cell state that the forget gate keeps. @param {Reading} at @returns {Phrase[]} */
const share = ({ f }) => [
  { text: `keeps ${part(f)}`, term: "f" },
  { text: " of " },
  { text: "its cell state", term: "c_prev" },
  { text: ` (f = ${fixed(f)}) and ` },
];

/** Describe how long the selected unit would keep its cell state if f kept its value. @param {State} state */
export function tellLasting(state) {
  const { half_life, f } = reading(state);
  return words.tellLasting("f", f, 1 - f, half_life, "c");
}
