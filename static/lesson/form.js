/** What stands in a question's form. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
import { written } from "./verdict.js";

/** The message to somebody who checks an answer before giving one. */
export const NOTHING = "Choose an answer first. You also learn from a wrong guess.";

const inputs = (/** @type {HTMLFormElement} */ form) => /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")]);

/** What a form says, null where it says nothing yet. @param {HTMLFormElement} form @param {Question} question @returns {Answer | null} */
export function read(form, { kind }) {
  const all = inputs(form);
  if (kind === "number") return Number(all[0].value);
  if (kind === "draw") return all.map(({ value }) => Number(value));
  const checked = all.filter(({ checked }) => checked).map(({ value }) => Number(value));
  if (kind === "click") return checked.length ? checked : null;
  return checked[0] ?? null;
}

/** @param {HTMLFormElement} form @param {Question} question @param {Answer} answer */
export function fill(form, question, answer) {
  const all = inputs(form);
  if (question.kind === "number") all[0].value = String(answer);
  else if (question.kind === "draw") all.forEach((input, i) => (input.value = String([answer].flat()[i])));
  else for (const input of all) input.checked = [answer].flat().includes(Number(input.value));
  slid(form, question);
}

/** A slider says where it stands. @param {HTMLFormElement} form @param {Question} question */
export function slid(form, question) {
  const out = form.querySelector(".slide output");
  if (out) out.textContent = written(Number(inputs(form)[0].value), question);
}

/** The answer beside the truth. @param {HTMLFormElement} form @param {Question} question @param {Answer | null} answer @param {number[]} truths */
export function mark(form, question, answer, truths) {
  form.querySelectorAll(".options li, .clicks li").forEach((item, i) => {
    const value = question.kind === "click" ? i + 1 : i;
    item.classList.toggle("is", truths.includes(value));
    item.classList.toggle("yours", [answer ?? []].flat().includes(value));
  });
  const slide = /** @type {HTMLElement | null} */ (form.querySelector(".slide"));
  if (truths.length) slide?.style.setProperty("--is", String((truths[0] - question.low) / (question.high - question.low)));
}
