/** Tokens: the text of the input at each timestep. Tokens with many numbers have a short name. */

/** @import { Run } from "./run.js" */

const FEW = 4; // numbers that are shown as they are

/** Return the numbers in a token if there are too many to show as text; null for any other token. @param {string} token */
export function numbersIn(token) {
  const pieces = token.split(",");
  if (pieces.length <= FEW) return null;
  const numbers = pieces.map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}

/** Return a token as the page shows it. Many numbers become their count, such as "12 numbers". @param {string} token */
export function nameOf(token) {
  const numbers = numbersIn(token);
  return numbers ? `${numbers.length} numbers` : token;
}

/** Return the token of a run at a step, counted from 1, as the page shows it. @param {Run} run @param {number} step */
export const tokenAt = ({ tokens }, step) => nameOf(tokens?.[step - 1] ?? "numbers");
