/** A question of a room: the form for a student's answer, and the answers of a class as bars. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "../lesson/answers.js" */
/** @typedef {{labels: string[], counts: number[], right: boolean[], middle: number[], answers: number, quartiles: [number, number][]}} Tally */
/**
 * A question of a room. `ask` and `options` are HTML; the server has escaped all text in them that people wrote. When its answer is
 * shown, the question has `revealed`, and `class` has the answers of the class by round.
 * @typedef {Question & {id: number, ask: string, options: string[], grain: number, round: number, rounds: number,
 *            status: "open" | "locked" | "revealed", class?: Tally[], picked?: string[],
 *            revealed?: {truth: any, text: string, replies: string[], reveal: string, why: string}}} RoomQuestion
 */
import { newElement } from "../elements.js";
import { NO_VALUE } from "../lesson/form.js";
import { written } from "../lesson/verdict.js";
import { drawBand } from "./band.js";

/** Create the form of a question, with no answer yet. Gates are played on the page, not in the form. @param {RoomQuestion} question */
export function formOf(question) {
  const text = newElement("div", { className: "ask", id: "room-ask", innerHTML: question.ask });
  const form = /** @type {HTMLFormElement} */ (
    newElement("form", { className: `predict by-${question.kind}` }, [text])
  );
  form.setAttribute("aria-labelledby", "room-ask");
  const button = newElement("button", { className: "main", textContent: "Send answer" });
  const error = newElement("span", { className: "refused" });
  error.setAttribute("role", "alert");
  if (question.kind === "choose") form.append(optionsOf(question));
  else if (question.kind === "number") form.append(sliderOf(question));
  else if (question.kind !== "gate") form.append(...stepsOf(question));
  form.append(newElement("p", { className: "act" }, question.kind === "gate" ? [error] : [button, " ", error]));
  return form;
}

/** @param {RoomQuestion} question */
function optionsOf({ options }) {
  const items = options.map((option, i) => {
    const radio = newElement("input", { type: "radio", name: "answer", value: String(i) });
    return newElement("li", {}, [newElement("label", {}, [radio, newElement("span", { innerHTML: option })])]);
  });
  const list = newElement("ol", { className: "options" }, items);
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-labelledby", "room-ask");
  return list;
}

/** Create a slider in the middle of its range. It is no answer until a student moves it. @param {RoomQuestion} question @param {object} properties */
function rangeOf({ low, high, grain }, properties) {
  const range = /** @type {HTMLInputElement} */ (
    newElement("input", { type: "range", min: low, max: high, step: grain, ...properties })
  );
  range.defaultValue = String((low + high) / 2);
  range.dataset.unset = "";
  range.ariaValueText = NO_VALUE;
  return range;
}

/** @param {RoomQuestion} question */
function sliderOf(question) {
  const range = rangeOf(question, { name: "answer" });
  range.setAttribute("aria-labelledby", "room-ask");
  return newElement("p", { className: "slide" }, [range, newElement("output")]);
}

/** Create a button for each step, or a slider for each step. @param {RoomQuestion} question */
function stepsOf(question) {
  const draws = question.kind === "draw";
  const items = question.steps.slice(question.start).map((token, i) => {
    const t = question.start + i + 1;
    const input = draws
      ? rangeOf(question, { ariaLabel: `at t = ${t}, ${token}` })
      : newElement("input", { type: "checkbox", value: String(t), ariaLabel: `t = ${t}, ${token}` });
    const text = newElement("span", token);
    return newElement("li", {}, [newElement("label", {}, draws ? [text, input] : [input, text])]);
  });
  const note = draws
    ? "Draw the curve over its row in the figure, or set each timestep with these sliders."
    : "Select the timesteps here, or press them in the input row of the figure.";
  return [
    newElement("p", { className: "note", textContent: note }),
    newElement("ol", { className: draws ? "draws" : "clicks" }, items),
  ];
}

/**
 * Draw the answers of a class as bars, or gates as a band. The answers of the last round come first, then the answers of the round before.
 * @param {RoomQuestion} question @param {Tally[]} rounds @param {Answer | null} [yours]
 */
export function histogram(question, rounds, yours = null) {
  const last = rounds[rounds.length - 1];
  if (question.kind === "gate") return drawBand(question, last, /** @type {number[] | null} */ (yours));
  const before = rounds.length > 1 ? rounds[rounds.length - 2] : null;
  const firstRound = before
    ? `, and ${before.answers} in the first round${question.kind === "draw" ? "" : " (thin bars)"}`
    : "";
  const caption = newElement("p", {
    className: "note",
    textContent: `${last.answers} ${last.answers === 1 ? "answer" : "answers"}${firstRound}`,
  });
  if (question.kind === "draw") return newElement("div", { className: "histogram" }, [caption]);
  const most = Math.max(1, ...last.counts, ...(before?.counts ?? []));
  const narrow = question.kind === "number";
  const bars = last.labels.map((label, i) => {
    const count = last.counts[i];
    const classes = [last.right[i] && "is", isYours(question, yours, i, last.labels.length) && "yours"];
    const bar = newElement("li", { className: classes.filter(Boolean).join(" ") }, [
      newElement("span", { className: "label", textContent: label }),
      newElement("span", { className: "bar" }),
      newElement("span", { className: "count", textContent: String(count) }),
    ]);
    bar.style.setProperty("--share", String(count / most));
    if (before) bar.style.setProperty("--before", String(before.counts[i] / most));
    if (narrow) bar.title = `${label}: ${count}`;
    return bar;
  });
  const ends = [question.low, question.high].map((end) => newElement("span", written(end, question)));
  return newElement("div", { className: `histogram${narrow ? " narrow" : ""}` }, [
    newElement("ol", {}, bars),
    ...(narrow ? [newElement("p", { className: "ends" }, ends)] : []),
    caption,
  ]);
}

/**
 * Return whether a bar contains the student's own answer.
 * @param {RoomQuestion} question
 * @param {Answer | null} yours
 * @param {number} bar
 * @param {number} bars
 */
function isYours({ kind, low, high }, yours, bar, bars) {
  const answers = [yours ?? []].flat();
  if (kind !== "number") return answers.includes(kind === "click" ? bar + 1 : bar);
  const place = Math.floor(((answers[0] - low) / (high - low)) * bars);
  return answers.length > 0 && Math.min(bars - 1, place) === bar;
}

/** Return the counts by step, from 1. @param {number[]} counts */
export const byStep = (counts) => Object.fromEntries(counts.map((count, i) => [i + 1, count]));

/** Return the key of a question and its round. @param {RoomQuestion} question */
export const keyOf = ({ id, round }) => `${id}.${round}`;
