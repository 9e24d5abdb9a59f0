/**
 * What the inspector reads off a run at the cursor: numbers that came, and the sums and products of them that the
 * equations show. No model is run here.
 */

/** @import { Gate, Held, Layer, Rows, Signal } from "./run.js" */
/** @import { State } from "./state.js" */
import { GATES, answer, clampAt, fixed } from "./run.js";
import { detailAt, layerIndex, layerOf } from "./state.js";

/** @typedef {{Wx: number, Uh: number, b: number, a: number}} Sum the parts of a gate's sum and the sum, a = W x + U h + b */
/**
 * One step of one unit. `z` and its sum are as the convention names them; `keep` and `take` are the weights of
 * h_{t−1} and of h̃_t, whatever they are called. `x` is the input of the step, `read` what the layer reads of it; `matters`
 * is how much of what r does is taken. `replaced` has, of what is held, the value that was computed.
 * @typedef {{t: number, T: number, unit: number, H: number, layer: number, layers: number, reset: "before" | "after",
 *            x: string, read: string, matters: number, y: string, r: number, z: number, h_tilde: number, h: number, h_prev: number,
 *            keep: number, take: number, kept: number, taken: number, past: number,
 *            sums: Record<Gate, Sum>, replaced: Partial<Record<Held, number>>}} Reading
 */

/**
 * @param {State} state
 * @param {number} [unit]
 * @returns {Reading}
 */
export function reading(state, unit = state.unit) {
  const { step, run, convention } = state;
  const { rows, b, h0, H, reset } = layerOf(state);
  const column = step - 1;
  const at = (/** @type {keyof typeof rows} */ name) => rows[name][unit][column];
  const flipped = convention === "pytorch";
  /** @param {Gate} gate @returns {Sum} */
  const sum = (gate) => {
    // z = σ(a) and 1 − z = σ(−a): the other convention's weights are these, negated.
    const sign = flipped && gate === "z" ? -1 : 1;
    const [Wx, Uh, bias] = [sign * at(`Wx.${gate}`), sign * at(`Uh.${gate}`), sign * b[gate][unit]];
    return { Wx, Uh, b: bias, a: Wx + Uh + bias };
  };
  const seen = clampAt(run, "h_prev", layerIndex(state), unit, step)?.value;
  const h_prev = seen ?? (step === 1 ? h0[unit] : rows.h[unit][column - 1]);
  const [r, take, h_tilde] = [at("r"), at("z"), at("h_tilde")];
  const keep = 1 - take;
  /** @type {Partial<Record<Held, number>>} */
  const replaced = {};
  for (const [gate, computed] of Object.entries(layerOf(state).computed)) {
    if (!clampAt(run, /** @type {Held} */ (gate), layerIndex(state), unit, step)) continue;
    const value = computed[unit][column];
    replaced[/** @type {Held} */ (gate)] = flipped && gate === "z" ? 1 - value : value;
  }
  const sums = /** @type {Record<Gate, Sum>} */ (Object.fromEntries(GATES.map((gate) => [gate, sum(gate)])));
  return {
    t: step,
    T: run.T,
    unit,
    H,
    layer: layerIndex(state),
    layers: run.layers.length,
    reset,
    x: run.tokens?.[column] ?? "numbers",
    read: layerIndex(state) === 0 ? (run.tokens?.[column] ?? "numbers") : `layer ${layerIndex(state)}`,
    matters: rMatters(layerOf(state), unit, column),
    y: answer(run, column).text,
    r,
    z: flipped ? keep : take,
    h_tilde,
    h: at("h"),
    h_prev,
    keep,
    take,
    kept: keep * h_prev,
    taken: take * h_tilde,
    // What the reset gate lets through: of the state itself, or of its product with U.
    past: reset === "before" ? r * h_prev : sums.h_tilde.Uh,
    sums,
    replaced,
  };
}

/** The rows of a signal as the convention names it. @param {State} state @param {Signal} signal @returns {Rows} */
export function rowsOf(state, signal) {
  const rows = layerOf(state).rows[signal];
  return signal === "z" && state.convention === "pytorch" ? rows.map((row) => row.map((z) => 1 - z)) : rows;
}

/**
 * What a picture shows of a signal: its values, or how they differ from the untouched run's.
 * @param {State} state @param {Signal} signal @returns {Rows}
 */
export function shownRows(state, signal) {
  const { rows, twin } = layerOf(state);
  const untouched = twin[signal];
  if (!state.difference || !untouched) return rowsOf(state, signal);
  const sign = signal === "z" && state.convention === "pytorch" ? -1 : 1;
  return rows[signal].map((row, unit) => row.map((value, column) => sign * (value - untouched[unit][column])));
}

/**
 * Of z what tells where r matters: before the product r_i changes what every unit's candidate sees of unit i, so that it
 * matters where any of them is taken; after it, where its own is.
 * @param {Layer} layer @param {number} unit @param {number} column
 */
function rMatters({ reset, rows: { z } }, unit, column) {
  return reset === "after" ? z[unit][column] : Math.max(...z.map((row) => row[column]));
}

/** The same for every cell. @param {Layer} layer @returns {Rows} */
export function veilOf(layer) {
  const { z } = layer.rows;
  if (layer.reset === "after" || z.length === 1) return z;
  const most = z[0].map((_, column) => rMatters(layer, 0, column));
  return z.map(() => most);
}

/** What a layer reads: the encoded input, or the states of the layer below. @param {State} state @returns {Rows} */
export function inputsOf(state) {
  const layer = layerIndex(state);
  return layer === 0 ? state.run.inputs : state.run.layers[layer - 1].rows.h;
}

/** A step, from 1, with what names it. @typedef {{step: number, value: number}} Named */

/** @param {number[]} values by step */
function largest(values) {
  const value = Math.max(...values);
  return { step: values.indexOf(value) + 1, value };
}

/** Of what the cursor's state is made, if that is known: the row of the ledger. @param {State} state */
export function sharesAt(state) {
  const ledger = detailAt(state, "ledger");
  const row = state.step - (ledger?.from ?? 0);
  return ledger && { shares: ledger.shares[row], twin: ledger.twin?.[row] ?? null };
}

/** The step that wrote most of the cursor's state, and its share. @param {State} state @returns {Named | null} */
export function writtenAt(state) {
  const row = sharesAt(state);
  return row && largest(row.shares.slice(1, state.step + 1));
}

/** What the first share of the cursor's state is of: h₀, or what a hold put in later. @param {State} state */
export function originAt(state) {
  const ledger = detailAt(state, "ledger");
  const row = state.step - (ledger?.from ?? 0);
  const [value, since] = [ledger?.origins[row] ?? 0, ledger?.since[row] ?? 0];
  return since ? `the ${fixed(value)} that was put in at t = ${since}` : `h₀ = ${fixed(value)}`;
}

/** What is left of that, if it is the most of it. @param {State} state */
export function leftFromStart(state) {
  const [share, ...written] = sharesAt(state)?.shares ?? [0];
  return share > Math.max(...written) ? { share, name: originAt(state) } : null;
}

/** The step whose input the cursor's output would move most with, and how much. @param {State} state @returns {Named | null} */
export function listensTo(state) {
  const found = detailAt(state, "sensitivity");
  return found && largest(found.x_norm);
}

/**
 * Steps until half of a state is gone, were this share of it replaced at each: ln ½ / ln (1 − z).
 * @param {number} take
 */
export const halfLife = (take) => Math.LN2 / -Math.log1p(-take);

const sigmoid = { name: "σ", of: (/** @type {number} */ a) => 1 / (1 + Math.exp(-a)) };

/** What makes a gate of its sum. */
export const FUNCTIONS = { r: sigmoid, z: sigmoid, h_tilde: { name: "tanh", of: Math.tanh } };

const FEWEST = 2;
const MOST = 4; // decimals

/** A number as it is shown, to reckon on with. @param {string} text */
export const shownAs = (text) => Number(text.replace("−", "-"));

/**
 * With how many decimals an equation is written, so that what is shown agrees: what one reckons from the numbers shown
 * gives the result shown. Where no number of decimals does that, `off` says of which results the last digit is off.
 * @param {(as: (value: number) => number) => [reckoned: number, result: number][]} checks
 * @returns {{decimals: number, off: boolean[]}}
 */
export function rounding(checks) {
  const tried = (/** @type {number} */ decimals) => {
    const as = (/** @type {number} */ value) => shownAs(fixed(value, decimals));
    // Half a unit is rounded either way.
    return checks(as).map(([reckoned, result]) => !(Math.abs(reckoned - as(result)) <= 0.5 * 10 ** -decimals + 1e-9));
  };
  for (let decimals = FEWEST; decimals <= MOST; decimals++) {
    const off = tried(decimals);
    if (!off.includes(true)) return { decimals, off };
  }
  return { decimals: FEWEST, off: tried(FEWEST) };
}

/**
 * The numbers of the four equations as they are written, by slot, and of which results the last digit is off.
 * @param {Reading} at
 * @returns {{slots: Record<string, string>, rounded: Set<string>}}
 */
export function equations(at) {
  /** @type {Record<string, string>} */
  const slots = {};
  /** @type {Set<string>} */
  const rounded = new Set();
  for (const gate of GATES) {
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
