/** Inputs with many numbers on the tape: a short name and a small bar chart for each. */

import { newElement, newSvg, setText } from "../elements.js";
import { nameOf, numbersIn } from "../tokens.js";

const MOST_BARS = 64; // in a chart; with more numbers each bar shows the largest of several neighbors
const HALF = 8; // the height of the longest bar

/**
 * Show a token in a cell of the tape: as text, or, if the token has many numbers, as a short name and a bar chart.
 * @param {HTMLElement} cell @param {string} token
 */
export function showToken(cell, token) {
  if (cell.dataset.token === token || (cell.dataset.token === undefined && cell.textContent === token)) return;
  const numbers = numbersIn(token);
  cell.classList.toggle("vector", numbers !== null);
  if (!numbers) {
    delete cell.dataset.token;
    return setText(cell, token);
  }
  cell.dataset.token = token;
  cell.replaceChildren(picture(numbers), newElement("span", nameOf(token)));
}

/** Return an SVG of numbers as bars, up and down from the middle. @param {number[]} numbers */
function picture(numbers) {
  const each = Math.ceil(numbers.length / MOST_BARS);
  const bars = Array.from({ length: Math.ceil(numbers.length / each) }, (_, i) =>
    numbers.slice(i * each, (i + 1) * each).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)),
  );
  const largest = Math.max(...bars.map(Math.abs)) || 1;
  const d = bars.map((value, i) => `M${i + 0.5},${HALF}v${((-value / largest) * HALF).toFixed(2)}`).join("");
  const viewBox = `0 0 ${bars.length} ${2 * HALF}`;
  const svg = newSvg("svg", { viewBox, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(newSvg("path", { d }));
  return svg;
}
