/** The server's responses about a scenario, computed in the page: events of runs, sums of gates, contributions and equations. */

/** @import { Values, Vector } from "./cells.js" */
/** @import { LayerRun } from "./forward.js" */
/** @import { Model } from "./model.js" */
/** @import { Clamp, Done, EquationStep, Start, Step, Writing } from "../run.js" */
/** @import { Listener, Scenario } from "../api.js" */
/**
 * The result of running a scenario. `original` is the trained model, and `model` has the changed weights. `runs` has the run of each
 * layer, and `twin` the run of each layer for the original run or the second sequence.
 * @typedef {{original: Model, model: Model, tokens: string[], given: number, others: string[] | null, x: Vector[], mask: boolean[] | null,
 *            runs: LayerRun[], twin: LayerRun[] | null, outputs: Vector[], twinOutputs: Vector[], growth: number}} Answered
 */
import { CELLS, gatesOf } from "./cells.js";
import { ScenarioError, checkClamps, checkWeights, statesOf } from "./checks.js";
import { SequenceError, encode, maskOf } from "./encoders.js";
import { equationStep } from "./equations.js";
import { forward, growth } from "./forward.js";
import { mixture, shares } from "./ledger.js";
import { edited, readOut } from "./model.js";
import { answersOf } from "./tasks.js";
import { canWrite, written } from "./writing.js";
import { LEAST_DIFFERENCE } from "../thresholds.js";

const MOST_NUMBERS = 2 ** 22; // the most values of a run, about 32 MB
const [MOST_OUTPUTS, LIKELIEST] = [1024, 16]; // as in app/runs/limits.py

/** Run a scenario. Throws SequenceError or ScenarioError. @param {Model} original @param {Scenario} scenario @returns {Answered} */
export function run(original, { sequence, clamps, weights, against = "", h0, write = null }) {
  const read = encode(original.encoder, sequence);
  const given = read.tokens.length;
  const T = given + (write?.steps ?? 0);
  const numbers = original.layers.reduce((sum, { cell, H }) => sum + H * (5 * CELLS[cell].signals.length + 2), 0);
  const most = Math.floor(MOST_NUMBERS / numbers);
  if (T > most) throw new SequenceError(`the sequence has ${T} timesteps; at most ${most} can be run here`);
  if (write && !canWrite(original)) throw new ScenarioError("this model cannot write", "write");
  checkWeights(original.layers, weights);
  checkClamps(original.layers, clamps, T);
  const model = weights.length ? edited(original, weights) : original;
  const states = h0 ? statesOf(model.layers, h0) : null;
  const whole = (/** @type {Model} */ by, /** @type {{tokens: string[], x: Vector[]}} */ part, by_clamps = clamps) =>
    write ? writtenBy(by, part, write, by_clamps, states) : { ...part, mask: maskOf(by.encoder, part.x) };
  const { tokens, x, mask } = whole(model, read);
  const runs = forward(model.layers, x, clamps, states, mask);
  const isChanged = clamps.length + weights.length > 0;
  let [twin, others] = /** @type {[LayerRun[] | null, string[] | null]} */ ([null, null]);
  if (against) {
    const other = whole(model, second(model, against, given));
    [twin, others] = [forward(model.layers, other.x, clamps, states, other.mask), other.tokens];
  } else if (isChanged) {
    const other = whole(original, read, []);
    [twin, others] = [forward(original.layers, other.x, [], states, other.mask), write && other.tokens];
  }
  const outputsOf = (/** @type {LayerRun[] | null} */ runs, /** @type {Model} */ by) =>
    (runs?.at(-1)?.steps ?? []).map(({ signals }) => readOut(by, signals.h));
  return {
    original,
    model,
    tokens,
    given,
    others,
    x,
    mask,
    runs,
    twin,
    outputs: outputsOf(runs, model),
    twinOutputs: outputsOf(twin, model),
    growth: Math.max(growth(runs), twin ? growth(twin) : 0),
  };
}

/**
 * Let a model write after a sequence. Return all tokens and inputs, and the mask. Throws ScenarioError.
 * @param {Model} model @param {{tokens: string[], x: Vector[]}} part @param {Writing} write @param {readonly Clamp[]} clamps
 * @param {Record<string, Vector>[] | null} states
 */
function writtenBy(model, { tokens, x }, write, clamps, states) {
  try {
    return written(model, tokens, x, write, clamps, states);
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error;
    throw new ScenarioError(`the network wrote a number that it cannot read: ${error.message}`, "write");
  }
}

/** Return the tokens and inputs of the second sequence. Throws ScenarioError. @param {Model} model @param {string} text @param {number} T */
function second({ encoder }, text, T) {
  let other;
  try {
    other = encode(encoder, text);
  } catch (error) {
    throw new ScenarioError(`in the second sequence, ${/** @type {Error} */ (error).message}`, "against");
  }
  if (other.tokens.length === T) return other;
  const message = `the second sequence must have as many timesteps as the first: ${T}, not ${other.tokens.length}`;
  throw new ScenarioError(message, "against");
}

/**
 * Call the listener with the events of a run, the same events that the server would stream.
 * @param {Answered} answered @param {Scenario} scenario @param {Listener} listener
 */
export function tell(answered, scenario, listener) {
  const { equations } = scenario;
  listener.start({ ...startOf(answered, scenario.model), ...(equations ? { equations } : {}) });
  for (const t of answered.x.keys()) {
    const step = stepOf(answered, t);
    if (equations) step.equations = equationStep(answered.runs[equations.layer - 1], t, equations.unit - 1);
    listener.step(step);
  }
  listener.done(doneOf(answered));
  listener.piece?.();
}

/** @param {Answered} answered @param {string} name @returns {Start} */
function startOf({ original, model, tokens, given, others, x, mask, runs, twin }, name) {
  const { encoder, layers, readout } = model;
  const total = readout.labels.length;
  const sent = total <= MOST_OUTPUTS ? total : LIKELIEST;
  return {
    model: name,
    T: x.length,
    given,
    twin: twin !== null,
    tokens,
    x: { labels: encoder.labels },
    layers: layers.map(({ cell, H, b, c, backward }, i) => ({
      cell,
      H,
      backward_units: backward,
      ...(CELLS[cell].reset ? { reset: c ? "after" : "before" } : {}),
      b: Object.fromEntries(gatesOf(cell).map((gate) => [gate, [...b[gate]]])),
      h0: CELLS[cell].carried.flatMap((signal) => [...runs[i].states[signal]]),
      held: runs[i].held,
    })),
    y: { kind: readout.kind, labels: isRanked(model) ? [] : readout.labels.slice(0, sent), sent, total },
    right: answersOf(original.task, x),
    others,
    mask,
    scale: scaleOf(encoder),
    baselines: encoder.kind === "scaled" ? baselinesOf(original, x, given) : null,
  };
}

/**
 * Return the forecast that each baseline makes after each timestep, in the unit of the series. A forecast is null if the baseline has
 * not read enough numbers. After the first `given` numbers, each baseline reads its own forecasts.
 * @param {Model} model @param {Vector[]} x @param {number} given
 */
function baselinesOf({ encoder, regressions }, x, given) {
  const last = x[given - 1][0];
  /** @type {Record<string, (number | null)[]>} */
  const forecasts = { "last value": x.map(([number], t) => inUnit(encoder, t < given ? number : last)) };
  for (const [name, weights] of Object.entries(regressions)) {
    const order = weights.length - 1;
    const read = x.slice(0, given).map(([number]) => number);
    forecasts[name] = x.map((_, t) => {
      if (given < order || t < order - 1) return null;
      const y = read.slice(t - order + 1, t + 1).reduce((sum, number, i) => sum + weights[i] * number, weights[order]);
      if (t >= given - 1) read.push(y);
      return inUnit(encoder, y);
    });
  }
  return forecasts;
}

/** Return the scale of a model's numbers, or null if the model reads symbols or numbers without a scale. @param {Model["encoder"]} encoder */
const scaleOf = ({ kind, unit = "", scale = 1, decimals = 2 }) =>
  kind === "scaled" ? { unit, decimals, least: LEAST_DIFFERENCE * scale } : null;

/** Convert a number of the network to the unit of the series. @param {Model["encoder"]} encoder @param {number} x */
const inUnit = ({ scale = 1, shift = 0 }, x) => x * scale + shift;

/** @param {Model} model */
const isRanked = ({ readout: { kind, labels } }) => kind === "softmax" && labels.length > MOST_OUTPUTS;

/** @param {Answered} answered @param {number} t from 0 @returns {Step} */
function stepOf({ model, x, runs, twin, outputs, twinOutputs }, t) {
  const layers = runs.map(({ steps }, i) => named(steps[t], twin && twin[i].steps[t]));
  const y = outputs[t];
  const step = { t: t + 1, layers, x: base64(x[t]) };
  if (isRanked(model)) {
    const first = likeliest(model, y);
    const ranked = { ...step, y: base64(first.values), labels: first.labels };
    if (!twin) return ranked;
    const other = likeliest(model, twinOutputs[t]);
    return { ...ranked, "twin.y": base64(other.values), "twin.labels": other.labels };
  }
  const sent = (/** @type {Vector} */ values) => (values.length > MOST_OUTPUTS ? values.slice(0, LIKELIEST) : values);
  const other = twin && twinOutputs[t];
  const units = model.encoder.kind === "scaled" ? numbersOf(model, x[t], y, other) : {};
  if (!other) return { ...step, y: base64(sent(y)), ...units };
  const gap = y.map((value, k) => value - other[k]);
  return { ...step, y: base64(sent(y)), "twin.y": base64(sent(other)), "delta.y": base64(sent(gap)), ...units };
}

/**
 * Return the input and the outputs of a timestep in the unit of the series, in base64.
 * @param {Model} model @param {Vector} x @param {Vector} y @param {Vector | null} other @returns {Partial<Step>}
 */
function numbersOf({ encoder, readout: { kind, labels } }, x, y, other) {
  const [numbers, number, otherNumber] = [x, y, other ?? []].map((all) =>
    Float64Array.from(all, (value) => inUnit(encoder, value)),
  );
  const input = { "number.x": base64(numbers) };
  if (kind !== "linear" || labels.length > 1) return input;
  const output = { ...input, "number.y": base64(number) };
  if (!other) return output;
  const gap = number.map((value, k) => value - otherNumber[k]);
  return { ...output, "number.twin.y": base64(otherNumber), "number.delta.y": base64(gap) };
}

/** Return the values and the labels of the likeliest outputs, the likeliest first. @param {Model} model @param {Vector} y */
function likeliest({ readout: { labels } }, y) {
  const places = [...y.keys()].sort((a, b) => y[b] - y[a] || a - b).slice(0, LIKELIEST);
  return { values: Float64Array.from(places, (k) => y[k]), labels: places.map((k) => labels[k]) };
}

/** Return a layer's values at a timestep, in base64, by their names in the event stream. @param {Values} values @param {Values | null} twin */
function named({ signals, Wx, Uh, computed, h_prev, half_life }, twin) {
  /** @type {Record<string, string>} */
  const rows = {};
  const put = (/** @type {string} */ name, /** @type {Vector} */ row) => (rows[name] = base64(row));
  for (const [name, row] of Object.entries(signals)) put(name, row);
  for (const [gate, row] of Object.entries(Wx)) put(`Wx.${gate}`, row);
  for (const [gate, row] of Object.entries(Uh)) put(`Uh.${gate}`, row);
  for (const [name, row] of Object.entries(computed)) put(`computed.${name}`, row);
  if (computed.h_prev) put("h_prev", h_prev);
  if (half_life) put("half_life", half_life);
  for (const [name, row] of Object.entries(twin?.signals ?? {})) {
    put("twin." + name, row);
    const gaps = row.map((value, i) => signals[name][i] - value);
    put("delta." + name, gaps);
  }
  return rows;
}

/** Encode numbers as little-endian float64 in base64. @param {Vector} values */
function base64(values) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {Answered} answered @returns {Done} */
function doneOf({ runs, twin, outputs, twinOutputs, model }) {
  const moved = runs.map(({ steps, layer: { H } }) => {
    const sums = new Array(H).fill(0);
    for (const { signals, h_prev } of steps)
      for (let unit = 0; unit < H; unit++) sums[unit] += Math.abs(signals.h[unit] - h_prev[unit]);
    return sums;
  });
  if (!twin) return { moved, twin: null, last: null };
  const first = outputs.findIndex((y, t) => differ(model, y, twinOutputs[t])) + 1;
  let most = null;
  let largest = 0;
  for (const t of outputs.keys())
    for (const [layer, { steps }] of runs.entries()) {
      const [h, other] = [steps[t].signals.h, twin[layer].steps[t].signals.h];
      for (let unit = 0; unit < h.length; unit++) {
        const gap = Math.abs(h[unit] - other[unit]);
        if (gap <= largest) continue;
        largest = gap;
        most = { layer: layer + 1, unit: unit + 1, t: t + 1, gap };
      }
    }
  return { moved, twin: { first: first || null, most }, last: null };
}

/**
 * Return whether two outputs differ in the likeliest label, or in a number by more than LEAST_DIFFERENCE.
 * @param {Model} model @param {Vector} y @param {Vector} other
 */
function differ({ readout: { kind } }, y, other) {
  if (kind === "linear") return y.some((value, k) => Math.abs(value - other[k]) > LEAST_DIFFERENCE);
  const best = (/** @type {Vector} */ values) => values.indexOf(Math.max(...values));
  return best(y) !== best(other);
}

/** @typedef {{layer: number, unit: number, from: number, to: number}} Place */

/** Return the contributions to a unit's state, in the form of /api/ledger. @param {Answered} answered @param {Place} question */
export function ledger({ runs, twin }, { layer, unit, from, to }) {
  const sharesOf = (/** @type {LayerRun} */ run) => {
    const mixed = mixture(run, unit - 1);
    if (!mixed) throw new ScenarioError("an RNN has no contributions of timesteps", "layer");
    return shares(run, mixed, unit - 1, from, to);
  };
  const other = twin && sharesOf(twin[layer - 1]);
  const fields = { twin: other?.shares ?? null, twin_largest: other?.largest ?? null };
  return { layer, unit, from, to, ...sharesOf(runs[layer - 1]), ...fields };
}

/** Return the equations of a unit, in the form of /api/equations. @param {Answered} answered @param {Scenario & Place} question */
export function equations({ runs }, { layer, unit, from, to }) {
  /** @type {EquationStep[]} */
  const steps = [];
  for (let t = from - 1; t < to; t++) steps.push(equationStep(runs[layer - 1], t, unit - 1));
  return { layer, unit, from, to, steps };
}

/** Return the sums of a unit's gates, in the form of /api/sums. @param {Answered} answered @param {Scenario & Place} question */
export function sums({ original, model, runs }, { layer, unit, from, to, weights }) {
  const { layer: weighted, steps } = runs[layer - 1];
  const { cell, I, c } = weighted;
  const below = model.layers[layer - 2];
  const inputs = below ? Array.from({ length: below.H }, (_, j) => `h${j + 1}`) : model.encoder.labels;
  const part = steps.slice(from - 1, to);
  const i = unit - 1;
  const gates = gatesOf(cell).map((gate) => {
    const row = rowOf(weighted, gate, i);
    const isGated = gate === CELLS[cell].reset;
    const past = part.map(({ h_prev, signals: { r } }) =>
      isGated ? h_prev.map((h, k) => h * (c ? r[i] : r[k])) : h_prev,
    );
    const isRecurrent = CELLS[cell].recurrent.includes(gate);
    const sum = {
      ...row,
      Wx: part.map(({ x }) => [...x].slice(0, I).map((value, j) => row.W[j] * value)),
      Uh: past.map((old) => (isRecurrent ? [...old].map((value, k) => row.U[k] * value) : [])),
      rc: isGated && c ? part.map(({ signals: { r } }) => r[i] * c[i]) : null,
      past: isGated ? past.map((old) => [...old]) : null,
      trained: weights.length ? rowOf(original.layers[layer - 1], gate, i) : null,
    };
    return [gate, sum];
  });
  return { layer, unit, from, to, inputs, gates: Object.fromEntries(gates) };
}

/** Return a unit's weights in the sum of a gate. @param {import("./cells.js").Layer} layer @param {string} gate @param {number} i */
const rowOf = ({ cell, H, I, W, U, b, c }, gate, i) => ({
  W: [...W[gate].slice(i * I, (i + 1) * I)],
  U: U[gate] ? [...U[gate].slice(i * H, (i + 1) * H)] : [],
  b: b[gate][i],
  c: gate === CELLS[cell].reset && c ? c[i] : null,
});
