/** The table of the letters: the visitor's gates and answers, and in the end the network's z over the visitor's. */

import { findAll, newElement } from "../elements.js";
import { fixed } from "../run.js";

const table = /** @type {HTMLElement} */ (document.querySelector(".letters"));
const cellOf = (/** @type {string} */ row, /** @type {number} */ at) => findAll(table, `[data-row=${row}] td`)[at];

/** Show a gate at a letter, as a number and as a bar. @param {string} row @param {number} at @param {number} value */
export function showGate(row, at, value) {
  const cell = cellOf(row, at);
  cell.textContent = fixed(value);
  cell.style.setProperty("--yours", String(value));
}

/**
 * Show an answer. If the correct one is given, a mark that does not depend on color says whether the answer is correct.
 * @param {string} row @param {number} at @param {string} answer @param {string} [right]
 */
export function showAnswer(row, at, answer, right) {
  const cell = cellOf(row, at);
  cell.className = right === undefined ? "open" : answer === right ? "good" : "wrong";
  cell.replaceChildren(answer);
  if (right === undefined) return;
  cell.append(newElement("span", { textContent: answer === right ? " ✓" : " ✗", ariaHidden: "true" }));
  cell.append(
    newElement("span", { className: "unseen", textContent: answer === right ? " correct" : ` wrong, it is ${right}` }),
  );
}

/** Mark the present letter; no letter if it is beyond the last. @param {number} at */
export function mark(at) {
  findAll(table, "thead th:not(.unseen)").forEach((head, i) => {
    if (i === at) head.setAttribute("aria-current", "step");
    else head.removeAttribute("aria-current");
  });
}

/** Show the network's z, as numbers and over the visitor's bars. @param {number[]} values */
export function showNetwork(values) {
  values.forEach((value, at) => {
    cellOf("own-z", at).textContent = fixed(value);
    cellOf("z", at).style.setProperty("--own", String(value));
  });
  table.classList.add("both");
}

/** Empty the table. */
export function startTable() {
  for (const cell of findAll(table, "td")) {
    cell.replaceChildren();
    cell.removeAttribute("class");
    cell.removeAttribute("style");
  }
  table.classList.remove("both");
}
