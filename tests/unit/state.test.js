import assert from "node:assert/strict";
import test from "node:test";
import { boot } from "../../static/boot.js";
import { answer, missed } from "../../static/run.js";
import { complete, goTo, layerOf, lookAt, moveRow, play, receive, tick } from "../../static/state.js";
import { firstRun, stateOf } from "./states.js";

const run = firstRun();
const state = stateOf(run, { playing: false, selection: null, chosen: null });

test("in the first run h is the mixture of the previous state and the candidate with weight z", () => {
  const [{ rows, H, h0 }] = run.layers;
  for (let unit = 0; unit < H; unit++)
    for (let t = 0; t < run.T; t++) {
      const [z, h_tilde, h] = ["z", "h_tilde", "h"].map((name) => rows[name][unit][t]);
      const before = t ? rows.h[unit][t - 1] : h0[unit];
      assert.ok(Math.abs((1 - z) * before + z * h_tilde - h) < 1e-15);
    }
});

test("the outputs of the trained model are the targets of its task", () => {
  assert.deepEqual(boot.models.map(({ id }) => id).includes(run.model), true);
  for (let column = 0; column < run.T; column++) {
    assert.equal(missed(run, column), "");
    assert.ok(answer(run, column).value > 0.5);
  }
});

test("the cursor stays within the steps of the run and the units of the layer", () => {
  for (const [step, expected] of [
    [0, 1],
    [1, 1],
    [3.4, 3],
    [99, run.T],
  ])
    assert.equal(goTo(state, step).step, expected);
  for (const unit of [-1, 0, 99])
    assert.equal(lookAt(state, unit).unit, Math.max(0, Math.min(unit, layerOf(state).H - 1)));
  assert.equal(moveRow(state, 5).unit, layerOf(state).H - 1);
});

test("play goes step by step, waits for missing steps, and starts again after the end", () => {
  let now = play(receive(state, 2));
  const steps = [];
  for (let i = 0; i < 4; i++) steps.push((now = tick(now)).step);
  assert.deepEqual([...steps, now.playing], [2, 2, 2, 2, true]);
  now = complete(now);
  while (now.playing) now = tick(now);
  assert.equal(now.step, run.T);
  assert.equal(play(now).step, 1);
});
