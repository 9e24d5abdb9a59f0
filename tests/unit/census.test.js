import assert from "node:assert/strict";
import test from "node:test";
import { columnsOf, sortedBy } from "../../static/census/columns.js";

/** Return a unit of a census response. `changes` replace defaults. */
const unitOf = (unit, auc, changes = {}) => ({
  ...{ layer: 1, unit, dead: false, lowest: -1, highest: 0.5, half_life: 2000, longest_half_life: 12345 },
  ...{ gates: { z: { mean: 0.125, closed: 0.5, open: 0 } }, correlation: null, auc, moments: {} },
  ...changes,
});
const numbersOf = (units) => units.map(({ unit }) => unit);

test("the table of units has the columns of the answer, with their numbers as text", () => {
  const units = [unitOf(1, 0.9, { dead: true }), unitOf(1, null, { layer: 2 })];
  const columns = columnsOf(units);
  const heads = ["unit", "z mean", "z < 0.1", "z > 0.9", "range of h", "half-life", "longest", "AUC"];
  assert.deepEqual(
    columns.map(({ head }) => head),
    heads,
  );
  const texts = units.map((unit) => columns.map(({ text }) => text(unit)));
  assert.deepEqual(texts[0], ["L1.1 dead", "0.13", "50%", "0%", "1.50", "2,000", "12,300", "0.900"]);
  assert.equal(texts[1].at(-1), "–");
});

test("an AUC sorts by its distance from 0.5, and a unit without a number comes last", () => {
  const units = [unitOf(1, 0.6), unitOf(2, null), unitOf(3, 0.1), unitOf(4, 0.8)];
  const columns = columnsOf(units);
  const auc = columns.find(({ head }) => head === "AUC");
  assert.deepEqual(numbersOf(sortedBy(units, auc, true)), [3, 4, 1, 2]);
  assert.deepEqual(numbersOf(sortedBy(units, columns[0], true)), [4, 3, 2, 1]);
});
