import assert from "node:assert/strict";
import test from "node:test";
import { describe, feedback, findings, firstMistake, score } from "../../static/start/words.js";

const letters = ["A", "m", "B", "s"];
const right = ["A", "A", "B", "B"];
const played = (gates, h, candidate, answers) => ({ gates, h, candidate, answers, right });
const closed = { z: 0, r: 0 };

test("a wrong answer is explained by the visitor's own z, or by an earlier mistake", () => {
  const gates = [{ z: 0.9, r: 0 }, { z: 0.8, r: 0 }, { z: 0.1, r: 0 }, closed];
  const run = played(gates, [-0.9, 0.05, -0.4, -0.4], [-1, 0.1, 1, 0.1], ["A", "B", "A", "A"]);
  assert.match(feedback(run, letters, 0), /^Correct/);
  assert.match(feedback(run, letters, 1), /^Not quite: at m, z = 0\.80 moved .* 0\.05, .* B\.$/);
  assert.match(feedback(run, letters, 2), /^Not quite: at B, z = 0\.10 left .* −0\.40, .* A\.$/);
  assert.match(feedback(run, letters, 3), /^Not quite: .* still reads as A\.$/);
  assert.equal(firstMistake(run, letters), feedback(run, letters, 1));
  assert.match(score({ ...run, ownAnswers: right }), /1 of 4.* 4 of 4/);
});

test("an answer from an empty memory means nothing, even if it is correct", () => {
  const run = played([closed, closed, closed], [0, 0.001, -0.001], [-1, 0.1, 1], ["B", "B", "B"]);
  for (const at of [0, 1]) assert.match(feedback(run, letters, at), /^Not quite: at .* z = 0\.00 .*empty.* B /);
  assert.match(feedback(run, letters, 2), /^Correct by chance: at B, .*empty/);
});

test("at a new letter the feedback on the last one comes first, and the candidate follows", () => {
  const start = describe(played([closed], [0], [-0.99], ["B"]), letters, -0.99);
  assert.match(start, /A .*candidate: −0\.99/);
  const second = describe(played([{ z: 1, r: 0 }, closed], [-1, -1], [-1, 0.07], ["A", "A"]), letters, 0.07);
  assert.match(second, /^Correct at A\. .*m, is noise.* 0\.07\. Move r/);
});

test("the sentence about r says what it did to the candidate, and what this is good for", () => {
  const gates = [
    { z: 1, r: 0 },
    { z: 0, r: 1 },
  ];
  const before = { z: 0, r: 0 };
  const noise = describe(played(gates, [-0.9, -0.9], [-1, -0.97], ["A", "A"]), letters, 0.07);
  assert.match(noise, /r = 1\.00 .*from 0\.07 to −0\.97.*keeps your A/);
  const far = describe(played(gates, [-0.9, -0.9], [-1, -0.1], ["A", "A"]), letters, 0.07);
  assert.doesNotMatch(far, /keeps/);
  const unmoved = describe(played(gates, [-0.1, -0.1], [-1, 0.05], ["A", "A"]), letters, 0.07);
  assert.match(unmoved, /stays near 0\.07/);
  const capital = [...gates.slice(0, 1), before, { z: 0, r: 1 }];
  const held = describe(played(capital, [-0.9, -0.9, -0.9], [-1, 0.07, 0.28], ["A", "A", "A"]), letters, 0.98);
  assert.match(held, /from 0\.98 to 0\.28.*Your A pulls it back/);
  assert.match(describe(played([{ z: 0, r: 1 }], [0], [-0.99], ["B"]), letters, -0.99), /still empty/);
});

test("the findings name the network's gates at capitals and at small letters", () => {
  const text = findings({ ownZ: [0.91, 0.02, 0.89, 0.04], ownR: [0.1, 0.94, 0.1, 0.87] }, letters);
  for (const number of ["0.89", "0.10", "0.04", "0.87"]) assert.ok(text.includes(number), number);
});

test("the sentence is about the gate that the visitor moved last", () => {
  const gates = [
    { z: 1, r: 0 },
    { z: 0.4, r: 1 },
  ];
  const run = played(gates, [-0.9, -0.2], [-1, -0.97], ["A", "A"]);
  assert.match(describe(run, letters, 0.07, "r"), /from 0\.07 to −0\.97/);
  assert.match(describe(run, letters, 0.07, "z"), /memory is −0\.20, .*just reads as A/);
});
