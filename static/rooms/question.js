/** A question of a room, and the form for a student's answer. */

/** @import { QuestionData } from "../boot.js" */
/** @typedef {{labels: string[], counts: number[], right: boolean[], middle: number[], answers: number, quartiles: [number, number][]}} Tally */
/** Whether the room takes answers, takes no more of them, or shows the solution. @typedef {"open" | "locked" | "revealed"} Status */
/**
 * A question of a room. `ask` and `options` are HTML, in which the server has escaped all text that people wrote. When the answer is
 * shown, the question has `revealed`, and `class` has the answers of the class by round.
 * @typedef {QuestionData & {id: number, ask: string, options: string[], grain: number, round: number, rounds: number,
 *            status: Status, class?: Tally[], picked?: string[],
 *            revealed?: {truth: any, text: string, replies: string[], reveal: string, why: string}}} RoomQuestion
 */
import { newElement } from "../elements.js";
import { KINDS } from "../questions/kinds.js";

/** Create the form of a question, with no answer yet. @param {RoomQuestion} question */
export function formOf(question) {
  const text = newElement("div", { className: "ask", id: "room-ask", innerHTML: question.ask });
  const form = /** @type {HTMLFormElement} */ (
    newElement("form", { className: `predict by-${question.kind}` }, [text])
  );
  form.setAttribute("aria-labelledby", "room-ask");
  const button = newElement("button", { className: "main", textContent: "Send answer" });
  const error = newElement("span", { className: "refused" });
  error.setAttribute("role", "alert");
  const { controls } = KINDS[question.kind];
  if (controls) form.append(...controls(question));
  form.append(newElement("p", { className: "act" }, controls ? [button, " ", error] : [error]));
  return form;
}

/** Return an object with the count of each step. Steps are counted from 1. @param {number[]} counts */
export const byStep = (counts) => Object.fromEntries(counts.map((count, i) => [i + 1, count]));

/** Return the id of a room's question; null if there is no question or its answer is already shown. @param {RoomQuestion | null} question */
export const seenBy = (question) => (question && question.status !== "revealed" ? question.id : null);

/** Return the key of a question and its round. @param {RoomQuestion} question */
export const keyOf = ({ id, round }) => `${id}.${round}`;
