import assert from "node:assert/strict";
import test from "node:test";
import { boot } from "../../static/boot.js";
import { fillAnswer, missing, readAnswer, readDraft } from "../../static/lesson/form.js";
import { selectorOf } from "../../static/lesson/points.js";

/** Return a stand-in for a form that contains `inputs`. */
function formOf(inputs) {
  return { querySelectorAll: () => inputs, querySelector: () => null };
}
const sliders = (values) => values.map((value) => ({ value, defaultValue: value, dataset: { unset: "" } }));
const boxes = (values) => values.map((value) => ({ value: String(value), checked: false, dataset: {} }));

test("an unanswered form returns null, and 0 counts as an answer", () => {
  for (const kind of ["choose", "click"]) assert.equal(readAnswer(formOf(boxes([0, 1])), { kind }), null);
  const [first, second] = boxes([0, 1]);
  assert.equal(readAnswer(formOf([{ ...first, checked: true }, second]), { kind: "choose" }), 0);
  for (const kind of ["number", "draw"]) assert.equal(readAnswer(formOf(sliders(["0"])), { kind }), null);
  assert.equal(readAnswer(formOf([{ value: "0", dataset: {} }]), { kind: "number" }), 0);
});

test("an answer that fills a form is read back unchanged", () => {
  for (const [kind, answer, inputs] of [
    ["choose", 2, boxes([0, 1, 2])],
    ["click", [2, 3], boxes([1, 2, 3, 4])],
    ["number", -0.25, sliders(["1"])],
    ["draw", [0.5, -1, 0], sliders(["0", "0", "0"])],
  ]) {
    const form = formOf(inputs);
    fillAnswer(form, { kind }, answer);
    assert.deepEqual(readAnswer(form, { kind }), answer);
  }
});

test("a curve is an answer once every timestep has a value, and an emptied form has none", () => {
  const [form, question] = [formOf(sliders(["0", "0", "0"])), { kind: "draw", start: 2 }];
  fillAnswer(form, question, [0.5, null, 0]);
  assert.deepEqual(readDraft(form, question), [0.5, null, 0]);
  assert.equal(readAnswer(form, question), null);
  assert.match(missing(form, question), /t = 4\D*$/);
  fillAnswer(form, question, null);
  assert.deepEqual(readDraft(form, question), [null, null, null]);
});

test("a second answer replaces the first answer in the form", () => {
  const form = formOf(boxes([1, 2, 3]));
  for (const answer of [[1, 2], [3]]) fillAnswer(form, { kind: "click" }, answer);
  assert.deepEqual(readAnswer(form, { kind: "click" }), [3]);
});

test("a word highlights everything about its signal, or the part of the page that it names", () => {
  for (const { name } of boot.cells.gru.signals) assert.equal(selectorOf(name), `[data-term="${name}"]`);
  assert.equal(selectorOf("tape"), ".tape");
  assert.doesNotMatch(selectorOf("outputs"), /data-term/);
});
