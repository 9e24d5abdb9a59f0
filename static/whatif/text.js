/** Clamps, changed weights and scores in words. */

/** @import { Changes, Clamp, Weight } from "../run.js" */
/** @import { Score, State } from "../state.js" */
import { symbolOf } from "../cells.js";
import { converted, turned } from "../reading.js";
import { fixed, ofLayer } from "../run.js";
import { joined, percent } from "../words.js";

/** Describe a clamp: "z of unit 1 = 0.00 at t = 2 to 4". @param {State} state @param {Clamp} clamp */
export function tellClamp(state, { gate, units, from, to, value, layer }) {
  const { run } = state;
  const steps = (to ?? run.T) === from ? `t = ${from}` : `t = ${from} to ${to ?? "the end"}`;
  const symbol = symbolOf(run.layers[layer - 1], gate);
  return `${symbol} of ${tellUnits(units)}${ofLayer(run, layer)} = ${fixed(converted(state, gate, value))} at ${steps}`;
}

/** Describe a changed weight: "weight of A in z of unit 1 = 0.50". @param {State} state @param {Weight} weight */
export function tellWeight(state, { layer, gate, unit, part, index, value }) {
  const { run } = state;
  const below = layer === 1 ? (run.x.labels[(index ?? 0) - 1] ?? `input ${index}`) : `h${index} of layer ${layer - 1}`;
  const source = { W: below, U: `h${index}`, b: "", c: "" }[part];
  const symbol = symbolOf(run.layers[layer - 1], gate);
  const number = fixed(turned(state, gate) ? -value : value);
  return `${source ? `weight of ${source}` : `bias ${part}`} in ${symbol} of unit ${unit}${ofLayer(run, layer)} = ${number}`;
}

/** Name units: "unit 2", "units 1–3", "units 1, 3" or, for null, "all units". @param {readonly number[] | null} units */
export function tellUnits(units) {
  if (!units) return "all units";
  if (units.length === 1) return `unit ${units[0]}`;
  const consecutive = units.every((unit, i) => unit === units[0] + i);
  return `units ${consecutive ? `${units[0]}–${units[units.length - 1]}` : units.join(", ")}`;
}

/** Describe how the changes affect the score. @param {Score} score */
export function tellScore({ run, name, untouched, changed, sequences, steps, held }) {
  const places = [...new Set(held.map(({ at }) => at))];
  const clamps = places.length ? `the ${held.length > 1 ? "clamps" : "clamp"} at ${joined(places)}` : "";
  const changes = [clamps, run.weights.length ? countWeights(run) : ""].filter(Boolean).join(" and ");
  const text = (/** @type {number} */ value) => (name === "accuracy" ? percent(value) : value.toPrecision(2));
  const kind = name === "accuracy" ? "accuracy" : "mean squared error";
  const data = `${sequences.toLocaleString("en")} held-out sequences of up to ${steps} timesteps`;
  return `With ${changes}, the ${kind} on ${data} is ${text(changed)}. The original ${kind} is ${text(untouched)}.`;
}

/** @param {Changes} changes */
const countWeights = ({ weights }) => `${weights.length} changed ${weights.length === 1 ? "weight" : "weights"}`;
