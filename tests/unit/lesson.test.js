import assert from "node:assert/strict";
import test from "node:test";
import { boot } from "../../static/boot.js";
import { fillAnswer, readAnswer } from "../../static/lesson/form.js";
import { selectorOf } from "../../static/lesson/points.js";

/** Return a form with these inputs, and with the properties that the code under test uses. */
function formOf(inputs) {
  return { querySelectorAll: () => inputs, querySelector: () => null };
}
const boxes = (values) => values.map((value) => ({ value: String(value), checked: false }));

test("an unanswered form returns null, and 0 counts as an answer", () => {
  for (const kind of ["choose", "click"]) assert.equal(readAnswer(formOf(boxes([0, 1])), { kind }), null);
  const [first, second] = boxes([0, 1]);
  assert.equal(readAnswer(formOf([{ ...first, checked: true }, second]), { kind: "choose" }), 0);
  assert.equal(readAnswer(formOf([{ value: "0" }]), { kind: "number" }), 0);
});

test("an answer that fills a form is read back unchanged", () => {
  for (const [kind, answer, inputs] of [
    ["choose", 2, boxes([0, 1, 2])],
    ["click", [2, 3], boxes([1, 2, 3, 4])],
    ["number", -0.25, [{ value: "1" }]],
    ["draw", [0.5, -1, 0], [{ value: "0" }, { value: "0" }, { value: "0" }]],
  ]) {
    const form = formOf(inputs);
    fillAnswer(form, { kind }, answer);
    assert.deepEqual(readAnswer(form, { kind }), answer);
  }
});

test("a second answer replaces the first answer in the form", () => {
  const form = formOf(boxes([1, 2, 3]));
  for (const answer of [[1, 2], [3]]) fillAnswer(form, { kind: "click" }, answer);
  assert.deepEqual(readAnswer(form, { kind: "click" }), [3]);
});

test("a word highlights everything about its signal, or the part of the page that it names", () => {
  for (const { name } of boot.cells.gru.signals) assert.equal(selectorOf(name), `[data-about="${name}"]`);
  assert.equal(selectorOf("tape"), ".tape");
  assert.doesNotMatch(selectorOf("outputs"), /data-about/);
});
