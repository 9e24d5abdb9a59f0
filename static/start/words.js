/** The sentences of the game “Be the gate”. All numbers in the sentences come from gru_core. */

/** @import { Played } from "./game.js" */
import { fixed } from "../run.js";

const isCapital = (/** @type {string} */ letter) => letter !== letter.toLowerCase();
const NEAR = 0.3; // the memory is nearly lost if it is this close to the middle of the line
const countOf = (/** @type {boolean[]} */ all) => all.filter(Boolean).length;

/**
 * Return a sentence about the answer at a letter, with the reason if the answer is wrong.
 * @param {Played} run @param {readonly string[]} letters @param {number} at
 */
export function feedback(run, letters, at) {
  const [answer, z, h] = [run.answers[at], fixed(run.gates[at].z), fixed(run.h[at])];
  if (h === fixed(0)) {
    const verdict = answer === run.right[at] ? "Correct by chance" : "Not quite";
    return `${verdict}: at ${letters[at]}, z = ${z} left the memory empty, so the answer ${answer} means nothing.`;
  }
  if (answer === run.right[at])
    return Math.abs(run.h[at]) > NEAR
      ? `Correct at ${letters[at]}.`
      : `Only just correct: at ${letters[at]}, z = ${z} left the memory at ${h}.`;
  if (isCapital(letters[at]))
    return `Not quite: at ${letters[at]}, z = ${z} left the memory at ${h}, which reads as ${answer}.`;
  if (run.answers[at - 1] === answer) return `Not quite: the memory is ${h}, which still reads as ${answer}.`;
  return `Not quite: at ${letters[at]}, z = ${z} moved the memory to ${h}, which reads as ${answer}.`;
}

/**
 * Return the sentence about the current letter. `closed` is the candidate at this letter with r = 0, or null if it is unknown. If the
 * visitor has moved both gates, the sentence is about the gate that was `moved` last.
 * @param {Played} run @param {readonly string[]} letters @param {number | null} closed @param {"z" | "r"} [moved]
 */
export function describe(run, letters, closed, moved = "r") {
  const at = run.gates.length - 1;
  const { z, r } = run.gates[at];
  const candidate = fixed(run.candidate[at]);
  if (r > 0 && at > 0 && (z === 0 || moved === "r")) return describeReset(run, letters, closed ?? run.candidate[at]);
  if (z > 0) {
    const reads = Math.abs(run.h[at]) > NEAR ? "reads as" : "only just reads as";
    return `The memory is ${fixed(run.h[at])}, which ${reads} ${run.answers[at]}.`;
  }
  if (r > 0) return "The memory is still empty. From the next letter on, r changes the candidate.";
  if (at === 0)
    return `The memory is empty. The trained weights turn ${letters[0]} into a new memory, the candidate: ${candidate}. Drag the blue dot there, or move z.`;
  const kind = isCapital(letters[at]) ? "a capital" : "noise";
  const before = feedback(run, letters, at - 1);
  const hint =
    before.startsWith("Correct at") && run.gates.every((gates) => gates.r === 0)
      ? " Move r and watch the candidate."
      : "";
  return `${before} The next letter, ${letters[at]}, is ${kind}. Its candidate is ${candidate}.${hint}`;
}

/**
 * Return a sentence about the effect of the reset gate on the candidate.
 * @param {Played} run @param {readonly string[]} letters @param {number} closed
 */
function describeReset(run, letters, closed) {
  const at = run.gates.length - 1;
  const [before, candidate, old] = [run.h[at - 1], run.candidate[at], run.answers[at - 1]];
  const r = `r = ${fixed(run.gates[at].r)}`;
  if (Math.abs(candidate - closed) < 0.05)
    return `With ${r} the candidate uses the memory. Here that changes little: the candidate stays near ${fixed(closed)}.`;
  const moves = `${r} moves the candidate from ${fixed(closed)} to ${fixed(candidate)}.`;
  if (isCapital(letters[at]))
    return letters[at] === old ? moves : `${moves} Your ${old} pulls it back, so a small r is better here.`;
  const agrees = before * candidate > 0 && Math.abs(candidate) > 0.3;
  return agrees ? `${moves} That is on the side of ${old}, so even z = 1 keeps your ${old}.` : moves;
}

/** Return a sentence with the numbers of correct answers of the visitor and of the network. @param {Played} run */
export function score({ answers, ownAnswers, right }) {
  const [yours, own] = [answers, ownAnswers].map((row) => countOf(row.map((answer, at) => answer === right[at])));
  return `You: ${yours} of ${right.length} correct. The network: ${own} of ${right.length}.`;
}

/** Return sentences about the network's own gates at the same letters. @param {Played} run @param {readonly string[]} letters */
export function findings({ ownZ, ownR }, letters) {
  const at = (/** @type {number[]} */ row, /** @type {boolean} */ capital) =>
    row.filter((_, i) => isCapital(letters[i]) === capital);
  const least = (/** @type {number[]} */ row) => `${fixed(Math.min(...row))} or more`;
  const most = (/** @type {number[]} */ row) => `${fixed(Math.max(...row))} or less`;
  return (
    `At the capitals the network’s z is ${least(at(ownZ, true))}, and its r is ${most(at(ownR, true))}: the new letter replaces the memory. ` +
    `At the small letters z is ${most(at(ownZ, false))}, and r is ${least(at(ownR, false))}: even the candidate repeats the letter in memory.`
  );
}

/**
 * Return feedback on the visitor's first wrong answer or, if there is none, on the first nearly wrong one; otherwise "".
 * @param {Played} run @param {readonly string[]} letters
 */
export function firstMistake(run, letters) {
  const at = run.answers.findIndex((answer, i) => answer !== run.right[i]);
  const near = run.h.findIndex((h) => Math.abs(h) <= NEAR);
  const worst = at < 0 ? near : at;
  return worst < 0 ? "" : feedback(run, letters, worst);
}
