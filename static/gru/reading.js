/** The numbers of a GRU unit at the cursor, and how much its reset gate matters. */

/** @import { Layer } from "../run.js" */
/** @import { State } from "../state.js" */
import { mixedAt } from "../mixing.js";
import { unitAt } from "../reading.js";
import { layerOf } from "../state.js";

/** @typedef {ReturnType<typeof reading>} Reading */

/**
 * Return the numbers of a unit at the cursor's step. `matters` is how much r can change the new state, from 0 to 1.
 * @param {State} state
 */
export function reading(state, unit = state.unit) {
  const layer = layerOf(state);
  const { r } = unitAt(state, unit, ["r"]);
  return { ...mixedAt(state, unit), r, reset: layer.reset ?? "before", matters: rMatters(layer, unit, state.step - 1) };
}

/**
 * Return how much r_i can change the new state, from 0 to 1. If r is applied before the product with U, r_i changes the candidates
 * of all units, so this is the largest share of a candidate in any unit. If r is applied after the product, r_i changes only the
 * candidate of unit i.
 * @param {Layer} layer @param {number} unit @param {number} column
 */
function rMatters({ reset, rows: { z } }, unit, column) {
  return reset === "after" ? z[unit][column] : Math.max(...z.map((row) => row[column]));
}
