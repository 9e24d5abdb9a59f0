/** The form of a question: functions that read the answer, fill it in, and mark the correct answer. */

/** @import { QuestionData } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
/** @import { Draft } from "../questions/kinds.js" */
import { findAll } from "../elements.js";
import { isUnset, setSlider, written } from "../questions/inputs.js";
import { KINDS } from "../questions/kinds.js";

const inputsOf = (/** @type {HTMLFormElement} */ form) => /** @type {HTMLInputElement[]} */ (findAll(form, "input"));

/**
 * Mount the form of a question: a slider counts as an answer once the visitor moves or presses it.
 * @param {HTMLFormElement} form @param {QuestionData} question @param {() => void} onChange
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
 * Return the answer in a form so far, or null if there is none. An incomplete curve has null at each timestep without a value.
 * @param {HTMLFormElement} form @param {QuestionData} question @returns {Draft | null}
 */
export const readDraft = (form, { kind }) => KINDS[kind].read(inputsOf(form));

/** Return the answer in a form, or null if the answer is not complete. @param {HTMLFormElement} form @param {QuestionData} question */
export function readAnswer(form, question) {
  const draft = readDraft(form, question);
  return /** @type {Answer | null} */ ([draft].flat().includes(null) ? null : draft);
}

/** Return a sentence that tells the visitor what the answer still lacks. @param {HTMLFormElement} form @param {QuestionData} question */
export function missing(form, { kind, start }) {
  const open = inputsOf(form).flatMap((slider, i) => (isUnset(slider) ? [start + i + 1] : []));
  return KINDS[kind].missing(open);
}

/** Put an answer into a form; null empties it. @param {HTMLFormElement} form @param {QuestionData} question @param {Draft | null} answer */
export function fillAnswer(form, question, answer) {
  KINDS[question.kind].fill(inputsOf(form), [answer].flat());
  showValue(form, question);
}

/**
 * Show the value of a slider beside the slider, or "–" before the visitor has set it.
 * @param {HTMLFormElement} form @param {QuestionData} question
 */
function showValue(form, question) {
  const output = form.querySelector(".slide output");
  if (!output) return;
  const [slider] = inputsOf(form);
  output.textContent = isUnset(slider) ? "–" : written(Number(slider.value), question);
}

/** Open a form for answers, or close it after an answer. @param {HTMLFormElement} form @param {boolean} open */
export function setOpen(form, open) {
  form.classList.toggle("committed", !open);
  setUsable(form, open);
}

/** Enable or disable the controls of a form. @param {HTMLFormElement} form @param {boolean} usable */
export function setUsable(form, usable) {
  for (const control of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input, .act button")))
    control.disabled = !usable;
}

/**
 * Mark the correct answers and the visitor's answer.
 * @param {HTMLFormElement} form
 * @param {QuestionData} question
 * @param {Answer | null} answer
 * @param {number[]} truths
 */
export function markTruth(form, question, answer, truths) {
  form.querySelectorAll(".options li, .clicks li").forEach((item, i) => {
    const value = i + (KINDS[question.kind].first ?? 0);
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
