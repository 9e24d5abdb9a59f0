/**
 * Be the gate: the visitor sets z and r at each letter. The network runs with these values as clamps, so that the server computes
 * every number on this page. The same run without clamps is the network's own.
 */

/** @typedef {{z: number, r: number}} Gates the visitor's gates at a letter */
/**
 * A run with the visitor's gates up to the present letter. Each row has a value for each letter.
 * @typedef {{h: number[], candidate: number[], answers: string[], right: string[], twinZ: number[], twinAnswers: string[],
 *            decimals: number}} Played
 */
import { boot } from "../boot.js";
import { findAll, finder, newElement, setText } from "../elements.js";
import { fixed } from "../run.js";
import { switchTheme } from "../theme.js";
import { play } from "./game.js";
import { mountLine } from "./line.js";
import { mountClassroom } from "./room.js";

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const find = finder(main);
const { model, sequence } = boot.scenario;
const letters = sequence.split(" ");
const sliders = /** @type {HTMLInputElement[]} */ (findAll(main, "input[type=range]"));
const [z, r] = sliders;
const next = find("[data-do=next]");
const line = mountLine(find("figure svg"));

/** The gates at the letters so far; the last are those that the visitor is setting. @type {Gates[]} */
let gates = [{ z: 0, r: 0 }];
/** The run with these gates; null until the server has answered. @type {Played | null} */
let played = null;
/** Whether the page is waiting for a response, and whether the gates have changed since. */
let waiting = false;
let changed = false;
/** Whether the visitor has accepted the gates of the last letter. */
let done = false;

/** Run the network with the present gates. One request at a time: the newest gates count. */
async function run() {
  changed = true;
  if (waiting) return;
  waiting = true;
  while (changed) {
    changed = false;
    try {
      played = await play(model, letters, gates, classroom.isHidden());
      setText(find(".error"), "");
      show(played);
      if (done && !changed && !classroom.isHidden()) finish(played);
    } catch (error) {
      setText(find(".error"), /** @type {Error} */ (error).message);
    }
  }
  waiting = false;
}

/** @param {Played} run */
function show(run) {
  const t = gates.length;
  const at = t - 1;
  const before = at > 0 ? run.h[at - 1] : 0;
  line.show(before, run.candidate[at], gates[at]);
  setText(find("#now"), `Letter ${t} of ${letters.length}: `);
  find("#now").append(newElement("b", letters[at]));
  setText(find(".says"), sentence(run, at));
  showEquation(run, at, before);
  for (const slider of sliders)
    setText(/** @type {Element} */ (slider.nextElementSibling), fixed(Number(slider.value)));
  setText(next, t < letters.length ? "Next letter" : "See the network play");
}

/** Return what the letter proposes, in a sentence. @param {Played} run @param {number} at */
function sentence(run, at) {
  const candidate = fixed(run.candidate[at]);
  if (at === 0) return `The memory is empty. The candidate for ${letters[at]} is ${candidate}. Drag z to take it.`;
  const memory = `The memory is ${fixed(run.h[at])}, which reads as ${run.answers[at]}.`;
  return `${memory} The candidate for ${letters[at]} is ${candidate}.`;
}

/** @param {Played} run @param {number} at @param {number} before */
function showEquation(run, at, before) {
  const [zt, h] = [gates[at].z, run.h[at]].map((value) => fixed(value, run.decimals));
  const [old, candidate] = [before, run.candidate[at]].map((value) => signed(value, run.decimals));
  const letter = (/** @type {string} */ name, /** @type {number} */ t) => [
    newElement("i", name),
    newElement("sub", String(t)),
  ];
  const t = at + 1;
  find(".equation").replaceChildren(
    newElement("span", {}, [
      ...letter("h", t), " = (1 − ", ...letter("z", t), ") · ", ...letter("h", t - 1), " + ", ...letter("z", t), " · ",
      ...letter("h̃", t),
    ]),
    newElement("span", `= (1 − ${zt}) · ${old} + ${zt} · ${candidate} = ${h}`),
  ); // prettier-ignore
}

/** Return a number for the inside of a product: a negative one is in parentheses. @param {number} value @param {number} decimals */
const signed = (value, decimals) => (value < 0 ? `(${fixed(value, decimals)})` : fixed(value, decimals));

/** Accept the gates of the present letter, and go to the next one, or to the end. */
function accept() {
  if (!played || waiting) return;
  const at = gates.length - 1;
  showGate("z", at, gates[at].z);
  showAnswer("answer", at, played.answers[at], played.right[at]);
  if (gates.length === letters.length) return end(played);
  gates = [...gates, { ...gates[at] }];
  mark(at + 1);
  run();
  z.focus();
}

/** @param {string} row @param {number} at */
const cellOf = (row, at) => findAll(main, `[data-row=${row}] td`)[at];

/** Show a gate in the table, as a number and as a bar. @param {string} row @param {number} at @param {number} value */
function showGate(row, at, value) {
  const cell = cellOf(row, at);
  cell.textContent = fixed(value);
  cell.style.setProperty("--z", String(value));
}

/** Show an answer in the table, with a mark that does not depend on color. @param {string} row @param {number} at @param {string} answer @param {string} right */
function showAnswer(row, at, answer, right) {
  const good = answer === right;
  const cell = cellOf(row, at);
  cell.className = good ? "good" : "wrong";
  cell.replaceChildren(answer, newElement("span", { textContent: good ? " ✓" : " ✗", ariaHidden: "true" }));
  cell.append(newElement("span", { className: "unseen", textContent: good ? " correct" : ` wrong, it is ${right}` }));
}

/** Mark the present letter; no letter if it is beyond the last. @param {number} at */
function mark(at) {
  findAll(main, ".letters thead th:not(.unseen)").forEach((head, i) => {
    if (i === at) head.setAttribute("aria-current", "step");
    else head.removeAttribute("aria-current");
  });
}

/** End the game. In a room, the network's run comes when the teacher shows it. @param {Played} run */
function end(run) {
  done = true;
  mark(letters.length);
  find(".play").hidden = true;
  if (classroom.isHidden()) classroom.finish(gates);
  else finish(run);
}

/** Show what the network did with the same letters. @param {Played} run */
function finish(run) {
  classroom.resume();
  letters.forEach((_, at) => {
    showGate("twin-z", at, run.twinZ[at]);
    showAnswer("twin-answer", at, run.twinAnswers[at], run.right[at]);
  });
  for (const row of findAll(main, "[data-row^=twin]")) row.hidden = false;
  const count = (/** @type {string[]} */ answers) => answers.filter((answer, at) => answer === run.right[at]).length;
  setText(
    find("#score"),
    `You: ${count(run.answers)} of ${letters.length} correct. The network: ${count(run.twinAnswers)} of ${letters.length}.`,
  );
  const [capitals, small] = [true, false].map((open) => run.twinZ.filter((value) => value > 0.5 === open));
  setText(
    find(".found"),
    `At the capitals the network opens z to ${fixed(Math.min(...capitals))} or more. At the small letters it keeps z at ${fixed(Math.max(...small))} or less.`,
  );
  find(".end").hidden = false;
  find("#score").focus();
}

function again() {
  done = false;
  classroom.resume();
  gates = [{ z: 0, r: 0 }];
  for (const slider of sliders) slider.value = "0";
  for (const cell of findAll(main, ".letters td")) {
    cell.replaceChildren();
    cell.removeAttribute("class");
    cell.removeAttribute("style");
  }
  for (const row of findAll(main, "[data-row^=twin]")) row.hidden = true;
  find(".play").hidden = false;
  find(".end").hidden = true;
  mark(0);
  run();
  z.focus();
}

for (const slider of sliders)
  slider.addEventListener("input", () => {
    gates[gates.length - 1] = { z: Number(z.value), r: Number(r.value) };
    run();
  });
next.addEventListener("click", accept);
find("[data-do=again]").addEventListener("click", again);
main.addEventListener("keydown", (event) => {
  const slider = /** @type {HTMLElement} */ (event.target).closest("input[type=range]");
  if (!slider) return;
  const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (event.key === "Enter") accept();
  else if (step === undefined) return;
  else {
    r.value = String(Number(r.value) + step * 0.05);
    r.dispatchEvent(new Event("input"));
  }
  event.preventDefault();
});
const classroom = mountClassroom(find(".play"), again, run);
document.querySelector("#theme")?.addEventListener("click", switchTheme);
run();
