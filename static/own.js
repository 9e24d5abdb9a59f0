/** What the page does differently from cell to cell. A new cell gets a folder like gru/ and a line here. */

/** @import { Clamp, Gate, Layer, Rows, Signal } from "./run.js" */
/** @import { Numbers, Squashing } from "./reading.js" */
/** @import { State } from "./state.js" */
/** @import { Phrase } from "./words.js" */
import { gru } from "./gru/gru.js";
import { lstm } from "./lstm/lstm.js";
import { mingru } from "./mingru/mingru.js";
import { rnn } from "./rnn/rnn.js";
import { layerOf } from "./state.js";

/**
 * - `narrate`: the cursor's step in words.
 * - `tellLasting`: how long the cursor's state would last, in words.
 * - `functions`: what makes a gate of its sum, σ or tanh.
 * - `equations`: the numbers of its equations at the cursor; `note` is said below them.
 * - `carried`: the cursor's unit in its figure: a number by the name of each wire, box and label; the parts of sums apart,
 *   which every cell has. `strips`: the same of all units. `scaledAs`: whose colours these have, where not those of h.
 * - `seenBy`: which share of unit k's old state goes into a gate's sum, and how that share is written.
 * - `veilOf`: how strongly one signal dims another that matters only where it is large; absent where none does.
 * - `leaveOut`: the clamps under which a step writes nothing, and how that is said.
 * @typedef {{narrate: (state: State) => Phrase[],
 *            tellLasting: (state: State) => string,
 *            functions: Record<Gate, Squashing>,
 *            equations: (state: State) => Numbers,
 *            note: (state: State) => string,
 *            carried: (state: State) => Record<string, number>,
 *            strips: (state: State) => Record<string, number[]>,
 *            scaledAs: Record<string, Signal>,
 *            seenBy: (layer: Layer, gate: Gate, unit: number, k: number, column: number) => {name: string, share: number},
 *            veilOf?: (layer: Layer) => Rows,
 *            leaveOut: (state: State, step: number) => {clamps: Clamp[], said: string}}} Own
 */

/** @type {Record<string, Own>} */
const CELLS = { gru, lstm, rnn, mingru };

/** What the cell of the layer that is looked at has of its own. @param {State} state */
export const ownOf = (state) => CELLS[layerOf(state).cell];
