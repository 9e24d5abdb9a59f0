/** Values that views of all cells read from the state: rows as shown on the page, and details about the cursor. */

/** @import { Gate, Held, Rows, Signal } from "./run.js" */
/** @import { State } from "./state.js" */
import { cellOf, memoryOf } from "./cells.js";
import { isBackward, stepBefore } from "./directions.js";
import { answer, clampAt, fixed, isExact, isSkipped, ofLayer } from "./run.js";
import { detailAt, layerIndex, layerOf } from "./state.js";
import { DECIMALS } from "./thresholds.js";
import { tokenAt } from "./tokens.js";

/**
 * Return whether the page shows 1 minus the core's value of a signal. The page does this for z in the convention of PyTorch and Keras,
 * and then also negates the sum of z, because 1 − σ(a) = σ(−a).
 * @param {State} state @param {string} name
 */
export const turned = ({ convention }, name) => convention === "pytorch" && name === "z";

/**
 * Convert a gate's value between the core and the convention on screen. The conversion is the same in both directions.
 * @param {State} state
 * @param {Held} gate
 * @param {number} value
 */
export const converted = (state, gate, value) => (turned(state, gate) ? Number((1 - value).toFixed(6)) : value);

/** Return the rows of a signal in the convention on screen. @param {State} state @param {Signal} signal @returns {Rows} */
export function rowsOf(state, signal) {
  const rows = layerOf(state).rows[signal];
  return turned(state, signal) ? rows.map((row) => row.map((value) => 1 - value)) : rows;
}

/**
 * Return the rows in the heatmap of a signal: the values, or the differences from the original run.
 * @param {State} state @param {Signal} signal @returns {Rows}
 */
export function shownRows(state, signal) {
  const gaps = state.difference && layerOf(state).rows[`delta.${signal}`];
  if (!gaps) return rowsOf(state, signal);
  return turned(state, signal) ? gaps.map((row) => row.map((gap) => -gap)) : gaps;
}

/**
 * The place of a unit: the step `t` of `T`, and the unit and layer, from 0. `x` is the model's input at this step, with the unit of
 * measurement if there is one. `read` is the layer's input, and `y` the model's output, all as text.
 * @typedef {{t: number, T: number, unit: number, H: number, layer: number, layers: number, x: string, read: string, y: string}} Place
 */

/** Return the place of a unit at the cursor. @param {State} state @param {number} unit @returns {Place} */
export function placeAt(state, unit) {
  const { step, run } = state;
  const layer = layerIndex(state);
  const token = tokenAt(run, step);
  const number = run.scale ? fixed(run.inputs[0][step - 1], 3) : token;
  const x = run.scale ? `${token} ${run.scale.unit}, x = ${number}` : token;
  const read = layer === 0 ? number : `layer ${layer}`;
  const y = answer(run, step - 1).text;
  return { t: step, T: run.T, unit, H: layerOf(state).H, layer, layers: run.layers.length, x, read, y };
}

/**
 * Return a function from the name of a value, as in the server's data, to this value for a unit at the cursor's step. The function
 * returns NaN if the page does not have the value.
 * @param {State} state
 * @param {number} unit
 */
function valuesAt(state, unit) {
  const { rows } = layerOf(state);
  return (/** @type {string} */ name) => rows[name]?.[unit]?.[state.step - 1] ?? NaN;
}

/**
 * Return a unit's h or c before the cursor's step. This is the value at step − 1 or, if the unit reads from the end, at step + 1. At the
 * first step that the unit reads, this is the initial state. `first` is the index in `h0`, the layer's initial state, at which the
 * numbers of this signal start.
 * @param {State} state @param {Signal} signal @param {number} unit @param {number} [first]
 */
export function before(state, signal, unit, first = 0) {
  const layer = layerOf(state);
  const step = stepBefore(layer, unit, state.step);
  return step < 1 || step > state.run.T ? layer.h0[first + unit] : layer.rows[signal][unit][step - 1];
}

/**
 * @typedef {{Wx: number, Uh: number, b: number, a: number}} Sum the parts of a gate's sum, and the sum a = W x + U h + b. Uh is 0 if the gate does not read the old state
 */

/** Return a gate's sum at the cursor's step. @param {State} state @param {Gate} gate @param {number} unit @returns {Sum} */
export function sumAt(state, gate, unit) {
  const at = valuesAt(state, unit);
  const layer = layerOf(state);
  const past = cellOf(layer).recurrent.includes(gate) ? at(`Uh.${gate}`) : 0;
  const sign = turned(state, gate) ? -1 : 1;
  const [Wx, Uh, b] = [at(`Wx.${gate}`), past, layer.b[gate][unit]].map((part) => sign * part);
  return { Wx, Uh, b, a: Wx + Uh + b };
}

/** Return the sums of all gates. @param {State} state @param {number} unit @returns {Record<Gate, Sum>} */
export const sumsAt = (state, unit) =>
  Object.fromEntries(cellOf(layerOf(state)).gates.map((gate) => [gate, sumAt(state, gate, unit)]));

/**
 * Return the value that each clamped gate or state would have without its clamp at the cursor's step.
 * @param {State} state @param {number} unit
 * @returns {Partial<Record<Held, number>>}
 */
export function replacedAt(state, unit) {
  const at = valuesAt(state, unit);
  const { held: clamped, rows } = layerOf(state);
  // At a skipped step the network clamps gates itself, so that the state stays. Only then are there computed values without a clamp.
  const held = isSkipped(state.run, state.step)
    ? Object.keys(rows).flatMap((name) => (name.startsWith("computed.") ? [name.slice("computed.".length)] : []))
    : clamped.filter((name) => clampAt(state.run, name, layerIndex(state), unit, state.step));
  return Object.fromEntries(
    held.map((name) => [name, turned(state, name) ? 1 - at(`computed.${name}`) : at(`computed.${name}`)]),
  );
}

/**
 * Return the numbers of a unit at the cursor's step: its place, the values in `names`, the sums of its gates, and in `replaced` the
 * computed value of everything that is clamped at this step.
 * @template {string} N
 * @param {State} state @param {number} unit @param {readonly N[]} names
 * @returns {Place & Record<N, number> & {sums: Record<Gate, Sum>, replaced: Partial<Record<Held, number>>}}
 */
export function unitAt(state, unit, names) {
  const values = /** @type {Record<N, number>} */ (
    Object.fromEntries(names.map((name) => [name, valuesAt(state, unit)(name)]))
  );
  return { ...placeAt(state, unit), ...values, sums: sumsAt(state, unit), replaced: replacedAt(state, unit) };
}

/**
 * Return a clamp that closes a gate of every unit at a step, and a description of the clamp. With the clamp, the step adds nothing to
 * the state.
 * @param {State} state @param {Gate} gate @param {number} step
 */
export function closing(state, gate, step) {
  const layer = layerIndex(state) + 1;
  const owner = layerOf(state).H === 1 ? gate : `${gate} of every unit`;
  return {
    clamps: [{ gate, units: null, from: step, to: step, value: 0, layer }],
    text: `${owner}${ofLayer(state.run, layer)} at ${turned(state, gate) ? 1 : 0}`,
  };
}

/** Return the input of the cursor's layer: the encoded input, or the states of the layer below. @param {State} state @returns {Rows} */
export function inputsOf(state) {
  const layer = layerIndex(state);
  return layer === 0 ? state.run.inputs : state.run.layers[layer - 1].rows.h;
}

/** A step, counted from 1, that a view names, with its contribution or sensitivity as `value`. @typedef {{step: number, value: number}} Named */

/**
 * The contributions to a state. `shares` has the share of the state before the first step, and then the share of each step's
 * candidate. `largest` has the indices of the largest shares in `shares`, largest first; index 0 is the state before the first
 * step.
 * @typedef {{shares: number[], largest: number[]}} Mixture
 */

/**
 * Return the contributions to the cursor's state, in this run and in the original run; null if the page does not have them yet.
 * @param {State} state
 * @returns {(Mixture & {twin: Mixture | null}) | null}
 */
export function mixtureAt(state) {
  const ledger = detailAt(state, "ledger");
  if (!ledger) return null;
  const row = state.step - ledger.from;
  const { shares, largest, twin, twin_largest } = ledger;
  const original = twin && twin_largest && { shares: twin[row], largest: twin_largest[row] };
  return { shares: shares[row], largest: largest[row], twin: original };
}

/** Return the step with the largest contribution to a state, and its share. @param {Mixture} mixture @returns {Named} */
export function mostWritten({ shares, largest }) {
  const step = /** @type {number} */ (largest.find((place) => place > 0));
  return { step, value: shares[step] };
}

/** Return the step with the largest contribution to the state at the cursor, and its share. @param {State} state @returns {Named | null} */
export function writtenAt(state) {
  const mixture = mixtureAt(state);
  return mixture && mostWritten(mixture);
}

/**
 * The state to which the first share of a mixture belongs, with its `value` and its name, `text`. This is the state before the first
 * timestep, or the value that a clamp set at the timestep `t` (null without a clamp).
 * @typedef {{value: number, t: number | null, text: string}} Origin
 */

/** Return the origin of the cursor's unit in a run without clamps: its initial state. @param {State} state @returns {Origin} */
export function initialOrigin(state) {
  const layer = layerOf(state);
  return initial(layer, layer.h0[(memoryOf(layer) === "c" ? layer.H : 0) + state.unit]);
}

/** @param {{cell: string}} layer @param {number} value @returns {Origin} */
const initial = (layer, value) => ({
  value,
  t: null,
  text: `the initial state ${memoryOf(layer)}₀ = ${fixed(value)}`,
});

/** Return the origin of the cursor's state. @param {State} state @returns {Origin} */
export function originAt(state) {
  const ledger = detailAt(state, "ledger");
  const layer = layerOf(state);
  const row = state.step - (ledger?.from ?? 0);
  const [value, since] = [ledger?.origins[row] ?? 0, ledger?.since[row] ?? 0];
  // A clamp on c sets the state that a timestep leaves. A clamp on the old h sets the state that a timestep reads.
  const isClampedHere = clampAt(state.run, "c", layerIndex(state), state.unit, state.step) !== undefined;
  if (!since && !isClampedHere) return initial(layer, value);
  const after = isBackward(layer, state.unit) ? since + 1 : since - 1;
  const t = isClampedHere ? state.step : memoryOf(layer) === "c" ? after : since;
  return { value, t, text: `the value ${fixed(value)} that a clamp set at t = ${t}` };
}

/**
 * Return the step with the input to which the output at the cursor is most sensitive, and the sensitivity.
 * @param {State} state
 * @returns {Named | null}
 */
export function listensTo(state) {
  const most = detailAt(state, "sensitivity")?.input;
  return most ? { step: most.t, value: most.value } : null;
}

/**
 * The core's results for the equations of the selected unit: the products by name, their root mean squares over the layer, and the
 * `decimals` from the server.
 * @typedef {{parts: Record<string, number>, sizes: Record<string, number>, decimals: Record<string, number[]>}} Worked
 */

/**
 * Return the core's results for the equations at the cursor's step; null if the page does not have them or the unit's values yet.
 * @param {State} state
 * @returns {Worked | null}
 */
export function workedAt(state) {
  const { run, unit, step } = state;
  const detail = detailAt(state, "equations");
  const cameWithRun = run.equations?.layer === layerIndex(state) + 1 && run.equations.unit === unit + 1;
  const equations = cameWithRun ? run.equations?.steps[step - 1] : detail?.steps[step - detail.from];
  if (!equations || !isExact(layerOf(state), unit)) return null;
  const byName = (/** @type {number[]} */ values) =>
    Object.fromEntries(cellOf(layerOf(state)).parts.map((name, i) => [name, values[i]]));
  return { parts: byName(equations.parts), sizes: byName(equations.sizes), decimals: equations.decimals };
}

const MOST_SAMPLED = 400;

/**
 * Return the timesteps for which a view reserves room: all timesteps, or a sample of a long run. The sample has irregular gaps,
 * because many sequences repeat: with regular gaps it would miss some timesteps of every period.
 * @param {number} count
 */
export function sampleSteps(count) {
  if (count <= MOST_SAMPLED) return Array.from({ length: count }, (_, i) => i + 1);
  const golden = (Math.sqrt(5) - 1) / 2;
  return Array.from({ length: MOST_SAMPLED }, (_, i) => Math.floor(((i * golden) % 1) * count) + 1);
}

/** Parse a number in the form in which the page shows it. @param {string} text */
export const shownAs = (text) => Number(text.replace("−", "-"));

/**
 * Return the number of decimals that an equation needs, for a reader who computes with the printed numbers to get the printed
 * results. If no number of decimals is enough, `off` lists the results that get a different last digit.
 * @param {Record<string, number[]>} decimals the numbers of decimals that are enough, by result; if a result is not listed, 2, 3 and 4 are enough
 * @param {string} equation
 * @returns {{decimals: number, off: string[]}}
 */
export function decimalsOf(decimals, equation) {
  const results = Object.keys(decimals).filter((result) => result.startsWith(`${equation}.`));
  const off = (/** @type {number} */ n) => results.filter((result) => !decimals[result].includes(n));
  const enough = DECIMALS.find((n) => off(n).length === 0);
  return enough ? { decimals: enough, off: [] } : { decimals: DECIMALS[0], off: off(DECIMALS[0]) };
}

/**
 * The numbers of equations as text, by slot, and the results with a last digit that differs from the exact result.
 * @typedef {{slots: Record<string, string>, rounded: Set<string>}} Numbers
 */

/**
 * Format the numbers of one equation and put them into the equation's slots, for example "h.keep".
 * @param {Numbers} numbers
 * @param {Worked} worked
 * @param {string} name of the equation
 * @param {Record<string, number>} values by the second part of the slot's name
 * @param {number | null} [held] the clamped value that replaces the result
 */
export function putEquation({ slots, rounded }, worked, name, values, held = null) {
  const { decimals, off } = decimalsOf(worked.decimals, name);
  for (const result of off) rounded.add(result);
  for (const [part, value] of Object.entries(values)) slots[`${name}.${part}`] = fixed(value, decimals);
  slots[`${name}.held`] = held === null ? "" : fixed(held);
}

/**
 * Return the numbers of the equations of all gates. Each cell adds the numbers of its other equations.
 * @param {Worked} worked
 * @param {{sums: Record<Gate, Sum>, replaced: Partial<Record<Held, number>>} & Record<Gate, any>} at
 * @returns {Numbers}
 */
export function gateNumbers(worked, at) {
  const numbers = { slots: {}, rounded: new Set() };
  for (const [gate, sum] of Object.entries(at.sums)) {
    const computed = at.replaced[gate];
    putEquation(
      numbers,
      worked,
      gate,
      { ...sum, value: computed ?? at[gate] },
      computed === undefined ? null : at[gate],
    );
  }
  return numbers;
}

/**
 * Call `carried` for every unit of the selected layer. Return the numbers of all units, by name.
 * @param {State} state
 * @param {(state: State) => Record<string, number>} carried
 * @returns {Record<string, number[]>}
 */
export function ofAllUnits(state, carried) {
  const units = Array.from({ length: layerOf(state).H }, (_, unit) => carried({ ...state, unit }));
  return Object.fromEntries(Object.keys(units[0]).map((name) => [name, units.map((values) => values[name])]));
}
