import assert from "node:assert/strict";
import test from "node:test";
import { changeOf, entryOf } from "../../static/history.js";
import { FOCUS } from "../../static/state.js";

const link = { model: "flip-flop", sequence: "A", clamps: [], weights: [], against: "", focus: FOCUS, notices: [] };
const at = (changes, focus = {}) => entryOf({ ...link, ...changes, focus: { ...FOCUS, ...focus } });
const start = at({});
const clamps = [{ gate: "z", units: null, from: 1, to: 1, value: 0, layer: 1 }];

/** Apply changes one after the other. Return the history call of each: "pushState" (new entry), "replaceState" (same entry) or null. */
function entriesOf(steps) {
  let current = start;
  return steps.map(([next, typing = false]) => {
    const change = changeOf(current, next, typing);
    current = change?.entry ?? current;
    return change?.how ?? null;
  });
}

test("the same view changes nothing, and moving the cursor changes only the current entry", () => {
  assert.equal(changeOf(start, at({}), false), null);
  assert.equal(changeOf(start, at({}, { step: 5, unit: 1 }), false)?.how, "replaceState");
});

test("another model, view or convention makes a new entry, and so does another scenario", () => {
  for (const next of [
    at({ model: "sentiment" }),
    at({}, { views: ["tape"] }),
    at({}, { convention: "pytorch" }),
    at({ sequence: "B" }),
    at({ clamps }),
  ])
    assert.equal(changeOf(start, next, false)?.how, "pushState");
});

test("typing adds one entry, and more typing changes it", () => {
  const typed = ["A m", "A m m", "A m m B"].map((sequence) => [at({ sequence }), true]);
  assert.deepEqual(entriesOf(typed), ["pushState", "replaceState", "replaceState"]);
});

test("typing after another change adds a new entry", () => {
  const [first, second] = [at({ sequence: "A m" }), at({ sequence: "A m m" })];
  const moved = at({ sequence: "A m" }, { convention: "pytorch" });
  const chosen = at({ sequence: "B" });
  assert.deepEqual(entriesOf([[first, true], [moved], [at({ sequence: "A m m" }, { convention: "pytorch" }), true]]), [
    "pushState",
    "pushState",
    "pushState",
  ]);
  assert.deepEqual(entriesOf([[first, true], [chosen], [second, true]]), ["pushState", "pushState", "pushState"]);
  const movedAndTyped = at({ sequence: "A m" }, { convention: "pytorch" });
  assert.deepEqual(
    entriesOf([
      [movedAndTyped, true],
      [at({ sequence: "A m m" }, { convention: "pytorch" }), true],
    ]),
    ["pushState", "pushState"],
  );
});

test("moving the cursor between two typed letters does not start a new entry", () => {
  const steps = [
    [at({ sequence: "A m" }), true],
    [at({ sequence: "A m" }, { step: 2 }), true],
    [at({ sequence: "A m m" }, { step: 2 }), true],
  ];
  assert.deepEqual(entriesOf(steps), ["pushState", "replaceState", "replaceState"]);
});
