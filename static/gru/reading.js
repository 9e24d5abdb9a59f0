/** What the page reads off a GRU's run at the cursor: numbers that came, and 1 − z. No model is run here. */

/** @import { Numbers, Place, Sum, Worked } from "../reading.js" */
/** @import { Layer, Rows } from "../run.js" */
/** @import { State } from "../state.js" */
import { putMixed } from "../mixing.js";
import { before, placeAt, putGate, replacedAt, sumsAt, turned, valuesAt } from "../reading.js";
import { clampAt } from "../run.js";
import { layerIndex, layerOf } from "../state.js";

/** @typedef {"r" | "z" | "h_tilde"} Gate */
/** What can be held: a gate, the candidate, or h_{t−1} as a step sees it. @typedef {Gate | "h_prev"} Held */
/**
 * One step of one unit.
 * - `z` and its sum are as the convention names them. `keep` and `take` are the factors of h_{t−1} and of h̃_t in either
 *   convention.
 * - `matters`: how much what r does can matter. `half_life`: the steps after which half of the state would be gone.
 * - `replaced`: for each gate that is held, the value that was computed.
 * @typedef {Place & {reset: string, matters: number, r: number, z: number, h_tilde: number, h: number, h_prev: number,
 *            keep: number, take: number, half_life: number,
 *            sums: Record<Gate, Sum>, replaced: Partial<Record<Held, number>>}} Reading
 */

/**
 * @param {State} state
 * @param {number} [unit]
 * @returns {Reading}
 */
export function reading(state, unit = state.unit) {
  const { step, run } = state;
  const { reset = "before" } = layerOf(state);
  const at = valuesAt(state, unit);
  const h_prev = clampAt(run, "h_prev", layerIndex(state), unit, step)?.value ?? before(state, "h", unit);
  const [r, take, h_tilde] = [at("r"), at("z"), at("h_tilde")];
  const keep = 1 - take;
  return {
    ...placeAt(state, unit),
    reset,
    matters: rMatters(layerOf(state), unit, step - 1),
    r,
    z: turned(state, "z") ? keep : take,
    h_tilde,
    h: at("h"),
    h_prev,
    keep,
    take,
    half_life: at("half_life"),
    sums: /** @type {Record<Gate, Sum>} */ (sumsAt(state, unit)),
    replaced: replacedAt(state, unit),
  };
}

/**
 * How much what r_i does can matter. Before the product it changes what every unit's candidate sees of unit i: it matters
 * as much as the one that is taken most. After the product it changes the unit's own candidate alone.
 * @param {Layer} layer @param {number} unit @param {number} column
 */
function rMatters({ reset, rows: { z } }, unit, column) {
  return reset === "after" ? z[unit][column] : Math.max(...z.map((row) => row[column]));
}

/** The same for every unit and step: where it is small, r is dimmed. @param {Layer} layer @returns {Rows} */
export function veilOf(layer) {
  const { z } = layer.rows;
  if (layer.reset === "after" || z.length === 1) return z;
  const most = z[0].map((_, column) => rMatters(layer, 0, column));
  return z.map(() => most);
}

/** The numbers of the four equations. @param {State} state @param {Worked} worked @returns {Numbers} */
export function equations(state, worked) {
  const at = reading(state);
  /** @type {Numbers} */
  const numbers = { slots: {}, rounded: new Set() };
  for (const gate of /** @type {const} */ (["r", "z", "h_tilde"])) putGate(numbers, worked, gate, at, at[gate]);
  putMixed(numbers, worked, at);
  return numbers;
}
