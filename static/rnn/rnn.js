/** What a plain RNN has of its own on the page. Its figure and its equation are drawn in templates/rnn/. */

/** @import { Own } from "../own.js" */
/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
import { fixed } from "../run.js";
import { layerIndex, layerOf } from "../state.js";
import { change, tellRest, tellStep } from "../words.js";
import { before } from "../reading.js";
import { equations, reading } from "./reading.js";

/** The cursor's unit in words. @param {State} state @returns {Phrase[]} */
function narrate(state) {
  const at = reading(state);
  const { Wx, Uh, b, a } = at.sums.h;
  const past = state.step > 1 || layerOf(state).h0.some((value) => value !== 0);
  const said = tellStep(at);
  said.push({ text: at.H === 1 ? "the unit computes " : `unit ${at.unit + 1} computes ` });
  said.push({ text: `tanh(${fixed(a)})`, about: "h.a" }, { text: ": the sum is " });
  said.push({ text: `${fixed(Wx)} from the input`, about: "h.Wx" });
  if (past) said.push({ text: ", " }, { text: `${fixed(Uh)} from the old state`, about: "h.Uh" });
  said.push({ text: ` and ${fixed(b)} from the bias${past ? "" : ", with no old state yet"}.` });
  const changed = { text: `then h ${change(at.h_prev, at.h)}`, about: "h" };
  return [...said, ...tellRest(state, { replaced: at.replaced, value: () => at.h, symbols: { h: "h" } }, [changed])];
}

/** @type {Own} */
export const rnn = {
  narrate,
  tellLasting: () => "",
  equations,
  note: () => "At every timestep the whole old state goes through U and tanh. No part of it is simply carried over.",
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
  factorIn: () => "",
  leaveOut(state, step) {
    const [layer, { H }] = [layerIndex(state) + 1, layerOf(state)];
    const there = { ...state, step };
    const clamps = Array.from({ length: H }, (_, unit) => {
      const value = Number(before(there, "h", unit).toFixed(6));
      return { gate: "h", units: [unit + 1], from: step, to: step, value, layer };
    });
    return { clamps, said: `${H === 1 ? "h" : "h of every unit"} at its previous value` };
  },
};
