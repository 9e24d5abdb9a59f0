/** What the page does differently from cell to cell. A new cell gets a folder like gru/ and a line here. */

/** @import { Clamp, Gate, Layer, Rows, Signal } from "./run.js" */
/** @import { Numbers, Worked } from "./reading.js" */
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
 * - `equations`: the numbers of its equations at the cursor; `note` stands below them.
 * - `carried`: the cursor's unit in its figure: a number by the name of each wire, box and label; without the parts of sums, which
 *   every cell has, and the products, which the core works out. `strips`: the same of all units, if some differ there. `scaledAs`:
 *   whose colours these have, if not those of h.
 * - `factorIn`: what multiplies the old state in a gate's sum, as it is written before h; "" for nothing.
 * - `veilOf`: how strongly one signal dims another that matters only if the first is large; absent if none does.
 * - `leaveOut`: the clamps under which a step writes nothing, and these clamps in words.
 * @typedef {{narrate: (state: State) => Phrase[],
 *            tellLasting: (state: State) => string,
 *            equations: (state: State, worked: Worked) => Numbers,
 *            note: (state: State) => string,
 *            carried: (state: State) => Record<string, number>,
 *            strips?: (state: State) => Record<string, number[]>,
 *            scaledAs: Record<string, Signal>,
 *            factorIn: (gate: Gate) => string,
 *            veilOf?: (layer: Layer) => Rows,
 *            leaveOut: (state: State, step: number) => {clamps: Clamp[], text: string}}} Own
 */

/** @type {Record<string, Own>} */
const CELLS = { gru, lstm, rnn, mingru };

/** Return the parts that belong only to the cell of the cursor's layer. @param {State} state */
export const ownOf = (state) => CELLS[layerOf(state).cell];
