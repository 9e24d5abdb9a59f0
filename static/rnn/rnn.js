/** The parts of the page that only a plain RNN needs. The RNN's figure and equation are in templates/rnn/. */

/** @import { Own } from "../own.js" */
/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
import { isFirstRead, unitName, unitsAlong } from "../directions.js";
import { fixed } from "../run.js";
import { layerIndex, layerOf } from "../state.js";
import { before, gateNumbers, ofAllUnits, unitAt } from "../reading.js";
import { change, tellDirection, tellRest, tellStep } from "../words.js";

/** Return the numbers of a unit at the cursor's step. @param {State} state */
const reading = (state, unit = state.unit) => ({ ...unitAt(state, unit, ["h"]), h_prev: before(state, "h", unit) });

/** Describe the cursor's step. @param {State} state @returns {Phrase[]} */
function narrate(state) {
  const at = reading(state);
  const { Wx, Uh, b, a } = at.sums.h;
  const layer = layerOf(state);
  const isFirst = isFirstRead(state.run, layer, at.unit, state.step);
  const past = !isFirst || unitsAlong(layer, at.unit).some((unit) => layer.h0[unit] !== 0);
  const phrases = tellStep(at);
  phrases.push({ text: at.H === 1 ? "the unit computes " : `unit ${unitName(layer, at.unit)} computes ` });
  phrases.push({ text: `tanh(${fixed(a)})`, term: "h.a" }, { text: ": the sum is " });
  phrases.push({ text: `${fixed(Wx)} from the input`, term: "h.Wx" });
  if (past) phrases.push({ text: ", " }, { text: `${fixed(Uh)} from the old state`, term: "h.Uh" });
  phrases.push({ text: ` and ${fixed(b)} from the bias${past ? "" : ", with no old state yet"}.` });
  const changed = { text: `then h ${change(at.h_prev, at.h, 0)}`, term: "h" };
  return [...phrases, ...tellDirection(state), ...tellRest(state, at, [changed])];
}

/** Return the numbers of the selected unit in the RNN's figure. @param {State} state */
function carried(state) {
  const { h, h_prev, sums } = reading(state);
  return { h, h_prev, "a.h": sums.h.a };
}

/** @type {Own} */
export const rnn = {
  narrate,
  tellLasting: () => "",
  equations: (state, worked) => gateNumbers(worked, reading(state)),
  note: () => "At every timestep the whole old state goes through U and tanh. No part of it is simply carried over.",
  scaledAs: {},
  carried,
  strips(state) {
    const { h_prev, h } = ofAllUnits(state, carried);
    return { h_prev, h, "a.h": h }; // the sum a has no bounds, so its strip shows h = tanh(a)
  },
  factorIn: () => "",
  leaveOut(state, step) {
    const [layer, { H }] = [layerIndex(state) + 1, layerOf(state)];
    const clamps = Array.from({ length: H }, (_, unit) => {
      const value = Number(before({ ...state, step }, "h", unit).toFixed(6));
      return { gate: "h", units: [unit + 1], from: step, to: step, value, layer };
    });
    return { clamps, text: `${H === 1 ? "h" : "h of every unit"} at its previous value` };
  },
};
