/** What a plain RNN has of its own on the page. Its figure and its equation are drawn in templates/rnn/. */

/** @import { Own } from "../own.js" */
/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
import { fixed } from "../run.js";
import { layerIndex, layerOf } from "../state.js";
import { tellHeld, tellRest } from "../words.js";
import { before } from "../reading.js";
import { FUNCTIONS, equations, reading } from "./reading.js";

/** One or two sentences about the cursor. @param {State} state @returns {Phrase[]} */
function narrate(state) {
  const at = reading(state);
  const { Wx, Uh, a } = at.sums.h;
  /** @type {Phrase[]} */
  const said = [{ text: `At t = ${at.t} (input ` }, { text: at.x, about: "x" }, { text: ") " }];
  said.push({ text: at.H === 1 ? "the unit makes its state anew: " : `unit ${at.unit + 1} makes its state anew: ` });
  said.push({ text: `the input adds ${fixed(Wx)}`, about: "h.Wx" }, { text: ", " });
  said.push({ text: `the old state ${fixed(Uh)}`, about: "h.Uh" }, { text: `; tanh of their sum with the bias, ` });
  said.push({ text: fixed(a), about: "h.a" }, { text: ", is the new one" });
  if (at.replaced.h !== undefined) said.push(...tellHeld("h", "h", at.h, at.replaced.h));
  said.push({ text: ". " }, ...tellRest(state, at));
  return said;
}

/** @type {Own} */
export const rnn = {
  narrate,
  tellLasting: () => "",
  functions: FUNCTIONS,
  equations,
  note: () => "All of the old state goes through U and tanh at every step: nothing of it passes over by itself.",
  scaledAs: {},
  carried(state) {
    const { h, h_prev, sums } = reading(state);
    return { h, h_prev, "a.h": sums.h.a };
  },
  strips(state) {
    const { H, rows } = layerOf(state);
    const units = Array.from({ length: H }, (_, unit) => unit);
    const [h_prev, h] = [units.map((unit) => before(state, "h", unit)), rows.h.map((row) => row[state.step - 1])];
    return { h_prev, h, "a.h": h };
  },
  seenBy: () => ({ name: "", share: 1 }),
  leaveOut(state, step) {
    const [layer, { H }] = [layerIndex(state) + 1, layerOf(state)];
    const there = { ...state, step };
    const clamps = Array.from({ length: H }, (_, unit) => {
      const value = Number(before(there, "h", unit).toFixed(6));
      return { gate: "h", units: [unit + 1], from: step, to: step, value, layer };
    });
    return { clamps, said: `${H === 1 ? "h" : "every unit’s h"} held at what it was before` };
  },
};
