/**
 * A run that arrives step by step: `start` has its sizes, and each step fills one column.
 *
 * Every array is `rows[unit][step]`: a typed array for each unit, with NaN for steps that have not arrived. Heatmaps use these arrays
 * without conversion. In a large run the page gets the signals of all units as float32, and exact values of only one unit. When the
 * cursor moves to another unit, the page requests the exact values of that unit.
 */

/** @typedef {(Float64Array | Float32Array)[]} Rows */
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
 * The changes of a scenario to its model. `against` is a second sequence with which the run is compared; "" or absent if there is
 * none. `h0` has the initial state of each layer (in an LSTM h, then c); null or absent means zero. `write` has the settings for
 * writing after the sequence; null or absent if the network writes nothing.
 * @typedef {{clamps: readonly Clamp[], weights: readonly Weight[], against?: string, h0?: readonly (readonly number[])[] | null,
 *            write?: Writing | null}} Changes
 */
/**
 * The settings for writing: the number of timesteps that the network writes after the sequence, and how it draws symbols from its
 * outputs.
 * @typedef {{steps: number, temperature: number, seed: number}} Writing
 */
/**
 * A layer before its first timestep. The last `backward_units` of its H units read the sequence from its end.
 * @typedef {{cell: string, H: number, backward_units: number, reset?: "before" | "after", b: Record<Gate, number[]>, h0: number[], held: Held[]}} LayerStart
 */
/**
 * The core's results for the equations of a unit at a step: the products, in the order of the cell's `parts`, and their root mean
 * squares over the layer. `decimals` lists the results, such as "z.value", for which 2, 3 or 4 decimals are not enough, each with
 * the numbers of decimals that are enough.
 * @typedef {{parts: number[], sizes: number[], decimals: Record<string, number[]>}} EquationStep
 */
/** A unit and its layer, both counted from 1. @typedef {{layer: number, unit: number}} UnitPlace */
/**
 * The unit of the numbers in the sequence, which is also the unit of a single linear output. The page shows numbers in this unit with
 * `decimals` decimals. Two outputs count as different if they differ by more than `least`.
 * @typedef {{unit: string, decimals: number, least: number}} Scale
 */
/**
 * The first event of a run. `T` is the number of all timesteps, and `given` the number of timesteps before the network writes. `others`
 * has the tokens of the run with which this run is compared.
 * @typedef {{model: string, T: number, given: number, tokens: string[] | null, others: string[] | null, twin: boolean, x: {labels: string[]},
 *            layers: LayerStart[],
 *            y: {kind: "softmax" | "linear", labels: string[], sent: number, total: number}, right: (number | null)[] | null, mask: boolean[] | null, scale: Scale | null, baselines: Record<string, (number | null)[]> | null, equations?: UnitPlace, exact?: UnitPlace}} Start
 */
/**
 * One step of a run. Every row is in base64. In a large run, `unit` has the exact values of one unit. If the model has too many
 * outputs to send all, `y` has the likeliest outputs, and `labels` their names. "number.x" and similar names are values in the unit
 * of the run's `scale`.
 * @typedef {{t: number, x: string, layers: Record<string, string>[], unit?: Record<string, string>, y: string, labels?: string[],
 *            "twin.y"?: string, "twin.labels"?: string[], "delta.y"?: string, "number.x"?: string, "number.y"?: string,
 *            "number.twin.y"?: string, "number.delta.y"?: string, equations?: EquationStep}} Step
 */
/**
 * The last event of a run. `moved` is the total change of each unit's state, by layer. If the run is compared with another run,
 * `twin` has the `first` step at which the outputs differ, and the place at which the states differ `most`. After a large run `last`
 * has the exact state of each layer: h, and in an LSTM then c. `chaotic` is true if the page computed the run and the network
 * amplifies small differences so much that another program would get different numbers.
 * @typedef {{first: number | null, most: {layer: number, unit: number, t: number, gap: number} | null}} Effect
 * @typedef {{moved: number[][], twin: Effect | null, last: number[][] | null, chaotic?: boolean}} Done
 */
/**
 * `rows` has the layer's arrays, by their names in the steps: "z" and the other signals; "Wx.z" and "Uh.z", the terms of a gate's
 * sum; "twin.z", the values of the original run; "delta.z", the difference between "z" and "twin.z"; and "computed.z", the values
 * of a clamped z without the clamp. In a large run, `exact` has the units, from 0, for which the page has all these arrays, with exact
 * values. In other runs `exact` is null, because the page has them for all units.
 * @typedef {LayerStart & {rows: Record<string, Rows>, moved: number[] | null, exact: Set<number> | null}} Layer
 */
/**
 * A run. `equations` has the equations of one unit, if the server sent them with the run. `likeliest` and `twinLikeliest` have the
 * names of the outputs of each step if there are too many outputs to send all; otherwise they are empty. `numbers` has the values in
 * the unit of the run's `scale`, by their names in the steps.
 * @typedef {Omit<Start, "layers" | "equations"> & Changes & {columns: number, layers: Layer[], inputs: Rows,
 *             outputs: Rows, twinOutputs: Rows, gaps: Rows, numbers: Partial<Record<NumberName, Float64Array>>, likeliest: string[][], twinLikeliest: string[][],
 *             effect: Effect | null, last: number[][] | null, chaotic: boolean, equations: (UnitPlace & {steps: EquationStep[]}) | null}} Run
 */

import { doublesOf, numbersOf } from "./base64.js";
import { boot } from "./boot.js";
import { LARGE } from "./thresholds.js";

/** @typedef {typeof NUMBERS[number]} NumberName */
const NUMBERS = /** @type {const} */ (["number.x", "number.y", "number.twin.y", "number.delta.y"]);

/** @param {number} height @param {number} columns @param {boolean} [single] whether float32 is enough @returns {Rows} */
const blank = (height, columns, single = false) =>
  Array.from({ length: height }, () => new (single ? Float32Array : Float64Array)(columns).fill(NaN));

/** @param {LayerStart} layer @param {number} columns @returns {Record<string, Rows>} */
const blankSignals = ({ cell, H }, columns) =>
  Object.fromEntries(boot.cells[cell].signals.map(({ name }) => [name, blank(H, columns, true)]));

/**
 * Return a run without any timesteps yet.
 * @param {Start} start
 * @param {Changes} changes
 * @returns {Run}
 */
export function newRun(start, { clamps, weights, against, h0 = null, write = null }) {
  const columns = boot.stages.find((columns) => columns >= start.T) ?? start.T;
  const { exact, y } = start;
  const layers = start.layers.map((layer, i) => ({
    ...layer,
    rows: exact ? blankSignals(layer, columns) : {}, // the page shows a large run before the first step arrives
    moved: null,
    exact: exact ? new Set(exact.layer === i + 1 ? [exact.unit - 1] : []) : null,
  }));
  const [inputs, outputs] = [blank(start.x.labels.length, columns, Boolean(exact)), blank(y.sent, columns)];
  const [twinOutputs, gaps] = [0, 1].map(() => blank(start.twin ? y.sent : 0, columns));
  const equations = start.equations ? { ...start.equations, steps: [] } : null;
  return {
    ...start,
    clamps,
    weights,
    against: against ? (start.others?.slice(0, start.given).join(" ") ?? against) : "",
    h0,
    write,
    columns,
    layers,
    inputs,
    outputs,
    twinOutputs,
    gaps,
    numbers: {},
    likeliest: [],
    twinLikeliest: [],
    effect: null,
    last: null,
    chaotic: false,
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
    const { rows, H, exact } = run.layers[i];
    for (const [name, row] of Object.entries(named))
      put((rows[name] ??= blank(H, run.columns, exact !== null)), column, row);
  });
  if (run.exact && step.unit) {
    const { layer, unit } = run.exact;
    for (const [name, value] of Object.entries(step.unit))
      put([exactRow(run.layers[layer - 1], name, unit - 1, run.columns)], column, value);
  }
  if (step.labels) run.likeliest[column] = step.labels;
  if (step["twin.labels"]) run.twinLikeliest[column] = step["twin.labels"];
  put(run.inputs, column, step.x);
  put(run.outputs, column, step.y);
  if (step.equations) run.equations?.steps.push(step.equations);
  if (step["twin.y"]) put(run.twinOutputs, column, step["twin.y"]);
  if (step["delta.y"]) put(run.gaps, column, step["delta.y"]);
  for (const name of NUMBERS) {
    const number = step[name];
    if (number) put([(run.numbers[name] ??= new Float64Array(run.columns).fill(NaN))], column, number);
  }
}

/**
 * Return the float64 array for the exact values of a unit. If the unit has no such array yet, create one in place of its float32 array.
 * @param {Layer} layer @param {string} name @param {number} unit from 0 @param {number} columns
 */
function exactRow({ rows }, name, unit, columns) {
  const all = (rows[name] ??= []);
  if (!(all[unit] instanceof Float64Array)) all[unit] = new Float64Array(columns).fill(NaN);
  return all[unit];
}

/**
 * Store the exact values of a unit at all steps, from /api/rows.
 * @param {Run} run @param {{layer: number, unit: number, rows: Record<string, string>}} values in base64
 */
export function putUnit(run, { layer, unit, rows }) {
  const into = run.layers[layer - 1];
  for (const [name, base64] of Object.entries(rows)) exactRow(into, name, unit - 1, run.columns).set(doublesOf(base64));
  into.exact?.add(unit - 1);
}

/** Return whether the page has all values of a unit, and not only its signals. @param {Layer} layer @param {number} unit from 0 */
export const isExact = ({ exact }, unit) => exact?.has(unit) ?? true;

/** Return the scenario of a run. @param {Run} run */
export const scenarioOf = ({ model, tokens, given, clamps, weights, against = "", h0 = null, write = null }) => ({
  model,
  sequence: (tokens ?? []).slice(0, given).join(" "),
  clamps,
  weights,
  against,
  h0,
  write,
});

/** Return the page's name for the run with which `run` is compared. @param {Run} run */
export const twinOf = ({ against }) => (against ? "second sequence" : "original run");

/** Return " of layer 2", or "" for a run with one layer. @param {Run} run @param {number} layer from 1 */
export const ofLayer = ({ layers }, layer) => (layers.length > 1 ? ` of layer ${layer}` : "");

/** Complete a run with the data of its last event. @param {Run} run @param {Done} done */
export function finish(run, { moved, twin, last, chaotic = false }) {
  run.layers.forEach((layer, i) => (layer.moved = moved[i]));
  run.effect = twin;
  run.last = last;
  run.chaotic = chaotic;
}

/**
 * Write numbers into one column of an array.
 * @param {Rows} rows
 * @param {number} column
 * @param {string} base64 little-endian numbers, one for each row; their length shows whether they are float32 or float64
 */
function put(rows, column, base64) {
  if (!rows.length) return;
  const values = numbersOf(base64, rows.length);
  for (let i = 0; i < values.length; i++) rows[i][column] = values[i];
}

/**
 * Format a number of the input or output, or a difference between two outputs, in the unit of the run's scale if it has one.
 * @param {Run} run @param {NumberName} name @param {number} column @param {number} value in the network's numbers
 */
export function numberText({ scale, numbers }, name, column, value) {
  const inUnit = numbers[name];
  return scale && inUnit ? fixed(inUnit[column], scale.decimals) : fixed(value);
}

/**
 * Return the model's output at a step: the most likely label and its probability, or a number. For a number, `text` is in the unit of
 * the input, and `value` is the number that the network computes.
 * @param {Run} run
 * @param {number} column
 * @param {Rows} [outputs] the outputs of the run, or of the run with which it is compared
 * @returns {{text: string, value: number}}
 */
export function answer(run, column, outputs = run.outputs) {
  const names = outputs === run.outputs ? run.likeliest : run.twinLikeliest;
  if (names[column]) return { text: names[column][0], value: outputs[0][column] };
  const values = outputs.map((row) => row[column]);
  if (run.y.kind === "linear") {
    const name = outputs === run.outputs ? "number.y" : "number.twin.y";
    return { text: numberText(run, name, column, values[0]), value: values[0] };
  }
  const best = values.indexOf(Math.max(...values));
  return { text: run.y.labels[best] ?? "", value: values[best] ?? NaN };
}

/** Return whether the network wrote the input of a step. @param {Run} run @param {number} step from 1 */
export const isWritten = ({ given, tokens }, step) => step > given && Boolean(tokens?.[step - 1]);

/**
 * Return the label that the network drew from its output at a step, as its next input; "" if it drew nothing.
 * @param {Run} run @param {number} step from 1 @param {string[] | null} [tokens] of the run, or of the run with which it is compared
 */
export const drawnAt = ({ given, y, tokens: own }, step, tokens = own) =>
  y.kind === "softmax" && step >= given ? (tokens?.[step] ?? "") : "";

/**
 * Return the `text` that the network wrote, and whether the network `ended` it by writing a label that it cannot read as an input.
 * @param {Run} run @param {string[]} tokens of the run, or of the run with which it is compared
 */
export function writtenIn({ given, x, y }, tokens) {
  const written = tokens.slice(given);
  const read = written.filter((token) => x.labels.includes(token));
  const isSpelled = y.labels.every((label) => [...label].length === 1);
  return { text: read.join(isSpelled ? "" : " "), ended: read.length < written.length };
}

const [FEW, MANY] = [3, 12]; // with at least MANY outputs, the FEW likeliest are shown

/**
 * Return whether the page shows several likely outputs and not only the answer: if there are many outputs, or if the network draws its
 * next inputs from its outputs.
 * @param {Run} run
 */
export const hasSeveral = ({ y, given, T }) => y.kind === "softmax" && (y.total >= MANY || given < T);

/**
 * Return the likeliest outputs of a step with their probabilities, the likeliest first. They always include the output that was drawn.
 * @param {Run} run @param {number} column
 * @returns {{text: string, value: number, drawn: boolean}[]}
 */
export function severalAt(run, column) {
  const names = run.likeliest[column] ?? run.y.labels;
  const drawn = names.indexOf(drawnAt(run, column + 1));
  const value = (/** @type {number} */ k) => run.outputs[k][column];
  if (Number.isNaN(value(0))) return [];
  /** @type {number[]} */
  const places = [];
  for (let k = 0; k < names.length; k++) {
    const before = places.findIndex((other) => value(other) < value(k));
    if (before >= 0) places.splice(before, 0, k);
    else if (places.length < FEW) places.push(k);
    if (places.length > FEW) places.pop();
  }
  if (drawn >= 0 && !places.includes(drawn)) places.splice(-1, 1, drawn);
  return places.map((k) => ({ text: names[k], value: value(k), drawn: k === drawn }));
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
 * Format a number with two or `decimals` decimals and a true minus sign. A number that rounds to 0 has no sign, NaN becomes "", and a
 * large number gets an exponent.
 * @param {number} value
 * @param {number} [decimals]
 */
export function fixed(value, decimals = 2) {
  if (Number.isNaN(value)) return "";
  const text = Math.abs(value) >= LARGE ? value.toExponential(1) : value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/**
 * Return the clamp of a gate or a previous state at a step, or undefined. If clamps overlap, return the last one.
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
