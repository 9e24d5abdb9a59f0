/** What the reset gate of a GRU adds to a unit's reading. */

/** @import { Layer, Rows } from "../run.js" */
/** @import { State } from "../state.js" */
import { mixedAt } from "../mixing.js";
import { unitAt } from "../reading.js";
import { layerOf } from "../state.js";

/** @typedef {ReturnType<typeof reading>} Reading */

/**
 * Read a unit at the cursor's step. `matters` says how much what r does can matter.
 * @param {State} state
 */
export function reading(state, unit = state.unit) {
  const layer = layerOf(state);
  const { r } = unitAt(state, unit, ["r"]);
  return { ...mixedAt(state, unit), r, reset: layer.reset ?? "before", matters: rMatters(layer, unit, state.step - 1) };
}

/**
 * Return how much what r_i does can matter. Before the product it changes what every unit's candidate sees of unit i: it matters
 * as much as the candidate that is taken most. After the product it changes only the unit's own candidate.
 * @param {Layer} layer @param {number} unit @param {number} column
 */
function rMatters({ reset, rows: { z } }, unit, column) {
  return reset === "after" ? z[unit][column] : Math.max(...z.map((row) => row[column]));
}

/** Return the same for every unit and step: if it is small, r is dimmed. @param {Layer} layer @returns {Rows} */
export function veilOf(layer) {
  const { z } = layer.rows;
  if (layer.reset === "after" || z.length === 1) return z;
  const most = z[0].map((_, column) => rMatters(layer, 0, column));
  return z.map(() => most);
}
