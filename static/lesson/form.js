/** The form of a question: reads and fills in the answer, and marks the correct one. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
import { findAll } from "../elements.js";
import { written } from "./verdict.js";

/** The message to a visitor who presses "Check answer" without an answer. */
export const NO_ANSWER = "Choose an answer first. You also learn from a wrong guess.";

const inputsOf = (/** @type {HTMLFormElement} */ form) => /** @type {HTMLInputElement[]} */ (findAll(form, "input"));

/** Return the answer in a form, null if there is none yet. @param {HTMLFormElement} form @param {Question} question @returns {Answer | null} */
export function readAnswer(form, { kind }) {
  const inputs = inputsOf(form);
  if (kind === "number") return Number(inputs[0].value);
  if (kind === "draw") return inputs.map(({ value }) => Number(value));
  const checked = inputs.filter(({ checked }) => checked).map(({ value }) => Number(value));
  if (kind === "click") return checked.length ? checked : null;
  return checked[0] ?? null;
}

/** Put an answer into a form. @param {HTMLFormElement} form @param {Question} question @param {Answer} answer */
export function fillAnswer(form, question, answer) {
  const inputs = inputsOf(form);
  const values = [answer].flat();
  if (question.kind === "number") inputs[0].value = String(answer);
  else if (question.kind === "draw") inputs.forEach((input, i) => (input.value = String(values[i])));
  else for (const input of inputs) input.checked = values.includes(Number(input.value));
  showValue(form, question);
}

/** Show the value of a slider beside it. @param {HTMLFormElement} form @param {Question} question */
export function showValue(form, question) {
  const output = form.querySelector(".slide output");
  if (output) output.textContent = written(Number(inputsOf(form)[0].value), question);
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
