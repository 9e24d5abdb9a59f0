import assert from "node:assert/strict";
import test from "node:test";
import { written } from "../../static/questions/inputs.js";
import { KINDS } from "../../static/questions/kinds.js";

const question = { kind: "number", low: 0, high: 2, form: "2", start: 0, steps: [], signal: "h" };
const revealed = { truth: 0, text: "" };
const verdict = (question, answer, { truth, text }, chosen) =>
  KINDS[question.kind].verdict(question, [answer].flat(), [truth].flat(), text, chosen);
const isCorrect = (text) => text.startsWith("Correct");

test("a choice is correct if it is one of the correct options, and a wrong choice is quoted as a sentence", () => {
  const choose = (answer, truth, chosen) =>
    verdict({ ...question, kind: "choose" }, answer, { ...revealed, truth }, chosen);
  assert.ok(isCorrect(choose(1, [0, 1], "z opens")));
  assert.ok(isCorrect(choose(2, 2, "z opens")));
  assert.match(choose(2, [0, 1], "z opens"), /^Not quite.*z opens\.$/);
  assert.match(choose(2, [0, 1], "Does z open?"), /Does z open\?$/);
});

test("a number is correct within half a percent of the scale or if it has the same text, and close within a tenth", () => {
  const give = (answer, truth, form = "2") =>
    verdict({ ...question, form }, answer, { ...revealed, truth, text: written(truth, { form }) }, "");
  // The scale goes from 0 to 2: half a percent of it is 0.01, a tenth 0.2.
  assert.ok(isCorrect(give(1.009, 1)));
  assert.ok(!isCorrect(give(1.011, 1)));
  assert.ok(isCorrect(give(1.04, 1, "1")));
  assert.match(give(1.19, 1), /^Close: .*1\.19.*1\.00\.$/);
  assert.match(give(0.79, 1), /^Not quite: .*0\.79.*1\.00, higher than/);
  assert.match(give(1.21, 1), /^Not quite: .*lower than/);
});

test("a number is written in the question's form", () => {
  assert.deepEqual(
    ["%", "1", "3"].map((form) => written(0.125, { form })),
    ["13%", "0.1", "0.125"],
  );
  assert.equal(written(-0.5, { form: "2" }), "−0.50");
});

test("a curve is compared with the correct curve from its first step on, and its largest gap is named", () => {
  const draw = (answer, truth) =>
    verdict(
      { ...question, kind: "draw", low: -1, high: 1, start: 1, steps: ["A", "m", "B"] },
      answer,
      { ...revealed, truth },
      "",
    );
  // 15% of the scale from −1 to 1 is 0.3.
  assert.ok(isCorrect(draw([0.29, -0.29], [0.9, 0, 0])));
  const text = draw([0.1, -0.5], [0.9, 0, 0.25]);
  assert.match(text, /^Not quite.*t = 3 \(B\).*−0\.50.*0\.25/);
});

test("steps are correct if they are exactly the correct steps, and missing or extra steps are named", () => {
  const pick = (answer, truth) => verdict({ ...question, kind: "click" }, answer, { ...revealed, truth }, "");
  assert.ok(isCorrect(pick([3, 1], [1, 3])));
  assert.match(pick([1, 2, 5], [1, 4, 6]), /t = 4, 6 belong to.*t = 2, 5 do not belong/);
  assert.match(pick([1], [1, 4]), /t = 4 belongs/);
  assert.match(pick([1, 4], [1]), /t = 4 does not/);
});
