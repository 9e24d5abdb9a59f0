/** What the page reads off a minimal GRU's run at the cursor: numbers that came, and 1 − z. No model is run here. */

/** @import { Mixed } from "../mixing.js" */
/** @import { Numbers, Sum, Worked } from "../reading.js" */
/** @import { State } from "../state.js" */
import { putMixed } from "../mixing.js";
import { before, placeAt, putGate, replacedAt, sumsAt, turned, valuesAt } from "../reading.js";
import { clampAt } from "../run.js";
import { layerIndex } from "../state.js";

/** @typedef {"z" | "h_tilde"} Gate */
/**
 * One step of one unit.
 * @typedef {Mixed & {sums: Record<Gate, Sum>, replaced: Partial<Record<Gate | "h_prev", number>>}} Reading
 */

/** @param {State} state @param {number} [unit] @returns {Reading} */
export function reading(state, unit = state.unit) {
  const at = valuesAt(state, unit);
  const h_prev = clampAt(state.run, "h_prev", layerIndex(state), unit, state.step)?.value ?? before(state, "h", unit);
  const [take, h_tilde, h] = ["z", "h_tilde", "h"].map(at);
  const keep = 1 - take;
  return {
    ...placeAt(state, unit),
    z: turned(state, "z") ? keep : take,
    h_tilde,
    h,
    h_prev,
    keep,
    take,
    half_life: at("half_life"),
    sums: /** @type {Record<Gate, Sum>} */ (sumsAt(state, unit)),
    replaced: replacedAt(state, unit),
  };
}

/** The numbers of the three equations. @param {State} state @param {Worked} worked @returns {Numbers} */
export function equations(state, worked) {
  const at = reading(state);
  /** @type {Numbers} */
  const numbers = { slots: {}, rounded: new Set() };
  for (const gate of /** @type {const} */ (["z", "h_tilde"])) putGate(numbers, worked, gate, at, at[gate]);
  putMixed(numbers, worked, at);
  return numbers;
}
