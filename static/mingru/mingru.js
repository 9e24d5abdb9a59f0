/** What a minimal GRU has of its own on the page. Its figure and its equations are drawn in templates/mingru/. */

/** @import { Own } from "../own.js" */
/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
import { tellMixed, tellRate } from "../mixing.js";
import { closing, ofAllUnits } from "../reading.js";
import { fixed } from "../run.js";
import { layerOf } from "../state.js";
import * as words from "../words.js";
import { equations, reading } from "./reading.js";

const SYMBOLS = { z: "z", h_tilde: "h̃", h_prev: "the old state" };
const GATES = "This is a minimal GRU (minGRU). Its gate z and its candidate h̃ do not read the old state. The candidate has no tanh, so h̃ and h have no bounds.";
const NAMES = {
  source: "Here z near 1 takes the candidate.",
  pytorch: "Here z near 1 keeps the old state, as in the GRU of PyTorch and Keras. This z is 1 minus the z of the other setting. Its sum has the opposite sign. The state h stays the same.", // prettier-ignore
};

/** The cursor's step in words. @param {State} state @returns {Phrase[]} */
function narrate(state) {
  const at = reading(state);
  const past = state.step > 1 || layerOf(state).rows.z.some((_, unit) => reading(state, unit).h_prev !== 0);
  const value = (/** @type {string} */ name) => at[/** @type {keyof typeof SYMBOLS} */ (name)];
  const candidate = { text: `the candidate comes from the input alone (h̃ = ${fixed(at.h_tilde)})`, about: "h_tilde" };
  const clauses = [
    ...("h_tilde" in at.replaced ? [] : [candidate]),
    { text: `then h ${words.change(at.h_prev, at.h)}`, about: "h" },
  ];
  const rest = words.tellRest(state, { replaced: at.replaced, value, symbols: SYMBOLS }, clauses, tellRate(at, past));
  return [...tellMixed(state, at, past, "there is no old state to keep"), ...rest];
}

/** The cursor's unit in its figure. @param {State} state @returns {Record<string, number>} */
function carried(state) {
  const { h_prev, z, h_tilde, h, keep, take } = reading(state);
  return { h_prev, z, h_tilde, h, keep, take };
}

/** @type {Own} */
export const mingru = {
  narrate,
  tellLasting(state) {
    const { half_life, z } = reading(state);
    return words.tellLasting("z", z, half_life, "this state");
  },
  equations,
  note: ({ convention }) => `${GATES} ${NAMES[convention]}`,
  scaledAs: { keep: "z", take: "z" },
  carried,
  strips: (state) => ofAllUnits(state, carried),
  factorIn: () => "",
  leaveOut: (state, step) => closing(state, "z", step),
};
