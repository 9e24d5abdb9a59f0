/** Test that the narration is true for every unit and timestep of random runs. Many runs have clamps at the first or last timestep. */
import assert from "node:assert/strict";
import test from "node:test";
import { memoryOf } from "../../static/cells.js";
import { isFirstRead } from "../../static/directions.js";
import { ownOf } from "../../static/own.js";
import { mixtureAt, originAt } from "../../static/reading.js";
import { fixed } from "../../static/run.js";
import { tellInfluence } from "../../static/views/influence.js";
import { tellMemory } from "../../static/views/memory.js";
import { drawnStates } from "./states.js";

const phrases = (state) => ownOf(state).narrate(state);
const textOf = (state) =>
  phrases(state)
    .map(({ text }) => text)
    .join("");
const numberIn = (text) => Number(text.replace("−", "-"));

const states = drawnStates();
const textsOf = (state) => [
  textOf(state),
  ...(mixtureAt(state) ? [tellMemory(state, mixtureAt(state))] : []),
  tellInfluence(state, state.details.sensitivity),
];

test("no sentence names a timestep outside of the run, or has a value that is no number", () => {
  assert.ok(states.length > 200);
  for (const state of states)
    for (const text of textsOf(state)) {
      assert.doesNotMatch(text, /undefined|NaN|Infinity|−0\.00|\.\.|null/, text);
      for (const [, t] of text.matchAll(/t = (\d+)/g)) assert.ok(t >= 1 && t <= state.run.T, text);
    }
});

test("a change is named with the two values, and a value is kept only by a gate that keeps it", () => {
  for (const state of states) {
    const [layer] = state.run.layers;
    for (const { text, term } of phrases(state).filter(({ text }) => /^Then/.test(text))) {
      const row = layer.rows[term][state.unit];
      const now = fixed(row[state.step - 1]);
      assert.ok(text.endsWith(now) || text.endsWith(`(${now})`), text);
      if (!text.includes("stays")) continue;
      assert.notEqual(layer.cell, "rnn", text);
      const keep = layer.cell === "lstm" ? layer.rows.f : layer.rows.z.map((units) => units.map((z) => 1 - z));
      assert.ok(term === memoryOf(layer) && keep[state.unit][state.step - 1] >= 0.5, text);
    }
  }
});

test("at the timestep that a unit reads first, in a run without clamps, no old state is mentioned", () => {
  const first = states.filter(
    ({ run, step, unit, clamps }) => clamps.length === 0 && isFirstRead(run, run.layers[0], unit, step),
  );
  assert.ok(first.length > 10);
  assert.ok(first.some(({ step }) => step > 1));
  for (const state of first) {
    assert.doesNotMatch(textOf(state), /keeps \d|mixes|resets|sees|from the old state|half of its state/);
    if (mixtureAt(state)) assert.doesNotMatch(tellMemory(state, mixtureAt(state)), /₀/);
  }
});

test("the value that a clamp set is named at a timestep of this clamp", () => {
  const clamped = states.filter((state) => mixtureAt(state) && originAt(state).t !== null);
  assert.ok(clamped.length > 10);
  for (const state of clamped) {
    const { t, value } = originAt(state);
    const name = memoryOf(state.run.layers[0]) === "c" ? "c" : "h_prev";
    const { unit } = state;
    const sets = ({ gate, units, from, to }) =>
      gate === name && (units?.includes(unit + 1) ?? true) && from <= t && t <= to;
    assert.equal(state.clamps.findLast(sets)?.value, value);
  }
});

test("the printed half-life follows from the printed gate", () => {
  let compared = 0;
  for (const state of states)
    for (const text of textsOf(state)) {
      const match = /If ([zf]) stayed at ([\d.]+), half of .* left after about (\S+) timesteps?/.exec(text);
      if (!match) continue;
      compared++;
      const keep = match[1] === "f" ? Number(match[2]) : 1 - Number(match[2]);
      const halfLife = Math.log(0.5) / Math.log(keep);
      const printed = match[3] === "one" ? 1 : Number(match[3]);
      assert.ok(Math.abs(halfLife - printed) <= 0.01 * halfLife + (printed < 10 ? 0.06 : 0.6), `${text}: ${halfLife}`);
    }
  assert.ok(compared > 50);
});

test("gradients that are all 0 have no largest one", () => {
  let zero = 0;
  for (const state of states) {
    const { sensitivity } = state.details;
    const text = tellInfluence(state, sensitivity);
    if (sensitivity.input.value === 0) zero++;
    assert.equal(/most sensitive to the input/.test(text), sensitivity.input.value > 0, text);
    assert.equal(/Among the gates/.test(text), Boolean(sensitivity.gate?.value), text);
  }
  assert.ok(zero > 0);
});
