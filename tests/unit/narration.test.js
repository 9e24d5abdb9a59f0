import assert from "node:assert/strict";
import test from "node:test";
import { ownOf } from "../../static/own.js";
import { runOf, stateOf } from "./states.js";

const narrate = (state) =>
  ownOf(state)
    .narrate(state)
    .map(({ text }) => text)
    .join("");
const termsOf = (state) =>
  ownOf(state)
    .narrate(state)
    .flatMap(({ term }) => term ?? []);

// Half of 0.5 · 0.98^n is left after ln 0.5 / ln 0.98 = 34.3 steps.
const keeps = { z: [[1, 0.02]], r: [[0.5, 0.1]], h_tilde: [[0.5, 0]], h: [[0.5, 0.49]], half_life: [[0, 34.3]] };

test("for a GRU that keeps its state, the share and the half-life are named", () => {
  const state = stateOf(runOf("gru", keeps), { step: 2 });
  assert.equal(
    narrate(state),
    "At t = 2 (input A) the update gate is nearly closed (z = 0.02): the unit keeps 98% of its state. " +
      "Then h changes from 0.50 to 0.49, and the output stays A. If z stayed at 0.02, half of its state would be left after about 34 timesteps.",
  );
  assert.deepEqual(new Set(termsOf(state)), new Set(["x", "z", "h_prev", "h", "y"]));
});

test("the other convention describes the same step with 1 − z", () => {
  const [source, pytorch] = ["source", "pytorch"].map((convention) =>
    narrate(stateOf(runOf("gru", keeps), { step: 2, convention })),
  );
  assert.equal(pytorch, source.replace("nearly closed (z = 0.02)", "at z = 0.98").replace("0.02", "0.98"));
});

test("at the first step there is no old state to keep", () => {
  assert.equal(
    narrate(stateOf(runOf("gru", keeps))),
    "At t = 1 (input A) there is no old state to keep or reset: the unit takes all of its candidate (z = 1.00). " +
      "Then h changes from 0.00 to 0.50, and the output is A.",
  );
});

test("the reset gate is described if the candidate is taken, and a clamp with the replaced value", () => {
  const rows = { ...keeps, z: [[1, 0.5]], "computed.z": [[0, 0.9]], h: [[0.5, 0.25]] };
  const clamps = [{ gate: "z", units: null, from: 2, to: 2, value: 0.5, layer: 1 }];
  const text = narrate(stateOf(runOf("gru", rows, { held: ["z"] }, { clamps }), { step: 2 }));
  assert.match(
    text,
    /the unit mixes 50% of its state with 50% of its candidate\. z is clamped at 0\.50 instead of 0\.90\. /,
  );
  assert.match(text, /The candidate sees 10% of the old state \(r = 0\.10\)\. Then h changes from 0\.50 to 0\.25/);
});

test("groups of units are described before the selected unit", () => {
  const columns = (...values) => values.map((value) => [1, value]);
  const rows = { z: columns(0.1, 0.9, 0.5), r: columns(0, 0, 0), h_tilde: columns(0, 0, 0), h: columns(0.9, 0.1, 0.5) };
  assert.match(
    narrate(stateOf(runOf("gru", rows), { step: 2, unit: 1 })),
    /unit 1 keeps its state, unit 2 takes its candidate and unit 3 mixes state and candidate\. Unit 2 takes 90% of its candidate \(z = 0\.90\)\./,
  );
});

test("for an LSTM the kept, the added and the output part are named", () => {
  // c = 0.9 · 1 + 0.1 · 0.5 = 0.95; h = 0.5 · tanh 1 = 0.38, then 0.5 · tanh 0.95 = 0.37.
  const rows = {
    f: [[0, 0.9]],
    i: [[1, 0.1]],
    o: [[0.5, 0.5]],
    c_tilde: [[1, 0.5]],
    c: [[1, 0.95]],
    h: [[0.5 * Math.tanh(1), 0.5 * Math.tanh(0.95)]],
  };
  assert.equal(
    narrate(stateOf(runOf("lstm", rows), { step: 2 })),
    "At t = 2 (input A) the forget gate is nearly open: the unit keeps 90% of its cell state (f = 0.90) and adds 10% of its candidate (i = 0.10). " +
      "Then c changes from 1.00 to 0.95. The output gate passes on 50% of tanh(c) (o = 0.50). Then h changes from 0.38 to 0.37, and the output stays A.",
  );
});

test("for a plain RNN the sum is named", () => {
  // 0.5 − 0.2 + 0.1 = 0.4, and tanh 0.4 = 0.38.
  const rows = { h: [[0.3, Math.tanh(0.4)]], "Wx.h": [[0, 0.5]], "Uh.h": [[0, -0.2]] };
  assert.equal(
    narrate(stateOf(runOf("rnn", rows, { b: { h: [0.1] } }), { step: 2 })),
    "At t = 2 (input A) the unit computes tanh(0.40): the sum is 0.50 from the input, −0.20 from the old state and 0.10 from the bias. " +
      "Then h changes from 0.30 to 0.38, and the output stays A.",
  );
});

test("for a minimal GRU the candidate is described as a function of the input alone", () => {
  const rows = { z: [[1, 0.5]], h_tilde: [[2, 4]], h: [[2, 3]] };
  assert.match(
    narrate(stateOf(runOf("mingru", rows), { step: 2 })),
    /mixes 50% of its state with 50% of its candidate\. The candidate comes from the input alone \(h̃ = 4\.00\)\. Then h changes from 2\.00 to 3\.00/,
  );
});
