import assert from "node:assert/strict";
import test from "node:test";
import {
  before,
  closing,
  decimalsOf,
  mixtureAt,
  originAt,
  putEquation,
  rowsOf,
  sampleSteps,
  shownRows,
  sumAt,
  unitAt,
  writtenAt,
} from "../../static/reading.js";
import { mixedAt } from "../../static/mixing.js";
import { partsOf } from "../../static/sum/parts.js";
import { drawnStates, firstRun, runOf, stateOf } from "./states.js";

const run = firstRun();
const steps = Array.from({ length: run.T }, (_, i) => i + 1);
const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

test("the shown gate is the function of the shown sum, in both conventions", () => {
  for (const convention of ["source", "pytorch"])
    for (const step of steps) {
      const state = stateOf(run, { step, convention });
      const { r, h_tilde } = unitAt(state, 0, ["r", "h_tilde"]);
      close(r, sigmoid(sumAt(state, "r", 0).a));
      close(h_tilde, Math.tanh(sumAt(state, "h_tilde", 0).a));
      close(rowsOf(state, "z")[0][step - 1], sigmoid(sumAt(state, "z", 0).a));
    }
});

test("the two conventions of z add up to 1, and their sums to 0", () => {
  for (const step of steps) {
    const [source, pytorch] = ["source", "pytorch"].map((convention) => stateOf(run, { step, convention }));
    close(rowsOf(source, "z")[0][step - 1] + rowsOf(pytorch, "z")[0][step - 1], 1);
    close(sumAt(source, "z", 0).a + sumAt(pytorch, "z", 0).a, 0);
  }
});

test("the shares of the old state and of the candidate add up to h, also in units that read from the end", () => {
  const mixed = drawnStates().filter(({ run: { layers } }) => layers[0].rows.z);
  assert.ok(mixed.some(({ run: { layers } }) => layers[0].backward_units));
  for (const state of mixed) {
    const { keep, h_prev, take, h_tilde, h } = mixedAt(state);
    close(keep * h_prev + take * h_tilde, h);
  }
});

test("a unit that reads from the end has an old state at the next timestep, and a sum of its own direction", () => {
  const h = [
    [0.1, 0.2, 0.3],
    [0.4, 0.5, 0.6],
  ];
  const two = runOf("gru", { h }, { backward_units: 1, h0: [0.7, 0.8] });
  const old = [0, 1].map((unit) => [1, 2, 3].map((step) => before(stateOf(two, { step, unit }), "h", unit)));
  assert.deepEqual(old, [
    [0.7, 0.1, 0.2],
    [0.5, 0.6, 0.8],
  ]);
  const sum = { W: [0], U: [0, 2], b: 1, c: null, Wx: [[0]], Uh: [[0, 0]], rc: null, past: null, trained: null };
  const state = stateOf(two, { step: 2, unit: 1, gate: "z" });
  const parts = partsOf(state, { run: two, layer: 0, unit: 1, from: 2, to: 2, inputs: ["A"], gates: { z: sum } });
  assert.deepEqual(
    parts.filter(({ term }) => term === "z.Uh").map(({ name, value }) => [name, value]),
    [["h2, t + 1", 0.6]],
  );
});

test("a clamp on c is the origin of the contributions from its own timestep on, in both directions", () => {
  const clamps = [{ gate: "c", units: null, from: 1, to: 1, value: 0.5, layer: 1 }];
  const two = runOf("lstm", { c: [Array(3).fill(0), Array(3).fill(0)] }, { backward_units: 1 }, { clamps });
  const origins = (unit, since) =>
    [1, 2, 3].map((step) => {
      const ledger = { run: two, layer: 0, unit, from: 1, to: 3, origins: [0.5, 0.5, 0.5], since };
      return originAt(stateOf(two, { step, unit, clamps, details: { ledger } })).t;
    });
  assert.deepEqual(origins(0, [2, 2, 2]), [1, 1, 1]);
  assert.deepEqual(origins(1, [0, 0, 0]), [1, null, null]);
});

test("the sign of a difference follows the convention of z", () => {
  const rows = { z: [[0.25, 0.75]], "delta.z": [[0.5, -0.25]], "delta.h": [[1, 2]] };
  const differenceOf = (convention, signal) =>
    shownRows(stateOf(runOf("gru", rows), { convention, difference: true }), signal)[0];
  assert.deepEqual(differenceOf("source", "z"), [0.5, -0.25]);
  assert.deepEqual(differenceOf("pytorch", "z"), [-0.5, 0.25]);
  assert.deepEqual(differenceOf("pytorch", "h"), [1, 2]);
});

test("an equation has the fewest decimals that are enough for all of its results", () => {
  assert.deepEqual(decimalsOf({}, "h"), { decimals: 2, off: [] });
  assert.deepEqual(decimalsOf({ "h.value": [3, 4], "z.a": [4] }, "h"), { decimals: 3, off: [] });
  assert.deepEqual(decimalsOf({ "h.keep": [2, 3], "h.value": [4] }, "h"), { decimals: 2, off: ["h.value"] });
});

test("the numbers of an equation are in its slots, with the clamped value", () => {
  const numbers = { slots: {}, rounded: new Set() };
  putEquation(numbers, { decimals: { "h.value": [3] } }, "h", { keep: 0.125, value: -0.5 }, 1);
  assert.deepEqual(numbers.slots, { "h.keep": "0.125", "h.value": "−0.500", "h.held": "1.00" });
  putEquation(numbers, { decimals: { "z.value": [] } }, "z", { value: 0.5 });
  assert.equal(numbers.slots["z.held"], "");
  assert.deepEqual([...numbers.rounded], ["z.value"]);
});

test("the contributions belong to the step at the cursor, and the largest one is named", () => {
  const small = runOf("gru", { z: [[0.5, 0.5, 0.5]] });
  const place = { run: small, layer: 0, unit: 0, from: 2, to: 3 };
  const shares = [
    [0.25, 0.25, 0.5, 0],
    [0.125, 0.125, 0.25, 0.5],
  ];
  const ledger = {
    ...place,
    shares,
    largest: [
      [2, 0, 1],
      [3, 2, 0, 1],
    ],
    origins: [0.75, 0.75],
    since: [0, 2],
    twin: null,
    twin_largest: null,
  };
  const at = (step) => stateOf(small, { step, details: { ledger } });
  assert.equal(mixtureAt(at(1)), null);
  assert.deepEqual(mixtureAt(at(3)).shares, shares[1]);
  assert.deepEqual(
    [2, 3].map((step) => writtenAt(at(step))),
    [
      { step: 2, value: 0.5 },
      { step: 3, value: 0.5 },
    ],
  );
  assert.equal(originAt(at(2)).t, null);
  assert.match(originAt(at(2)).text, /h₀ = 0\.75/);
  assert.deepEqual([originAt(at(3)).value, originAt(at(3)).t], [0.75, 2]);
});

test("a check clamps the gate at 0 in the core's convention, even if the screen shows 1", () => {
  for (const [convention, shown] of [
    ["source", 0],
    ["pytorch", 1],
  ]) {
    const { clamps, text } = closing(stateOf(run, { convention }), "z", 3);
    assert.deepEqual(clamps, [{ gate: "z", units: null, from: 3, to: 3, value: 0, layer: 1 }]);
    assert.match(text, new RegExp(`^z.* at ${shown}$`));
  }
});

test("a sample of timesteps has all of a short run, and every place of a period of a long one", () => {
  assert.deepEqual(sampleSteps(3), [1, 2, 3]);
  for (const period of [2, 3, 5, 8, 10, 13]) {
    const places = new Set(sampleSteps(1000).map((step) => step % period));
    assert.equal(places.size, period);
  }
  assert.ok(sampleSteps(1000).every((step) => step >= 1 && step <= 1000));
});
