/** The verdict on a prediction: the answer beside the result of the run. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
/**
 * `truth` has the options that are right, from 0; a number; the value at each step; or steps. `text` is that number as it is
 * written, `replies` what is said to each option, `link` what the figure shows from now on.
 * @typedef {{truth: number | number[], text: string, replies: string[], reveal: string, why: string, page: string, link: string}} Revealed
 */
import { fixed } from "../run.js";

/** @param {Question} question @param {Answer} answer @param {Revealed} revealed @param {string} said what was chosen, in words */
export function verdict(question, answer, { truth, text }, said) {
  const truths = [truth].flat();
  const answers = [answer].flat();
  if (question.kind === "choose") return truths.includes(answers[0]) ? "Correct." : `Not quite. You chose: ${/[.?!]$/.test(said) ? said : `${said}.`}`;
  if (question.kind === "number") {
    const apart = Math.abs(answers[0] - truths[0]) / (question.high - question.low);
    const yours = written(answers[0], question);
    if (yours === text || apart < 0.005) return `Correct: you said ${yours}, and the value is ${text}.`;
    const how = answers[0] < truths[0] ? "higher than" : "lower than";
    return `${apart < 0.1 ? "Close" : "Not quite"}: you said ${yours}, and the value is ${text}${apart < 0.1 ? "" : `, ${how} you expected`}.`;
  }
  if (question.kind === "draw") {
    const gaps = answers.map((value, i) => Math.abs(value - truths[question.start + i]));
    const worst = gaps.indexOf(Math.max(...gaps));
    const t = question.start + worst;
    if (gaps[worst] < 0.15 * (question.high - question.low)) return "Correct: your curve is close to the network’s.";
    return `Not quite: the largest gap is at t = ${t + 1} (${question.steps[t]}). There you drew ${fixed(answers[worst])}, and the value is ${fixed(truths[t])}.`;
  }
  const missed = truths.filter((t) => !answers.includes(t));
  const extra = answers.filter((t) => !truths.includes(t));
  if (!missed.length && !extra.length) return "Correct.";
  const parts = [
    missed.length ? `${listed(missed)} ${missed.length > 1 ? "belong" : "belongs"} to the answer` : "",
    extra.length ? `${listed(extra)} ${extra.length > 1 ? "do" : "does"} not belong to the answer` : "",
  ];
  return `Not quite, because ${parts.filter(Boolean).join(", and ")}.`;
}

/** @param {number[]} steps */
const listed = (steps) => `t = ${steps.join(", ")}`;

/** A number as the question writes it. @param {number} value @param {Question} question */
export const written = (value, { form }) => (form === "%" ? `${fixed(100 * value, 0)}%` : fixed(value, Number(form)));
