/** What is said of a prediction once the network has run: both, and how far they are apart. */

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
  if (question.kind === "choose") return truths.includes(answers[0]) ? "You said so, and so it is." : `You said: ${/[.?!]$/.test(said) ? said : `${said}.`} It is not so.`;
  if (question.kind === "number") {
    const apart = Math.abs(answers[0] - truths[0]) / (question.high - question.low);
    const yours = written(answers[0], question);
    if (yours === text || apart < 0.005) return `You said ${yours}, and it is ${text}.`;
    return `You said ${yours}, it is ${text}: ${apart < 0.1 ? "close" : answers[0] < truths[0] ? "more than you thought" : "less than you thought"}.`;
  }
  if (question.kind === "draw") {
    const gaps = answers.map((value, i) => Math.abs(value - truths[question.start + i]));
    const worst = gaps.indexOf(Math.max(...gaps));
    const t = question.start + worst;
    if (gaps[worst] < 0.15 * (question.high - question.low)) return "Your curve is the network’s, nearly.";
    return `You are furthest from it at t = ${t + 1}, “${question.steps[t]}”: you drew ${fixed(answers[worst])}, it is ${fixed(truths[t])}.`;
  }
  const missed = truths.filter((t) => !answers.includes(t));
  const extra = answers.filter((t) => !truths.includes(t));
  if (!missed.length && !extra.length) return "Those are the steps.";
  const parts = [
    missed.length ? `You left out ${listed(missed)}.` : "",
    extra.length ? `It is not so at ${listed(extra)}.` : "",
  ];
  return parts.filter(Boolean).join(" ");
}

/** @param {number[]} steps */
const listed = (steps) => `t = ${steps.join(", ")}`;

/** A number as the question writes it. @param {number} value @param {Question} question */
export const written = (value, { form }) => (form === "%" ? `${fixed(100 * value, 0)} %` : fixed(value, Number(form)));
