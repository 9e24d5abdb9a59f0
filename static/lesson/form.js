/** The form of a question: reads and fills in the answer, and marks the correct one. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
/** An answer that may not be complete: a timestep of a curve without a value is null. @typedef {Answer | (number | null)[]} Draft */
import { findAll } from "../elements.js";
import { written } from "./verdict.js";

/** What a visitor does first who presses "Check answer" without an answer, by the kind of question. */
const MISSING = {
  choose: () => "Choose an answer first. You also learn from a wrong guess.",
  number: () => "Move the slider to your answer first, with the pointer or the arrow keys.",
  draw: (/** @type {number[]} */ steps) =>
    `Give every timestep a value first. There is no value yet at t = ${steps.join(", ")}.`,
  click: () => "Select one or more timesteps first.",
};

const inputsOf = (/** @type {HTMLFormElement} */ form) => /** @type {HTMLInputElement[]} */ (findAll(form, "input"));

/** Return whether the visitor has not moved a slider yet. @param {HTMLInputElement} slider */
const isUnset = ({ dataset }) => dataset.unset !== undefined;

/** Give a slider a value. It is then an answer; without a value it is none. @param {HTMLInputElement} slider @param {number | null} [value] */
function setSlider(slider, value) {
  if (value === null) {
    slider.value = slider.defaultValue;
    slider.dataset.unset = "";
    slider.ariaValueText = NO_VALUE;
    return;
  }
  if (value !== undefined) slider.value = String(value);
  delete slider.dataset.unset;
  slider.ariaValueText = null;
}

/** What a screen reader reads for a slider without an answer. */
export const NO_VALUE = "no answer yet";

/**
 * Mount the form of a question: a slider counts as an answer once the visitor moves or presses it.
 * @param {HTMLFormElement} form @param {Question} question @param {() => void} onChange
 */
export function mountForm(form, question, onChange) {
  for (const type of ["input", "click"])
    form.addEventListener(type, ({ target }) => {
      const slider = /** @type {HTMLInputElement} */ (target);
      if (slider.type === "range" && !slider.disabled) setSlider(slider);
      else if (type === "click") return; // a radio button or a checkbox reports its change as input
      showValue(form, question);
      onChange();
    });
  showValue(form, question);
}

/**
 * Return the answer in a form as far as it is given, null if there is none. A timestep of a curve is null if it has no value yet.
 * @param {HTMLFormElement} form @param {Question} question @returns {Draft | null}
 */
export function readDraft(form, { kind }) {
  const inputs = inputsOf(form);
  const values = inputs.map((slider) => (isUnset(slider) ? null : Number(slider.value)));
  if (kind === "number") return values[0];
  if (kind === "draw") return values;
  const checked = inputs.filter(({ checked }) => checked).map(({ value }) => Number(value));
  if (kind === "click") return checked.length ? checked : null;
  return checked[0] ?? null;
}

/** Return the answer in a form, null if it is not complete. @param {HTMLFormElement} form @param {Question} question */
export function readAnswer(form, question) {
  const draft = readDraft(form, question);
  return /** @type {Answer | null} */ ([draft].flat().includes(null) ? null : draft);
}

/** Return what is missing in a form for an answer, as a sentence. @param {HTMLFormElement} form @param {Question} question */
export function missing(form, { kind, start }) {
  const open = inputsOf(form).flatMap((slider, i) => (isUnset(slider) ? [start + i + 1] : []));
  return MISSING[/** @type {keyof typeof MISSING} */ (kind)](open);
}

/** Put an answer into a form; null empties it. @param {HTMLFormElement} form @param {Question} question @param {Draft | null} answer */
export function fillAnswer(form, question, answer) {
  const inputs = inputsOf(form);
  const values = [answer].flat();
  if (question.kind === "number" || question.kind === "draw")
    inputs.forEach((slider, i) => setSlider(slider, values[i] ?? null));
  else for (const input of inputs) input.checked = values.includes(Number(input.value));
  showValue(form, question);
}

/** Show the value of a slider beside it, "–" before there is an answer. @param {HTMLFormElement} form @param {Question} question */
function showValue(form, question) {
  const output = form.querySelector(".slide output");
  if (!output) return;
  const [slider] = inputsOf(form);
  output.textContent = isUnset(slider) ? "–" : written(Number(slider.value), question);
}

/** Allow or forbid changes of a form. @param {HTMLFormElement} form @param {boolean} open */
export function setOpen(form, open) {
  form.classList.toggle("committed", !open);
  for (const control of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input, .act button")))
    control.disabled = !open;
}

/**
 * Mark the correct answers and the visitor's answer.
 * @param {HTMLFormElement} form
 * @param {Question} question
 * @param {Answer | null} answer
 * @param {number[]} truths
 */
export function markTruth(form, question, answer, truths) {
  form.querySelectorAll(".options li, .clicks li").forEach((item, i) => {
    const value = question.kind === "click" ? i + 1 : i;
    item.classList.toggle("is", truths.includes(value));
    item.classList.toggle("yours", [answer ?? []].flat().includes(value));
  });
  const slider = /** @type {HTMLElement | null} */ (form.querySelector(".slide"));
  if (truths.length)
    slider?.style.setProperty("--is", String((truths[0] - question.low) / (question.high - question.low)));
}

/** Remove the marks of the correct answers and of the visitor's answer. @param {HTMLFormElement} form */
export function clearMarks(form) {
  for (const item of form.querySelectorAll(".is, .yours")) item.classList.remove("is", "yours");
}
