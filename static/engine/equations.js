/** The numbers in the equations of a timestep, as in gru_core/cells/equations.py: the products, and how many decimals a page must print. */

/** @import { LayerRun } from "./forward.js" */
/** @import { Values } from "./cells.js" */
/** @import { EquationStep } from "../run.js" */
/**
 * The result of an equation: its name, its value computed from rounded numbers, and its exact value.
 * @typedef {[name: string, workedOut: number, exact: number]} Result
 */
import { DECIMALS, LARGE } from "../thresholds.js";
import { CELLS, gatesOf, squash } from "./cells.js";

/** Round a number as the page prints it. @param {number} x @param {number} decimals */
function printed(x, decimals) {
  const size = Math.abs(x);
  const scale = size < LARGE ? 10 ** decimals : 10 ** (1 - Math.floor(Math.log10(size)));
  return (Math.sign(x) * Math.floor(size * scale + 0.5)) / scale;
}

/** Return the products of a unit in the order of the cell's parts. @param {LayerRun["layer"]} layer @param {Values} values @param {number} unit */
function products({ cell, c }, values, unit) {
  const { mixture, reset, output } = CELLS[cell];
  if (!mixture) return [];
  const { signals, h_prev, Uh } = values;
  const { keep, old, take, candidate } = mixture.terms(values, unit);
  return [
    keep * old,
    take * candidate,
    ...(reset ? [c ? Uh[reset][unit] : signals.r[unit] * h_prev[unit]] : []),
    ...(output ? [Math.tanh(signals[mixture.state][unit])] : []),
  ];
}

/**
 * Compute the results of a unit's equations from rounded numbers. For a clamped signal, `exact` is the value without the clamp.
 * @param {LayerRun["layer"]} layer @param {Values} values @param {number} unit @param {(x: number) => number} rounded @returns {Result[]}
 */
function workedOut({ cell, b }, values, unit, rounded) {
  const { functions, mixture, output } = CELLS[cell];
  const { signals, Wx, Uh, computed } = values;
  const free = (/** @type {string} */ name) => (computed[name] ?? signals[name])[unit];
  /** @type {Result[]} */
  const results = [];
  for (const gate of gatesOf(cell)) {
    const terms = [Wx[gate][unit], ...(Uh[gate] ? [Uh[gate][unit]] : []), b[gate][unit]];
    const [sum, worked] = [terms, terms.map(rounded)].map((parts) => parts.reduce((a, b) => a + b));
    if (functions[gate] === null) results.push([`${gate}.value`, worked, free(gate)]);
    else results.push([`${gate}.a`, worked, sum], [`${gate}.value`, squash(functions[gate], rounded(sum)), free(gate)]);
  }
  if (!mixture) return results;
  const { keep, old, take, candidate } = mixture.terms(values, unit);
  const mixed = rounded(keep) * rounded(old) + rounded(take) * rounded(candidate);
  results.push([`${mixture.state}.value`, mixed, free(mixture.state)]);
  if (output) {
    const [o, c] = [signals[output][unit], signals[mixture.state][unit]];
    results.push(["h.tanh_c", Math.tanh(rounded(c)), Math.tanh(c)]);
    results.push(["h.value", rounded(o) * rounded(Math.tanh(c)), free("h")]);
  }
  return results;
}

/** @param {number} x @param {number} digits */
const round = (x, digits) => Math.round(x * 10 ** digits) / 10 ** digits;

/**
 * Return the numbers in the equations of a unit at a timestep.
 * @param {LayerRun} run @param {number} t from 0 @param {number} unit from 0 @returns {EquationStep}
 */
export function equationStep({ layer, steps }, t, unit) {
  const { H } = layer;
  const values = steps[t];
  const parts = products(layer, values, unit);
  const sums = parts.map(() => 0);
  if (parts.length)
    for (let other = 0; other < H; other++)
      for (const [k, part] of products(layer, values, other).entries()) sums[k] += part ** 2;
  const byDecimals = DECIMALS.map((n) => workedOut(layer, values, unit, (x) => printed(x, n)));
  /** @type {Record<string, number[]>} */
  const decimals = {};
  for (const [i, [name]] of byDecimals[0].entries()) {
    const enough = DECIMALS.filter((n, k) => {
      const [, worked, exact] = byDecimals[k][i];
      return Math.abs(worked - printed(exact, n)) <= 0.5 / 10 ** n + 1e-9;
    });
    if (enough.length < DECIMALS.length) decimals[name] = enough;
  }
  return {
    parts: parts.map((part) => round(part, 9)),
    sizes: sums.map((sum) => round(Math.sqrt(sum / H), 6)),
    decimals,
  };
}
