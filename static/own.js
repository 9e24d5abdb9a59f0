/** Each cell's own: what the page does for it that differs from cell to cell. Another cell's comes in here. */

/** @import { Clamp, Gate, Layer, Rows } from "./run.js" */
/** @import { State } from "./state.js" */
/** @import { Phrase } from "./words.js" */
import { gru } from "./gru/gru.js";
import { layerOf } from "./state.js";

/**
 * `narrate` says the cursor's step in words, `tellLasting` how long its state would last. `reading` has the sum of each
 * gate at the cursor, the gate's value, and what was computed in place of what is held; `functions` make a gate of its
 * sum. `seenBy` says how much a gate's sum sees of unit k's old state, and what that is called. `veilOf` dims a signal
 * where it does not matter. `leaveOut` is the clamp under which nothing of a step is taken.
 * @typedef {{narrate: (state: State) => Phrase[],
 *            tellLasting: (state: State) => string,
 *            reading: (state: State) => {sums: Record<Gate, {a: number}>, values: Record<Gate, number>, replaced: Partial<Record<Gate, number>>},
 *            functions: Record<Gate, {name: string, of: (a: number) => number}>,
 *            seenBy: (layer: Layer, gate: Gate, unit: number, k: number, column: number) => {name: string, share: number},
 *            veilOf: (layer: Layer) => Rows,
 *            leaveOut: (state: State, step: number) => {clamp: Clamp, said: string}}} Own
 */

/** @type {Record<string, Own>} */
const CELLS = { gru };

/** What the cell of the layer that is looked at has of its own. @param {State} state */
export const ownOf = (state) => CELLS[layerOf(state).cell];
