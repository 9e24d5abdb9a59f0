/**
 * A run that arrives step by step: `start` has its sizes, and each step fills one column.
 *
 * Every array is `rows[unit][step]`: a Float64Array for each unit, with NaN for steps that have not arrived. A heatmap draws it
 * without conversion.
 */

/** @typedef {Float64Array[]} Rows */
/** The name of a signal: a value that a layer's cell computes at every step. cells.js lists the signals. @typedef {string} Signal */
/** A signal that is computed from a sum W x + U h + b. @typedef {string} Gate */
/** The name of a value that can be clamped: a gate, or the previous state that a step reads. @typedef {string} Held */
/**
 * A clamp, in the form of the server's requests. `units` (null: all units), `layer` and the steps `from` and `to` (null: the last
 * step) count from 1. A clamp of z uses the core's convention, not the convention on screen.
 * @typedef {{gate: Held, units: number[] | null, from: number, to: number | null, value: number, layer: number}} Clamp
 */
/**
 * A changed weight, in the form of the server's requests. It is in the sum of `gate`: a W that multiplies input `index`, a U that
 * multiplies the state of unit `index`, or a bias. All indices count from 1.
 * @typedef {{layer: number, gate: Gate, unit: number, part: "W" | "U" | "b" | "c", index: number | null, value: number}} Weight
 */
/** The place of a weight. @typedef {Omit<Weight, "value">} WeightPlace */
/**
 * The changes of a scenario to its model, and `against`, the second sequence with which the run is compared; "" or absent without
 * one.
 * @typedef {{clamps: readonly Clamp[], weights: readonly Weight[], against?: string}} Changes
 */
/** @typedef {{cell: string, H: number, reset?: "before" | "after", b: Record<Gate, number[]>, h0: number[], held: Held[]}} LayerStart */
/**
 * The core's results for the equations of a unit at a step: the products, in the order of the cell's `parts`, and their root mean
 * squares over the layer. `decimals` lists the results, such as "z.value", for which 2, 3 or 4 decimals are not enough, each with
 * the numbers of decimals that are enough.
 * @typedef {{parts: number[], sizes: number[], decimals: Record<string, number[]>}} EquationStep
 */
/** A unit and its layer, both counted from 1. @typedef {{layer: number, unit: number}} UnitPlace */
/** @typedef {{model: string, T: number, tokens: string[] | null, others: string[] | null, twin: boolean, x: {labels: string[]},
 *             layers: LayerStart[],
 *             y: {kind: "softmax" | "linear", labels: string[]}, right: (number | null)[] | null, mask: boolean[] | null, equations?: UnitPlace}} Start */
/**
 * One step of a run. Every row is in base64.
 * @typedef {{t: number, x: string, layers: Record<string, string>[], y: string, "twin.y"?: string, "delta.y"?: string, equations?: EquationStep}} Step
 */
/**
 * The last event of a run: `moved` is the total change of each unit's state, by layer. If there is an original run, `twin` has the
 * `first` step with different outputs, and the place at which the states differ `most`.
 * @typedef {{first: number | null, most: {layer: number, unit: number, t: number, gap: number} | null}} Effect
 * @typedef {{moved: number[][], twin: Effect | null}} Done
 */
/**
 * `rows` has the layer's arrays, by their names in the steps: "z" and the other signals; "Wx.z" and "Uh.z", the terms of a gate's
 * sum; "twin.z", the values of the original run; "delta.z", the difference between "z" and "twin.z"; and "computed.z", the values
 * of a clamped z without the clamp.
 * @typedef {LayerStart & {rows: Record<string, Rows>, moved: number[] | null}} Layer
 */
/**
 * A run. `equations` has the equations of one unit, if the server sent them with the run.
 * @typedef {Omit<Start, "layers" | "equations"> & Changes & {columns: number, layers: Layer[], inputs: Rows,
 *             outputs: Rows, twinOutputs: Rows, gaps: Rows, effect: Effect | null, equations: (UnitPlace & {steps: EquationStep[]}) | null}} Run
 */

import { boot } from "./boot.js";

/** @param {number} height @param {number} columns @returns {Rows} */
const blank = (height, columns) => Array.from({ length: height }, () => new Float64Array(columns).fill(NaN));

/**
 * @param {Start} start
 * @param {Changes} changes
 * @returns {Run}
 */
export function newRun(start, { clamps, weights, against }) {
  const columns = boot.stages.find((columns) => columns >= start.T) ?? start.T;
  const layers = start.layers.map((layer) => ({ ...layer, rows: {}, moved: null }));
  const [inputs, outputs] = [blank(start.x.labels.length, columns), blank(start.y.labels.length, columns)];
  const [twinOutputs, gaps] = [0, 1].map(() => blank(start.twin ? start.y.labels.length : 0, columns));
  const equations = start.equations ? { ...start.equations, steps: [] } : null;
  return {
    ...start,
    clamps,
    weights,
    against: start.others?.join(" ") ?? against ?? "",
    columns,
    layers,
    inputs,
    outputs,
    twinOutputs,
    gaps,
    effect: null,
    equations,
  };
}

/**
 * Fill the column of one step in all arrays.
 * @param {Run} run
 * @param {Step} step
 */
export function putStep(run, step) {
  const column = step.t - 1;
  step.layers.forEach((named, i) => {
    const { rows, H } = run.layers[i];
    for (const [name, row] of Object.entries(named)) put((rows[name] ??= blank(H, run.columns)), column, row);
  });
  put(run.inputs, column, step.x);
  put(run.outputs, column, step.y);
  if (step.equations) run.equations?.steps.push(step.equations);
  if (step["twin.y"]) put(run.twinOutputs, column, step["twin.y"]);
  if (step["delta.y"]) put(run.gaps, column, step["delta.y"]);
}

/** Return the scenario of a run. @param {Run} run */
export const scenarioOf = ({ model, tokens, clamps, weights, against = "" }) => ({
  model,
  sequence: (tokens ?? []).join(" "),
  clamps,
  weights,
  against,
});

/** Return the name of the run with which a run is compared. @param {Run} run */
export const twinOf = ({ against }) => (against ? "second sequence" : "original run");

/** Return " of layer 2", or "" for a run with one layer. @param {Run} run @param {number} layer from 1 */
export const ofLayer = ({ layers }, layer) => (layers.length > 1 ? ` of layer ${layer}` : "");

/** Complete a run with the data of its last event. @param {Run} run @param {Done} done */
export function finish(run, { moved, twin }) {
  run.layers.forEach((layer, i) => (layer.moved = moved[i]));
  run.effect = twin;
}

/**
 * @param {Rows} rows
 * @param {number} column
 * @param {string} base64 little-endian float64, one for each row
 */
function put(rows, column, base64) {
  const text = atob(base64);
  const bytes = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) bytes.setUint8(i, text.charCodeAt(i));
  for (let i = 0; i < rows.length; i++) rows[i][column] = bytes.getFloat64(8 * i, true);
}

/**
 * Return the model's output at a step: the most likely label and its probability, or the number.
 * @param {Run} run
 * @param {number} column
 * @param {Rows} [outputs] the outputs of the run, or of the run with which it is compared
 * @returns {{text: string, value: number}}
 */
export function answer(run, column, outputs = run.outputs) {
  const values = outputs.map((row) => row[column]);
  if (run.y.kind === "linear") return { text: fixed(values[0]), value: values[0] };
  const best = values.indexOf(Math.max(...values));
  return { text: run.y.labels[best] ?? "", value: values[best] ?? NaN };
}

/** Return whether the network skips a step, because it is padding. @param {Run} run @param {number} step from 1 */
export const isSkipped = ({ mask }, step) => mask?.[step - 1] === false;

/** The largest error with which a number counts as correct. */
export const RIGHT_WITHIN = 0.1;

/**
 * Return the task's target at a step, as text, if the model's output is wrong; else "".
 * @param {Run} run @param {number} column
 */
export function missed(run, column) {
  const right = run.right?.[column] ?? null;
  if (right === null) return "";
  if (run.y.kind === "linear") return Math.abs(run.outputs[0][column] - right) > RIGHT_WITHIN ? fixed(right) : "";
  const label = run.y.labels[right - 1];
  return answer(run, column).text === label ? "" : label;
}

/**
 * Write a number with two decimals, with a true minus sign, and never as −0.00.
 * @param {number} value
 * @param {number} [decimals]
 */
export function fixed(value, decimals = 2) {
  if (Number.isNaN(value)) return "";
  const text = Math.abs(value) >= 1e4 ? value.toExponential(1) : value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/**
 * Return the clamp of a gate or state at a step, if there is one. If clamps overlap, the last one counts.
 * @param {Run} run
 * @param {Held} gate
 * @param {number} layer
 * @param {number} unit both from 0
 * @param {number} step from 1
 */
export const clampAt = (run, gate, layer, unit, step) =>
  run.clamps.findLast(
    (clamp) =>
      clamp.gate === gate &&
      clamp.layer === layer + 1 &&
      (clamp.units?.includes(unit + 1) ?? true) &&
      clamp.from <= step &&
      step <= (clamp.to ?? run.T),
  );
