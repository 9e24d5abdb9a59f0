/** Tokens, the text of one timestep's input. Tokens with many numbers have a short name. */

/** @import { Run } from "./run.js" */

const FEW = 4; // numbers that are shown as they are

/** Return the numbers in a token that has too many to be shown as text, null for another token. @param {string} token */
export function numbersIn(token) {
  const pieces = token.split(",");
  if (pieces.length <= FEW) return null;
  const numbers = pieces.map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}

/** Return a token as people see it: many numbers are counted. @param {string} token */
export function nameOf(token) {
  const numbers = numbersIn(token);
  return numbers ? `${numbers.length} numbers` : token;
}

/** Return the token of a run at a timestep, from 1, as people see it. @param {Run} run @param {number} step */
export const tokenAt = ({ tokens }, step) => nameOf(tokens?.[step - 1] ?? "numbers");
