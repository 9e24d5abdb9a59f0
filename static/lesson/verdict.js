/** The verdict on a prediction: the answer beside the result of the run. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
/**
 * `truth` is the correct answer: the indices of the correct options, a number, the value at each step, or steps. `text` is the
 * number as text, and `replies` has the reply to each option. `link` is the view that the figure shows from now on.
 * @typedef {{truth: number | number[], text: string, replies: string[], reveal: string, why: string, page: string, link: string}} Revealed
 */
import { fixed } from "../run.js";

const RIGHT = 0.005; // of the scale: a number that is this close is right
const CLOSE = 0.1; // of the scale
const CLOSE_CURVE = 0.15; // of the scale, at every step

/** @param {Question} question @param {Answer} answer @param {Revealed} revealed @param {string} chosen the option that was chosen, in words */
export function verdict(question, answer, { truth, text }, chosen) {
  const truths = [truth].flat();
  const answers = [answer].flat();
  if (question.kind === "choose") return ofChoice(truths.includes(answers[0]), chosen);
  if (question.kind === "number") return ofNumber(question, answers[0], truths[0], text);
  if (question.kind === "draw") return ofCurve(question, answers, truths);
  return ofSteps(answers, truths);
}

/** @param {boolean} right @param {string} chosen */
const ofChoice = (right, chosen) =>
  right ? "Correct." : `Not quite. You chose: ${/[.?!]$/.test(chosen) ? chosen : `${chosen}.`}`;

/** @param {Question} question @param {number} answer @param {number} truth @param {string} text of the truth */
function ofNumber(question, answer, truth, text) {
  const gap = Math.abs(answer - truth) / (question.high - question.low);
  const yours = written(answer, question);
  if (yours === text || gap < RIGHT) return `Correct: you said ${yours}, and the value is ${text}.`;
  const how = answer < truth ? "higher than" : "lower than";
  return `${gap < CLOSE ? "Close" : "Not quite"}: you said ${yours}, and the value is ${text}${gap < CLOSE ? "" : `, ${how} you expected`}.`;
}

/** @param {Question} question @param {number[]} answers from the step `start` on @param {number[]} truths of every step */
function ofCurve({ start, steps, low, high }, answers, truths) {
  const gaps = answers.map((value, i) => Math.abs(value - truths[start + i]));
  const worst = gaps.indexOf(Math.max(...gaps));
  const t = start + worst;
  if (gaps[worst] < CLOSE_CURVE * (high - low)) return "Correct: your curve is close to the network’s.";
  return `Not quite: the largest gap is at t = ${t + 1} (${steps[t]}). There you drew ${fixed(answers[worst])}, and the value is ${fixed(truths[t])}.`;
}

/** @param {number[]} answers @param {number[]} truths */
function ofSteps(answers, truths) {
  const missed = truths.filter((t) => !answers.includes(t));
  const extra = answers.filter((t) => !truths.includes(t));
  if (!missed.length && !extra.length) return "Correct.";
  const parts = [
    missed.length ? `${list(missed)} ${missed.length > 1 ? "belong" : "belongs"} to the answer` : "",
    extra.length ? `${list(extra)} ${extra.length > 1 ? "do" : "does"} not belong to the answer` : "",
  ];
  return `Not quite, because ${parts.filter(Boolean).join(", and ")}.`;
}

/** @param {number[]} steps */
const list = (steps) => `t = ${steps.join(", ")}`;

/** Write a number with the decimals, or in the percent, of a question. @param {number} value @param {Question} question */
export const written = (value, { form }) => (form === "%" ? `${fixed(100 * value, 0)}%` : fixed(value, Number(form)));
