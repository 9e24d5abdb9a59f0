/** What views of every cell read off the state: rows as they are shown, and the answers about the cursor. */

/** @import { Rows, Signal } from "./run.js" */
/** @import { State } from "./state.js" */
import { fixed } from "./run.js";
import { detailAt, layerIndex, layerOf } from "./state.js";

/**
 * Whether a signal is shown as 1 minus the core's. That is z when it is named as in PyTorch and Keras; its sum is then
 * shown negated, since 1 − σ(a) = σ(−a).
 * @param {State} state @param {string} name
 */
export const turned = ({ convention }, name) => convention === "pytorch" && name === "z";

/** The rows of a signal as the convention names it. @param {State} state @param {Signal} signal @returns {Rows} */
export function rowsOf(state, signal) {
  const rows = layerOf(state).rows[signal];
  return turned(state, signal) ? rows.map((row) => row.map((value) => 1 - value)) : rows;
}

/**
 * What a picture shows of a signal: its values, or how they differ from the untouched run's.
 * @param {State} state @param {Signal} signal @returns {Rows}
 */
export function shownRows(state, signal) {
  const gaps = state.difference && layerOf(state).rows[`delta.${signal}`];
  if (!gaps) return rowsOf(state, signal);
  return turned(state, signal) ? gaps.map((row) => row.map((gap) => -gap)) : gaps;
}

/** What a layer reads: the encoded input, or the states of the layer below. @param {State} state @returns {Rows} */
export function inputsOf(state) {
  const layer = layerIndex(state);
  return layer === 0 ? state.run.inputs : state.run.layers[layer - 1].rows.h;
}

/** A step, from 1, that a view names, and the number for which it does. @typedef {{step: number, value: number}} Named */

/**
 * What a state is made of. `shares` has the share of what was there before the first step, then that of each step's
 * candidate. `largest` has the places in it of the largest shares, largest first: 0 is what was there before.
 * @typedef {{shares: number[], largest: number[]}} Mixture
 */

/**
 * What the cursor's state is made of, here and in the untouched run; null while it is not known.
 * @param {State} state
 * @returns {(Mixture & {twin: Mixture | null}) | null}
 */
export function mixtureAt(state) {
  const ledger = detailAt(state, "ledger");
  if (!ledger) return null;
  const row = state.step - ledger.from;
  const { shares, largest, twin, twin_largest } = ledger;
  const untouched = twin && twin_largest && { shares: twin[row], largest: twin_largest[row] };
  return { shares: shares[row], largest: largest[row], twin: untouched };
}

/** The step that wrote most of a state, and its share. @param {Mixture} mixture @returns {Named} */
export function mostWritten({ shares, largest }) {
  const step = /** @type {number} */ (largest.find((place) => place > 0));
  return { step, value: shares[step] };
}

/** The step that wrote most of the cursor's state, and its share. @param {State} state @returns {Named | null} */
export function writtenAt(state) {
  const mixture = mixtureAt(state);
  return mixture && mostWritten(mixture);
}

/** What was there before the first step, in words: h₀, or the value that a hold put in its place later. @param {State} state */
export function originAt(state) {
  const ledger = detailAt(state, "ledger");
  const row = state.step - (ledger?.from ?? 0);
  const [value, since] = [ledger?.origins[row] ?? 0, ledger?.since[row] ?? 0];
  return since ? `the ${fixed(value)} that was put in at t = ${since}` : `h₀ = ${fixed(value)}`;
}

/** How much is left of that, where it is the largest share. @param {State} state */
export function leftFromStart(state) {
  const mixture = mixtureAt(state);
  return mixture?.largest[0] === 0 ? { share: mixture.shares[0], name: originAt(state) } : null;
}

/** The step whose input the cursor's output would move most with, and how much. @param {State} state @returns {Named | null} */
export function listensTo(state) {
  const most = detailAt(state, "sensitivity")?.input;
  return most ? { step: most.t, value: most.value } : null;
}

const FEWEST = 2;
const MOST = 4; // decimals

/** The number that a shown text stands for. @param {string} text */
export const shownAs = (text) => Number(text.replace("−", "-"));

/**
 * How many decimals an equation needs so that whoever works it out from the numbers shown gets the result shown. Where
 * none of the numbers of decimals tried does that, `off` says for which results the last digit is off.
 * @param {(as: (value: number) => number) => [reckoned: number, result: number][]} checks for a way of rounding, each
 *   result worked out from rounded numbers, beside the true one
 * @returns {{decimals: number, off: boolean[]}}
 */
export function rounding(checks) {
  const tried = (/** @type {number} */ decimals) => {
    const as = (/** @type {number} */ value) => shownAs(fixed(value, decimals));
    // Half a unit of the last digit may be rounded either way.
    return checks(as).map(([reckoned, result]) => !(Math.abs(reckoned - as(result)) <= 0.5 * 10 ** -decimals + 1e-9));
  };
  for (let decimals = FEWEST; decimals <= MOST; decimals++) {
    const off = tried(decimals);
    if (!off.includes(true)) return { decimals, off };
  }
  return { decimals: FEWEST, off: tried(FEWEST) };
}
