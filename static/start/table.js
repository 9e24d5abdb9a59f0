/** The table of the letters, with the visitor's gates and answers and, at the end of the game, the network's gates. */

/** @import { Played } from "./game.js" */
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
 * Show an answer. If the correct answer `right` is given, also show with a ✓ or ✗ whether the answer is correct, for readers who do not
 * see the colors.
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

/** Mark the current letter, or no letter if `at` is after the last one. @param {number} at */
export function mark(at) {
  findAll(table, "thead th:not(.unseen)").forEach((head, i) => {
    if (i === at) head.setAttribute("aria-current", "step");
    else head.removeAttribute("aria-current");
  });
}

/** Show all gates as numbers, and the network's z on top of the visitor's bars. @param {Played} run */
export function showNetwork({ gates, ownZ, ownR }) {
  gates.forEach(({ r }, at) => {
    cellOf("z", at).style.setProperty("--own", String(ownZ[at]));
    cellOf("own-z", at).textContent = fixed(ownZ[at]);
    cellOf("r", at).textContent = fixed(r);
    cellOf("own-r", at).textContent = fixed(ownR[at]);
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
