/** The result of a room's question once its answer is shown: the verdict, the explanation, the answers of the class, and the drawn curves. */

/** @import { Answer } from "../lesson/answers.js" */
/** @import { RoomQuestion } from "./question.js" */
/** @import { Sketch } from "./sketches.js" */
import { newElement } from "../elements.js";
import { markTruth } from "../lesson/form.js";
import { KINDS } from "../questions/kinds.js";
import { keyOf } from "./question.js";
import { drawSketches, fetchSketches } from "./sketches.js";

/** Return an object with a `show` method that shows the result of a question. @param {HTMLElement} box @param {string} code of the room */
export function createOutcome(box, code) {
  /** The curves that the class drew, and the question and round that they answer. @type {{key: string, sketches: Promise<Sketch[]>} | null} */
  let drawn = null;

  /** @param {RoomQuestion} question @param {HTMLElement} outcome @param {number[] | null} yours */
  async function showSketches(question, outcome, yours) {
    const key = keyOf(question);
    if (drawn?.key !== key) drawn = { key, sketches: fetchSketches(code, {}) };
    const sketches = await drawn.sketches.catch(() => null);
    if (sketches) outcome.append(drawSketches(question, sketches, { yours }));
    else drawn = null; // another attempt is made when the question is shown again
  }

  return {
    /**
     * Show the result of a revealed question. Return the correct answers, or an empty list if the question has no correct answer.
     * @param {HTMLFormElement} form @param {RoomQuestion} question @param {Answer | null} answer
     */
    show(form, question, answer) {
      const revealed = /** @type {NonNullable<RoomQuestion["revealed"]>} */ (question.revealed);
      const truths = revealed.truth === null ? [] : [revealed.truth].flat();
      markTruth(form, question, answer, truths);
      const outcome = newElement("div", { className: "revealed", tabIndex: -1 });
      outcome.setAttribute("role", "group");
      outcome.setAttribute("aria-label", "Answer");
      const sentence = revealed.truth === null ? "" : verdictOn(question, answer);
      if (sentence) outcome.append(newElement("p", { className: "outcome", textContent: sentence }));
      for (const html of [revealed.replies[[answer ?? []].flat()[0]], revealed.reveal, revealed.why])
        if (html) outcome.append(newElement("div", { className: "prose", innerHTML: html }));
      if (question.class)
        outcome.append(newElement("h3", "The class"), KINDS[question.kind].picture(question, question.class, answer));
      box.append(outcome);
      if (KINDS[question.kind].hasSketches) showSketches(question, outcome, /** @type {number[] | null} */ (answer));
      return truths;
    },
  };
}

/**
 * Return the sentence about the student's answer. Without an answer, the sentence gives the correct answer.
 * @param {RoomQuestion} question @param {Answer | null} answer
 */
function verdictOn(question, answer) {
  const revealed = /** @type {NonNullable<RoomQuestion["revealed"]>} */ (question.revealed);
  const { verdict, solution } = KINDS[question.kind];
  if (answer === null) return solution?.(revealed.text) ?? "";
  const label = question.options[[answer].flat()[0]] ?? "";
  const chosen = newElement("span", { innerHTML: label }).textContent ?? "";
  return verdict(question, [answer].flat(), [revealed.truth].flat(), revealed.text, chosen);
}
