/** The columns of the table of units: their headings, their text for each unit, and how they sort the units. */

/** @import { CensusUnit } from "../views/census.js" */
/**
 * A column: its heading, the title of its sort button, a function that returns the text for a unit, and a function that returns the
 * number by which the column sorts.
 * @typedef {{head: string, title: string, text: (unit: CensusUnit) => string, key: (unit: CensusUnit) => number}} Column
 */

/** Format a share as a percentage. @param {number} value */
export const share = (value) => `${Math.round(100 * value)}%`;

const decimals = (/** @type {number} */ digits) => (/** @type {number} */ value) => value.toFixed(digits);
const timesteps = (/** @type {number} */ value) => Number(value.toPrecision(3)).toLocaleString("en");

/**
 * A quantity of a unit, as an array: its heading; its title; a function that returns the value for a unit, or null; a function that
 * formats a value; and a function that returns the number to sort by, by default the value.
 * @typedef {[string, string, (unit: CensusUnit) => number | null, (value: number) => string, ((value: number) => number)?]} Quantity
 */

/** @type {Quantity[]} */
const QUANTITIES = [
  ["range of h", "highest minus lowest state", ({ lowest, highest }) => highest - lowest, decimals(2)],
  ["half-life", "timesteps until half of the state is left", (unit) => unit.half_life, timesteps],
  ["longest", "the longest half-life at a timestep", (unit) => unit.longest_half_life, timesteps],
  [
    "AUC",
    "how well the state separates the two labels; sorted by the distance from 0.5",
    (unit) => unit.auc,
    decimals(3),
    (value) => Math.abs(value - 0.5),
  ],
  [
    "correlation",
    "the correlation of the state with the numbers, without its sign",
    (unit) => unit.correlation,
    decimals(3),
    Math.abs,
  ],
];

/** Return the quantities of a gate: its mean, and the shares of timesteps at which it is closed and open. @param {string} name @returns {Quantity[]} */
const quantitiesOf = (name) => [
  [`${name} mean`, `mean of ${name}`, ({ gates }) => gates[name].mean, decimals(2)],
  [`${name} < 0.1`, `share of timesteps at which ${name} is closed`, ({ gates }) => gates[name].closed, share],
  [`${name} > 0.9`, `share of timesteps at which ${name} is open`, ({ gates }) => gates[name].open, share],
];

/**
 * Return the columns of the table: the number of the unit, and each quantity that at least one unit has.
 * @param {readonly CensusUnit[]} units @returns {Column[]}
 */
export function columnsOf(units) {
  const several = units.some(({ layer }) => layer > 1);
  const name = {
    head: "unit",
    title: "the number of the unit",
    text: (/** @type {CensusUnit} */ { layer, unit, dead }) =>
      `${several ? `L${layer}.` : ""}${unit}${dead ? " dead" : ""}`,
    key: (/** @type {CensusUnit} */ { layer, unit }) => layer * 1e6 + unit,
  };
  const quantities = [...Object.keys(units[0].gates).flatMap(quantitiesOf), ...QUANTITIES];
  const columns = quantities
    .filter(([, , value]) => units.some((unit) => value(unit) !== null))
    .map(([head, title, value, write, key = (value) => value]) => ({
      head,
      title,
      text: (/** @type {CensusUnit} */ unit) => orElse(value(unit), write, "–"),
      key: (/** @type {CensusUnit} */ unit) => orElse(value(unit), key, -Infinity),
    }));
  return [name, ...columns];
}

/**
 * Return `write(value)`, or `otherwise` if the value is null.
 * @template T @param {number | null} value @param {(value: number) => T} write @param {T} otherwise
 */
const orElse = (value, write, otherwise) => (value === null ? otherwise : write(value));

/** Return the units sorted by a column. @param {readonly CensusUnit[]} units @param {Column} column @param {boolean} descending */
export const sortedBy = (units, { key }, descending) =>
  [...units].sort((a, b) => (descending ? -1 : 1) * (key(a) - key(b) || 0));
