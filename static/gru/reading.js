/**
 * What the page reads off a GRU's run at the cursor: numbers that came, and the sums and products of them that its
 * equations show. No model is run here.
 */

/** @import { Layer, Rows } from "../run.js" */
/** @import { State } from "../state.js" */
import { rounding, turned } from "../reading.js";
import { answer, clampAt, fixed } from "../run.js";
import { layerIndex, layerOf } from "../state.js";

/** @typedef {"r" | "z" | "h_tilde"} Gate */
/** What can be held: a gate, the candidate, or h_{t−1} as a step sees it. @typedef {Gate | "h_prev"} Held */
/** @typedef {{Wx: number, Uh: number, b: number, a: number}} Sum the parts of a gate's sum and the sum, a = W x + U h + b */
/**
 * One step of one unit.
 * - `z` and its sum are as the convention names them. `keep` and `take` are the factors of h_{t−1} and of h̃_t in either
 *   convention, `kept` and `taken` the products.
 * - `x` is the model's input, `read` what this layer reads. `past` is what the reset gate lets through to the candidate.
 * - `matters`: how much what r does can matter. `half_life`: the steps after which half of the state would be gone.
 * - `replaced`: for each gate that is held, the value that was computed.
 * @typedef {{t: number, T: number, unit: number, H: number, layer: number, layers: number, reset: "before" | "after",
 *            x: string, read: string, matters: number, y: string, r: number, z: number, h_tilde: number, h: number, h_prev: number,
 *            keep: number, take: number, kept: number, taken: number, past: number, half_life: number,
 *            sums: Record<Gate, Sum>, replaced: Partial<Record<Held, number>>}} Reading
 */

/**
 * @param {State} state
 * @param {number} [unit]
 * @returns {Reading}
 */
export function reading(state, unit = state.unit) {
  const { step, run } = state;
  const { rows, b, h0, H, reset, held } = layerOf(state);
  const [layer, column] = [layerIndex(state), step - 1];
  const at = (/** @type {string} */ name) => rows[name][unit][column];
  /** @param {Gate} gate @returns {Sum} */
  const sum = (gate) => {
    const sign = turned(state, gate) ? -1 : 1;
    const [Wx, Uh, bias] = [sign * at(`Wx.${gate}`), sign * at(`Uh.${gate}`), sign * b[gate][unit]];
    return { Wx, Uh, b: bias, a: Wx + Uh + bias };
  };
  const seen = clampAt(run, "h_prev", layer, unit, step)?.value;
  const h_prev = seen ?? (step === 1 ? h0[unit] : rows.h[unit][column - 1]);
  const [r, take, h_tilde] = [at("r"), at("z"), at("h_tilde")];
  const keep = 1 - take;
  /** @type {Partial<Record<Held, number>>} */
  const replaced = {};
  for (const gate of /** @type {Held[]} */ (held)) {
    if (!clampAt(run, gate, layer, unit, step)) continue;
    const value = at(`computed.${gate}`);
    replaced[gate] = turned(state, gate) ? 1 - value : value;
  }
  const sums = { r: sum("r"), z: sum("z"), h_tilde: sum("h_tilde") };
  return {
    t: step,
    T: run.T,
    unit,
    H,
    layer,
    layers: run.layers.length,
    reset,
    x: run.tokens?.[column] ?? "numbers",
    read: layer === 0 ? (run.tokens?.[column] ?? "numbers") : `layer ${layer}`,
    matters: rMatters(layerOf(state), unit, column),
    y: answer(run, column).text,
    r,
    z: turned(state, "z") ? keep : take,
    h_tilde,
    h: at("h"),
    h_prev,
    keep,
    take,
    kept: keep * h_prev,
    taken: take * h_tilde,
    half_life: at("half_life"),
    // Of the state itself, or of its product with U.
    past: reset === "before" ? r * h_prev : sums.h_tilde.Uh,
    sums,
    replaced,
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

const sigmoid = { name: "σ", of: (/** @type {number} */ a) => 1 / (1 + Math.exp(-a)) };

/**
 * Which share of unit k's old state goes into the sum of a unit's gate. Into r and z all of it goes; into the candidate
 * what r lets through: r of unit k where it acts before the product, r of the unit itself where it acts after.
 * @param {Layer} layer @param {string} gate @param {number} unit @param {number} k @param {number} column
 */
export function seenBy({ reset, rows: { r } }, gate, unit, k, column) {
  if (gate !== "h_tilde") return { name: "", share: 1 };
  return { name: "r ⊙ ", share: r[reset === "before" ? k : unit][column] };
}

/** What makes a gate of its sum. @type {Record<string, {name: string, of: (a: number) => number}>} */
export const FUNCTIONS = { r: sigmoid, z: sigmoid, h_tilde: { name: "tanh", of: Math.tanh } };

/**
 * The numbers of the four equations as text, by slot, and the results whose last digit is off.
 * @param {Reading} at
 * @returns {{slots: Record<string, string>, rounded: Set<string>}}
 */
export function equations(at) {
  /** @type {Record<string, string>} */
  const slots = {};
  /** @type {Set<string>} */
  const rounded = new Set();
  for (const gate of /** @type {const} */ (["r", "z", "h_tilde"])) {
    const { Wx, Uh, b, a } = at.sums[gate];
    const computed = at.replaced[gate] ?? at[gate];
    const { decimals, off } = rounding((as) => [
      [as(Wx) + as(Uh) + as(b), a],
      [FUNCTIONS[gate].of(as(a)), computed],
    ]);
    ["a", "value"].forEach((name, i) => off[i] && rounded.add(`${gate}.${name}`));
    for (const [name, value] of Object.entries({ Wx, Uh, b, a, value: computed }))
      slots[`${gate}.${name}`] = fixed(value, decimals);
    slots[`${gate}.held`] = gate in at.replaced ? fixed(at[gate]) : "";
  }
  const { keep, take, h_prev, h_tilde, h } = at;
  const { decimals, off } = rounding((as) => [[as(keep) * as(h_prev) + as(take) * as(h_tilde), h]]);
  if (off[0]) rounded.add("h.value");
  for (const [name, value] of Object.entries({ keep, take, h_prev, h_tilde, value: h }))
    slots[`h.${name}`] = fixed(value, decimals);
  return { slots, rounded };
}
