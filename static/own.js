/** What the page does differently from cell to cell. A new cell gets a folder like gru/ and a line here. */

/** @import { Clamp, Gate, Layer, Rows } from "./run.js" */
/** @import { State } from "./state.js" */
/** @import { Phrase } from "./words.js" */
import { gru } from "./gru/gru.js";
import { layerOf } from "./state.js";

/**
 * - `narrate`: the cursor's step in words.
 * - `tellLasting`: how long the cursor's state would last, in words.
 * - `reading`: the gates at the cursor: the sum and the value of each, and for a held one the value that was computed.
 * - `functions`: what makes a gate of its sum, σ or tanh.
 * - `seenBy`: which share of unit k's old state goes into a gate's sum, and how that share is written.
 * - `veilOf`: how strongly one signal dims another that matters only where it is large.
 * - `leaveOut`: the clamp under which a step writes nothing, and how that is said.
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
