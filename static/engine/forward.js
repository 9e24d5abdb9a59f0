/** Runs of a model over a sequence: every layer at every timestep, with clamps and skipped timesteps. */

/** @import { Held, Layer, Values, Vector } from "./cells.js" */
/** @import { Clamp } from "../run.js" */
/**
 * A run of a layer from the initial `states`. `clamps` has the clamps of the layer, and `held` the names of the clamped values. `mask`
 * is false at the skipped timesteps.
 * @typedef {{layer: Layer, steps: Values[], held: string[], states: Record<string, Vector>, clamps: Clamp[], mask: boolean[] | null}} LayerRun
 */
import { CELLS, step } from "./cells.js";
import { beside, halves, part } from "./directions.js";

/**
 * Run layers over the inputs `x`. `clamps` count timesteps from 1. `states` has the initial state of each layer; null means zero.
 * `mask` is false at the timesteps that the network skips.
 * @param {Layer[]} layers @param {Vector[]} x @param {readonly Clamp[]} clamps
 * @param {Record<string, Vector>[] | null} [states] @param {boolean[] | null} [mask] @param {number} [nudge] see `growth`
 * @returns {LayerRun[]}
 */
export function forward(layers, x, clamps, states = null, mask = null, nudge = 0) {
  /** @type {LayerRun[]} */
  const runs = [];
  let inputs = x;
  const skips = mask?.includes(false) ? mask : null;
  for (const [i, layer] of layers.entries()) {
    const { carried, skip } = CELLS[layer.cell];
    const own = clamps.filter((clamp) => clamp.layer === i + 1);
    const held = [...new Set(own.map(({ gate }) => gate))];
    const names = new Set(skips ? [...held, ...Object.keys(skip)] : held);
    const first = states?.[i] ?? Object.fromEntries(carried.map((name) => [name, new Float64Array(layer.H)]));
    const timesteps = inputs.map((input, t) => {
      const skipped = skips?.[t] === false;
      return { x: input, held: heldAt(layer, own, names, t + 1, skipped ? skip : null), skipped };
    });
    const steps = runLayer(layer, timesteps, first, nudge);
    runs.push({ layer, steps, held, states: first, clamps: own, mask });
    inputs = steps.map(({ signals }) => signals.h);
  }
  return runs;
}

/**
 * The data for running one timestep: the input, the clamped values, and whether the network skips the timestep.
 * @typedef {{x: Vector, held: Held, skipped: boolean}} Timestep
 */

/** Run a layer over timesteps. @param {Layer} layer @param {Timestep[]} timesteps @param {Record<string, Vector>} first the initial state @param {number} nudge @returns {Values[]} */
function runLayer(layer, timesteps, first, nudge) {
  if (layer.backward) return runBoth(layer, timesteps, first, nudge);
  let state = first;
  return timesteps.map(({ x, held, skipped }, t) => {
    const values = step(layer, x, state, held, skipped);
    state = Object.fromEntries(CELLS[layer.cell].carried.map((name) => [name, nudged(values.signals[name], nudge, t)]));
    return values;
  });
}

/** Run both directions of a bidirectional layer. @type {typeof runLayer} */
function runBoth(layer, timesteps, first, nudge) {
  const [forwards, backwards] = halves(layer);
  const n = forwards.H;
  const ofUnits = (/** @type {number} */ from, /** @type {number} */ to) =>
    timesteps.map((timestep) => ({ ...timestep, held: part(timestep.held, from, to) }));
  const ahead = runLayer(forwards, ofUnits(0, n), part(first, 0, n), nudge);
  const back = runLayer(backwards, ofUnits(n, layer.H).reverse(), part(first, n), nudge).reverse();
  return ahead.map((values, t) => beside(values, back[t]));
}

/**
 * Return the clamped values of a layer at timestep `t`. If clamps overlap, the last one counts.
 * @param {Layer} layer @param {Clamp[]} clamps @param {Set<string>} names @param {number} t from 1
 * @param {Record<string, number> | null} skip the values to clamp at a skipped timestep, where the clamps have no effect; null at other timesteps
 * @returns {Held}
 */
function heldAt({ H }, clamps, names, t, skip) {
  /** @type {Held} */
  const held = {};
  for (const name of names) held[name] = new Float64Array(H).fill(skip?.[name] ?? NaN);
  if (skip) return held;
  for (const { gate, units, from, to, value } of clamps) {
    if (t < from || t > (to ?? Infinity)) continue;
    if (!units) held[gate].fill(value);
    else for (const unit of units) held[gate][unit - 1] = value;
  }
  return held;
}

/**
 * Add the small number `by`, or −`by`, to a state. The sign differs between units and timesteps.
 * @param {Vector} state @param {number} by @param {number} t
 */
const nudged = (state, by, t) => (by ? state.map((value, i) => value + ((i * 7 + t * 3) % 5 < 2 ? by : -by)) : state);

const NUDGE = 1e-10;

/** If a network amplifies small differences by this factor or more, two correct implementations can give different numbers. See `growth`. */
export const CHAOTIC = 1e3;

/**
 * Measure how much a network amplifies small differences. Change the state by 1e-10 at every timestep, and return the largest effect
 * on a later state, as a multiple of 1e-10. In a network that stores its state these changes add up, so the multiple is at most T. In
 * a chaotic network the multiple grows exponentially, and any two implementations give different runs.
 * @param {LayerRun[]} runs the run without these changes
 */
export function growth(runs) {
  const layers = runs.map(({ layer }) => layer);
  const [{ steps, mask }] = runs;
  const clamps = runs.flatMap((run) => run.clamps);
  const x = steps.map((values) => values.x);
  const states = runs.map((run) => run.states);
  let largest = 0;
  for (const [i, moved] of forward(layers, x, clamps, states, mask, NUDGE).entries())
    for (const [t, { signals }] of moved.steps.entries()) {
      const h = runs[i].steps[t].signals.h;
      for (let unit = 0; unit < h.length; unit++) largest = Math.max(largest, Math.abs(signals.h[unit] - h[unit]));
    }
  return largest / NUDGE;
}
