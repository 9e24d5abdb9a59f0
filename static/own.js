/** The parts of the page that differ between cells. A new cell needs a folder like gru/ and a line in `CELLS`. */

/** @import { Clamp, Gate, Signal } from "./run.js" */
/** @import { Numbers, Worked } from "./reading.js" */
/** @import { State } from "./state.js" */
/** @import { Phrase } from "./words.js" */
import { gru } from "./gru/gru.js";
import { lstm } from "./lstm/lstm.js";
import { mingru } from "./mingru/mingru.js";
import { rnn } from "./rnn/rnn.js";
import { layerOf } from "./state.js";

/**
 * The parts of the page that a cell defines.
 * - `narrate`: describes the cursor's step in words.
 * - `tellLasting`: describes how long the state at the cursor would last.
 * - `equations`: the numbers of the cell's equations at the cursor. `note` is the text below them.
 * - `carried`: the numbers of the selected unit in the figure, by the name of their wire, box or label. Parts of sums and products
 *   are not among these numbers, because every cell has them. `strips`: these numbers for all units; by default `carried` is called
 *   for each unit. `scaledAs`: the signals that give these numbers their color scales; without an entry, the scale of h.
 * - `factorIn`: the factor of the old state in a gate's sum, as text before h; "" if there is no factor.
 * - `leaveOut`: the clamps with which a step adds nothing to the state, and these clamps in words.
 * @typedef {{narrate: (state: State) => Phrase[],
 *            tellLasting: (state: State) => string,
 *            equations: (state: State, worked: Worked) => Numbers,
 *            note: (state: State) => string,
 *            carried: (state: State) => Record<string, number>,
 *            strips?: (state: State) => Record<string, number[]>,
 *            scaledAs: Record<string, Signal>,
 *            factorIn: (gate: Gate) => string,
 *            leaveOut: (state: State, step: number) => {clamps: Clamp[], text: string}}} Own
 */

/** @type {Record<string, Own>} */
const CELLS = { gru, lstm, rnn, mingru };

/** Return the parts for the cell of the selected layer. @param {State} state */
export const ownOf = (state) => CELLS[layerOf(state).cell];
