/** What is read off a run, whatever its cell: rows as they are shown, and what was answered about the cursor. */

/** @import { Rows, Signal } from "./run.js" */
/** @import { State } from "./state.js" */
import { fixed } from "./run.js";
import { detailAt, layerIndex, layerOf } from "./state.js";

/**
 * Whether a signal is shown as 1 minus what the core has: z is, where it is named as PyTorch and Keras do. Its sum is
 * then shown negated, since 1 − σ(a) = σ(−a).
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
  const { rows } = layerOf(state);
  const untouched = rows[`twin.${signal}`];
  if (!state.difference || !untouched) return rowsOf(state, signal);
  const sign = turned(state, signal) ? -1 : 1;
  return rows[signal].map((row, unit) => row.map((value, column) => sign * (value - untouched[unit][column])));
}

/** What a layer reads: the encoded input, or the states of the layer below. @param {State} state @returns {Rows} */
export function inputsOf(state) {
  const layer = layerIndex(state);
  return layer === 0 ? state.run.inputs : state.run.layers[layer - 1].rows.h;
}

/** A step, from 1, with what names it. @typedef {{step: number, value: number}} Named */

/** @param {number[]} values by step */
function largest(values) {
  const value = Math.max(...values);
  return { step: values.indexOf(value) + 1, value };
}

/** Of what the cursor's state is made, if that is known: the row of the ledger. @param {State} state */
export function sharesAt(state) {
  const ledger = detailAt(state, "ledger");
  const row = state.step - (ledger?.from ?? 0);
  return ledger && { shares: ledger.shares[row], twin: ledger.twin?.[row] ?? null };
}

/** The step that wrote most of the cursor's state, and its share. @param {State} state @returns {Named | null} */
export function writtenAt(state) {
  const row = sharesAt(state);
  return row && largest(row.shares.slice(1, state.step + 1));
}

/** What the first share of the cursor's state is of: h₀, or what a hold put in later. @param {State} state */
export function originAt(state) {
  const ledger = detailAt(state, "ledger");
  const row = state.step - (ledger?.from ?? 0);
  const [value, since] = [ledger?.origins[row] ?? 0, ledger?.since[row] ?? 0];
  return since ? `the ${fixed(value)} that was put in at t = ${since}` : `h₀ = ${fixed(value)}`;
}

/** What is left of that, if it is the most of it. @param {State} state */
export function leftFromStart(state) {
  const [share, ...written] = sharesAt(state)?.shares ?? [0];
  return share > Math.max(...written) ? { share, name: originAt(state) } : null;
}

/** The step whose input the cursor's output would move most with, and how much. @param {State} state @returns {Named | null} */
export function listensTo(state) {
  const found = detailAt(state, "sensitivity");
  return found && largest(found.x_norm);
}

const FEWEST = 2;
const MOST = 4; // decimals

/** A number as it is shown, to reckon on with. @param {string} text */
export const shownAs = (text) => Number(text.replace("−", "-"));

/**
 * With how many decimals an equation is written, so that what is shown agrees: what one reckons from the numbers shown
 * gives the result shown. Where no number of decimals does that, `off` says of which results the last digit is off.
 * @param {(as: (value: number) => number) => [reckoned: number, result: number][]} checks
 * @returns {{decimals: number, off: boolean[]}}
 */
export function rounding(checks) {
  const tried = (/** @type {number} */ decimals) => {
    const as = (/** @type {number} */ value) => shownAs(fixed(value, decimals));
    // Half a unit is rounded either way.
    return checks(as).map(([reckoned, result]) => !(Math.abs(reckoned - as(result)) <= 0.5 * 10 ** -decimals + 1e-9));
  };
  for (let decimals = FEWEST; decimals <= MOST; decimals++) {
    const off = tried(decimals);
    if (!off.includes(true)) return { decimals, off };
  }
  return { decimals: FEWEST, off: tried(FEWEST) };
}
