/** Checks of a scenario's weights, clamps and initial state, with the same messages as the server's checks (app/runs/scenario.py). */

/** @import { Layer, Vector } from "./cells.js" */
/** @import { Clamp, Weight } from "../run.js" */
import { CELLS, gatesOf } from "./cells.js";

/** The error for a scenario that cannot be run. `where` names the wrong part of the scenario. */
export class ScenarioError extends Error {
  /** @param {string} message @param {string} where */
  constructor(message, where) {
    super(message);
    this.where = where;
  }
}

const LARGEST = 1e3; // the largest absolute value of a weight, as in gru_core/runs/edit.py

/**
 * Return an error message if `place` is not from 1 to `most`, else "".
 * @param {string} name @param {number} place @param {string} inside @param {number} most
 */
const outside = (name, place, inside, most) =>
  place >= 1 && place <= most ? "" : `${name} ${place} is not in ${inside}: choose from 1 to ${most}`;

/**
 * Throw ScenarioError for the first problem that `problemOf` finds in the changes. `problemOf` returns "" for a change without a
 * problem.
 * @template T @param {string} where @param {readonly T[]} changes @param {(change: T) => string} problemOf
 */
function refuse(where, changes, problemOf) {
  const problem = changes.map(problemOf).find(Boolean);
  if (problem) throw new ScenarioError(problem, where);
}

/**
 * Throw ScenarioError if a changed weight does not exist in the layers, or if its value is out of range.
 * @param {Layer[]} layers @param {readonly Weight[]} weights
 */
export function checkWeights(layers, weights) {
  refuse("weights", weights, ({ value }) =>
    Math.abs(value) <= LARGEST
      ? ""
      : `a weight cannot be ${value}: choose from -${LARGEST.toLocaleString("en")} to ${LARGEST.toLocaleString("en")}`,
  );
  refuse("weights", weights, ({ layer }) => outside("layer", layer, "this model", layers.length));
  refuse("weights", weights, ({ layer, gate, unit, part, index }) => {
    const { cell, H, I, c, title, backward } = layers[layer - 1];
    const gates = gatesOf(cell);
    if (!gates.includes(gate))
      return `this ${title} layer has no gate ${gate} with weights: choose one of ${gates.join(", ")}`;
    const wrongUnit = outside("unit", unit, "this layer", H);
    if (wrongUnit) return wrongUnit;
    if (part === "c" && !c) return "this layer has no bias c: its reset gate acts before the product";
    if (part === "U" && !CELLS[cell].recurrent.includes(gate))
      return `${gate} of this ${title} layer does not read the old state: it has no weight U`;
    if (index === null) return "";
    const isBackward = (/** @type {number} */ place) => place > H - backward;
    if (part === "U" && index <= H && isBackward(unit) !== isBackward(index))
      return `unit ${unit} does not read unit ${index}, which has the other direction`;
    return outside("index", index, part, part === "W" ? I : H);
  });
}

/**
 * Throw ScenarioError if a clamp is for a gate or a unit that does not exist, covers none of the T timesteps, or has a value out of
 * range.
 * @param {Layer[]} layers @param {readonly Clamp[]} clamps @param {number} T
 */
export function checkClamps(layers, clamps, T) {
  refuse("clamps", clamps, ({ layer }) => outside("layer", layer, "this model", layers.length));
  refuse("clamps", clamps, ({ layer, gate, value }) => {
    const { holds, title } = layers[layer - 1];
    if (!Object.hasOwn(holds, gate))
      return `this ${title} layer has no ${gate} to clamp: choose one of ${Object.keys(holds).join(", ")}`;
    const [low, high] = holds[gate];
    if (value >= low && value <= high) return "";
    return `${gate} cannot be clamped at ${value}: choose from ${low} to ${high}`;
  });
  refuse("clamps", clamps, ({ layer, gate, units, from, to }) => {
    const wrongUnit = units?.map((unit) => outside("unit", unit, "this layer", layers[layer - 1].H)).find(Boolean);
    if (wrongUnit) return wrongUnit;
    return from > T || (to ?? T) < from ? `the clamp on ${gate} covers none of the timesteps 1 to ${T}` : "";
  });
}

/**
 * Return the initial state of each layer by signal. Throws ScenarioError if a size is wrong or a value is out of range.
 * @param {Layer[]} layers @param {readonly (readonly number[])[]} h0 the state of each layer, in an LSTM h and then c
 */
export function statesOf(layers, h0) {
  const problem = (/** @type {string} */ message) => new ScenarioError(message, "h0");
  if (h0.length !== layers.length) {
    const counts = `${h0.length} layers, but this model has ${layers.length}`;
    throw problem(`the initial state has ${counts}: separate layers by semicolons`);
  }
  for (const [i, { cell, H }] of layers.entries()) {
    const [n, needed] = [h0[i].length, CELLS[cell].carried.length * H];
    const place = layers.length > 1 ? `layer ${i + 1} of ` : "";
    if (n !== needed) throw problem(`${place}the initial state has ${n} numbers, but this model needs ${needed}`);
  }
  return layers.map(({ cell, H, holds }, layer) => {
    /** @type {Record<string, Vector>} */
    const states = {};
    for (const [i, name] of CELLS[cell].carried.entries()) {
      const [low, high] = holds[name] ?? holds[`${name}_prev`];
      const state = Float64Array.from(h0[layer].slice(i * H, (i + 1) * H));
      if (state.some((value) => value < low || value > high))
        throw problem(`${name} of an initial state must be from ${low} to ${high}`);
      states[name] = state;
    }
    return states;
  });
}
