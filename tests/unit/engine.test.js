/** Test that the JavaScript engine and gru_core compute the same numbers, in random scenarios of all cells, with clamps and edits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { engineCases, refusedCases } from "./page.js";
import * as answers from "../../static/engine/answers.js";
import { CHAOTIC, forward } from "../../static/engine/forward.js";
import { edited, readModel } from "../../static/engine/model.js";
import { parseEvents } from "../../static/events.js";

const STEP = 1e-14; // largest allowed difference at a timestep that starts from the same state
const RUN = 1e-12; // largest allowed difference in a whole run

/** Decode float64 numbers. @param {string} base64 */
const decode = (base64) => [...new Float64Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer)];

/**
 * Convert a half-life to the share that is left after one timestep, because a half-life can be infinite. Return other values unchanged.
 * @param {string} name @param {number} value
 */
const comparable = (name, value) => (name === "half_life" ? 2 ** (-1 / value) : value);

/**
 * Return the largest difference between two lists of numbers. If an expected number is above 1, the difference is relative.
 * @param {string} name @param {number[]} actual @param {number[]} expected
 */
function gap(name, actual, expected) {
  assert.equal(actual.length, expected.length, name);
  let largest = 0;
  for (const [i, raw] of expected.entries()) {
    const [a, b] = [comparable(name, actual[i]), comparable(name, raw)];
    const size = Math.abs(a - b) / Math.max(1, Math.abs(b));
    largest = Math.max(largest, Number.isNaN(size) ? Infinity : size);
  }
  return largest;
}

/**
 * Return the largest difference between the numbers in two JSON values. Assert that everything else is equal.
 * @param {any} actual @param {any} expected @returns {number}
 */
function difference(actual, expected) {
  if (typeof expected === "number" && typeof actual === "number")
    return actual === expected ? 0 : Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  if (expected === null || typeof expected !== "object") {
    assert.ok(actual === expected, `${actual} is not ${expected}`);
    return 0;
  }
  const keys = Object.keys(expected);
  if (keys.length !== Object.keys(actual).length) assert.deepEqual(Object.keys(actual), keys);
  let largest = 0;
  for (const key of keys) {
    const size = difference(actual[key], expected[key]);
    largest = Math.max(largest, Number.isNaN(size) ? Infinity : size);
  }
  return largest;
}

/** Return the events that the engine sends for an answered scenario. @param {any} answered @param {any} scenario */
function eventsOf(answered, scenario) {
  /** @type {any[]} */
  const events = [];
  answers.tell(answered, scenario, {
    start: (data) => events.push({ name: "start", data }),
    step: (data) => events.push({ name: "step", data }),
    done: (data) => events.push({ name: "done", data }),
  });
  return events;
}

/** Return the data of a step event with decoded rows. @param {any} step */
function decoded({ layers, equations: _, ...ends }) {
  const rows = (/** @type {any} */ named) =>
    Object.fromEntries(
      Object.entries(named).map(([name, row]) => [
        name,
        typeof row === "string" ? decode(row).map((value) => comparable(name, value)) : row,
      ]),
    );
  return { ...rows(ends), layers: layers.map(rows) };
}

const ran = engineCases.map((/** @type {any} */ drawn) => {
  const model = readModel(drawn.model);
  const { layer, unit } = drawn.place;
  const scenario = { model: "m", ...drawn.scenario, h0: drawn.h0, equations: { layer, unit } };
  return {
    drawn,
    model,
    scenario,
    answered: answers.run(model, scenario),
    expected: parseEvents(drawn.events),
  };
});
const calm = ran.filter(({ answered }) => answered.growth < CHAOTIC);

test("at least 2,000 of the scenarios are not chaotic, and some are", () => {
  assert.ok(calm.length >= 2000, String(calm.length));
  assert.ok(calm.length < ran.length);
});

test("a long run of each cell is not chaotic", () => {
  const long = calm.filter(({ expected }) => expected.length > 200);
  assert.deepEqual(new Set(long.map(({ model }) => model.layers[0].cell)), new Set(["gru", "lstm", "rnn", "mingru"]));
});

test("whole runs have the events of the core", () => {
  let largest = 0;
  for (const { answered, scenario, expected } of calm) {
    const events = eventsOf(answered, scenario);
    assert.deepEqual(
      events.map(({ name }) => name),
      expected.map(({ name }) => name),
    );
    for (const [i, { name, data }] of events.entries()) {
      const [actual, other] = [data, expected[i].data].map((part) => (name === "step" ? decoded(part) : part));
      if (name === "done") {
        delete other.T;
        // If two gaps are almost equal, rounding decides which one is the largest.
        if (actual.twin?.most?.gap - other.twin?.most?.gap < RUN) actual.twin.most = other.twin.most;
      }
      largest = Math.max(largest, difference(actual, other));
    }
  }
  assert.ok(largest <= RUN, String(largest));
});

test("each timestep from the same state has the values of the core", () => {
  let largest = 0;
  for (const { drawn, model, expected } of ran) {
    const { clamps, weights } = drawn.scenario;
    const { layers } = edited(model, weights);
    const [{ data: start }, ...steps] = expected;
    for (const [i, layer] of layers.entries()) {
      const names = layer.cell === "lstm" ? ["h", "c"] : ["h"];
      const initial = names.map((_, k) => start.layers[i].h0.slice(k * layer.H, (k + 1) * layer.H));
      const stateAt = (/** @type {number} */ t) =>
        names.map((name, k) => (steps[t]?.name === "step" ? decode(steps[t].data.layers[i][name]) : initial[k]));
      for (const [t, { data }] of steps.slice(0, -1).entries()) {
        const [behind, ahead] = [stateAt(t - 1), stateAt(t + 1)];
        const n = layer.H - layer.backward;
        const state = behind.map((row, k) => [...row.slice(0, n), ...ahead[k].slice(n)]);
        const rows = data.layers[i];
        const x = Float64Array.from(decode(i ? data.layers[i - 1].h : data.x));
        const now = clamps
          .filter(
            (/** @type {any} */ clamp) =>
              clamp.layer === i + 1 && clamp.from <= data.t && data.t <= (clamp.to ?? Infinity),
          )
          .map((/** @type {any} */ clamp) => ({ ...clamp, layer: 1, from: 1, to: 1 }));
        const before = Object.fromEntries(names.map((name, k) => [name, Float64Array.from(state[k])]));
        const mask = start.mask && [start.mask[data.t - 1]];
        const [values] = forward([layer], [x], now, [before], mask)[0].steps;
        const all = { ...values.signals, half_life: values.half_life };
        for (const [gate, row] of Object.entries(values.Wx)) all[`Wx.${gate}`] = row;
        for (const [gate, row] of Object.entries(values.Uh)) all[`Uh.${gate}`] = row;
        for (const [gate, row] of Object.entries(values.computed)) all[`computed.${gate}`] = row;
        for (const [name, row] of Object.entries(all))
          if (row) largest = Math.max(largest, gap(name, [...row], decode(rows[name])));
      }
    }
  }
  assert.ok(largest <= STEP, String(largest));
});

test("sums, contributions and equations are those of the core", () => {
  let largest = 0;
  for (const { drawn, scenario, answered, model, expected } of calm) {
    const place = drawn.place;
    const question = { ...scenario, ...drawn.place };
    const { inputs, gates } = answers.sums(answered, question);
    largest = Math.max(largest, difference({ inputs, gates }, drawn.sums));
    if (drawn.ledger) {
      const { layer: _, unit: __, from: ___, to: ____, ...shares } = answers.ledger(answered, question);
      // If two shares are almost equal, rounding decides which one comes first.
      const expected = { ...drawn.ledger, largest: shares.largest, twin_largest: shares.twin_largest };
      largest = Math.max(largest, difference(shares, expected));
    } else assert.equal(model.layers[place.layer - 1].cell, "rnn");
    const { steps } = answers.equations(answered, question);
    for (const [t, step] of steps.entries()) {
      const { parts, sizes, decimals } = expected[t + 1].data.equations;
      assert.deepEqual(step.decimals, decimals);
      assert.ok(gap("", step.parts, parts) <= 1.1e-9 && gap("", step.sizes, sizes) <= 1.1e-6);
    }
    assert.equal(steps.length, expected.length - 2);
  }
  assert.ok(largest <= RUN, String(largest));
});

test("a scenario with a mistake is refused with the message of the server", () => {
  assert.ok(refusedCases.length > 20);
  for (const { model, scenario, message, where } of refusedCases)
    assert.throws(
      () => answers.run(readModel(model), { ...scenario, against: scenario.against ?? "" }),
      (/** @type {any} */ error) => {
        assert.equal(error.message, message);
        assert.equal(error.where ?? null, where);
        return true;
      },
    );
});
