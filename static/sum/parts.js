/** The products in the sum of the open gate, and the number of decimals that the page prints to make the products add up. */

/** @import { WeightPlace } from "../run.js" */
/** @import { State, Sums } from "../state.js" */
import { isBackward } from "../directions.js";
import { ownOf } from "../own.js";
import { before, inputsOf, shownAs, turned } from "../reading.js";
import { clampAt, fixed } from "../run.js";
import { layerIndex, layerOf } from "../state.js";
import { DECIMALS } from "../thresholds.js";

/**
 * One product in the sum. `trained` is the trained value of the weight. `term` is the term of the sum to which the product belongs.
 * @typedef {{term: string, name: string, place: WeightPlace, weight: number, trained: number, value: number, product: number}} Part
 */

/** Return −1 if the page shows the open gate's sum negated, else 1. @param {State} state */
export const signOf = (state) => (turned(state, state.gate) ? -1 : 1);

/**
 * Return the products in the open gate's sum, largest first.
 * @param {State} state
 * @param {Sums} sums
 * @returns {Part[]}
 */
export function partsOf(state, sums) {
  const { gate, step, unit } = state;
  const sum = sums.gates[gate];
  const { W, U, b, c, Wx, Uh, rc, past } = sum;
  const trained = sum.trained ?? sum;
  const [row, column, layer, sign] = [step - sums.from, step - 1, layerIndex(state), signOf(state)];

  /**
   * @param {string} term @param {string} name @param {WeightPlace["part"]} part @param {number | null} index from 0
   * @param {number} weight @param {number} trained @param {number} value @param {number} product
   * @returns {Part}
   */
  const newPart = (term, name, part, index, weight, trained, value, product) => ({
    term: `${gate}.${term}`,
    name,
    place: { layer: layer + 1, gate, unit: unit + 1, part, index: index === null ? null : index + 1 },
    weight: sign * weight,
    trained: sign * trained,
    value,
    product: sign * product,
  });
  const inputName = (/** @type {number} */ j) => (layer === 0 ? sums.inputs[j] : `${sums.inputs[j]} of layer ${layer}`);
  const inputs = inputsOf(state).map((values) => values[column]);
  const stateName = (/** @type {number} */ k) =>
    `${ownOf(state).factorIn(gate)}h${k + 1}, t ${isBackward(layerOf(state), unit) ? "+" : "−"} 1`;
  const isRead = (/** @type {number} */ k) => isBackward(layerOf(state), k) === isBackward(layerOf(state), unit);
  const old = (/** @type {number} */ k) =>
    past?.[row][k] ?? clampAt(state.run, "h_prev", layer, k, step)?.value ?? before(state, "h", k);
  const parts = [
    ...W.map((weight, j) => newPart("Wx", inputName(j), "W", j, weight, trained.W[j], inputs[j], Wx[row][j])),
    ...U.flatMap((weight, k) =>
      isRead(k) ? newPart("Uh", stateName(k), "U", k, weight, trained.U[k], old(k), Uh[row][k]) : [],
    ),
    newPart("b", "bias b", "b", null, b, trained.b, 1, b),
  ];
  if (c !== null && trained.c !== null && rc)
    parts.push(newPart("Uh", "r × bias c", "c", null, c, trained.c, layerOf(state).rows.r[unit][column], rc[row]));
  return parts.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
}

/**
 * Round a number as the page prints it. The page then computes with printed numbers as a reader would.
 * @param {number} value @param {number} [decimals]
 */
export const printed = (value, decimals) => shownAs(fixed(value, decimals));

/**
 * Return the number of decimals with which the printed products add up to the printed sum, and the printed sum gives the printed
 * gate. If no number of decimals does both, `off` says whether the sum and the gate (`value`) differ in the last digit.
 * @param {number[]} products @param {number} a the sum
 * @param {readonly number[]} [valueFollows] the numbers of decimals with which the printed sum gives the printed gate
 */
export function roundingOf(products, a, valueFollows = DECIMALS) {
  const adds = (/** @type {number} */ n) => {
    const sum = products.reduce((sum, product) => sum + printed(product, n), 0);
    return Math.abs(sum - printed(a, n)) <= 0.5 * 10 ** -n + 1e-9; // half a unit of the last digit may be rounded either way
  };
  const enough = DECIMALS.find((n) => adds(n) && valueFollows.includes(n));
  if (enough) return { decimals: enough, off: { sum: false, value: false } };
  const [fewest] = DECIMALS;
  return { decimals: fewest, off: { sum: !adds(fewest), value: !valueFollows.includes(fewest) } };
}
