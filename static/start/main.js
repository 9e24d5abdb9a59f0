/**
 * The game “Be the gate”: the visitor sets z and r at each letter. The network runs with these values as clamps, and the server
 * computes every number on this page. The same run without clamps shows the network's own gates.
 */

/** @import { Gates, Played } from "./game.js" */
import { boot } from "../boot.js";
import { findAll, finder, newElement, setText } from "../elements.js";
import { announceHeight, followTheme } from "../host.js";
import { fixed } from "../run.js";
import { switchTheme } from "../theme.js";
import { showEquation } from "./equation.js";
import { play } from "./game.js";
import { mountLine } from "./line.js";
import { mountClassroom } from "./room.js";
import { mark, showAnswer, showGate, showNetwork, startTable } from "./table.js";
import { describe, findings, firstMistake, score } from "./words.js";

const SETTLED = 400; // ms without a change, after which a screen reader reads the sentence
const KEY_STEP = 0.05;

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const find = finder(main);
const { model, sequence } = boot.scenario;
const letters = sequence.split(" ");
const sliders = /** @type {HTMLInputElement[]} */ (findAll(main, "input[type=range]"));
const [z, r] = sliders;
const line = mountLine(find("figure svg"), (fraction) => {
  if (!isShown()) return; // the line still shows the previous letter
  z.value = String(fraction);
  change("z");
});

/** The gates at the letters so far. The visitor is setting the gates at the last letter. @type {readonly Gates[]} */
let gates = [{ z: Number(z.value), r: Number(r.value) }];
/** The latest run; null until the server has answered. @type {Played | null} */
let played = null;
/** The candidate at the current letter with r = 0; null until it is known. @type {number | null} */
let closed = null;
/** The running request for the current gates. @type {Promise<void> | null} */
let running = null;
let settling = 0; // the timer of the sentence
/** The gate that the visitor has moved last. @type {"z" | "r"} */
let moved = "z";
/** Whether the visitor has accepted the gates of all letters. */
let done = false;

/** Return whether the page shows the current letter, which needs the candidate from the server. */
const isShown = () => played?.gates.length === gates.length;

/** Run the network with the current gates. Send one request at a time, and then another if the gates have changed. */
const run = () => (running ??= follow().finally(() => (running = null)));

async function follow() {
  while (played?.gates !== gates) {
    try {
      played = await play(model, letters, gates, classroom.isHidden());
    } catch (error) {
      return showProblem(/** @type {Error} */ (error).message);
    }
    showProblem("");
    if (isShown()) show(played);
  }
}

/** Show an error message if the server did not compute the run, or hide it if the message is "". @param {string} message */
function showProblem(message) {
  find(".problem").hidden = !message;
  setText(find(".problem [role=alert]"), message && `${message} Your gates are not lost.`);
}

/** @param {Played} run */
function show(run) {
  const at = run.gates.length - 1;
  if (run.gates[at].r === 0) closed = run.candidate[at];
  drawLine(run);
  showGate("z", at, run.gates[at].z);
  showAnswer("answer", at, run.gates[at].z > 0 ? run.answers[at] : "");
  showEquation(find(".equation"), run);
  z.setAttribute("aria-valuetext", `${fixed(run.gates[at].z)}, the memory becomes ${fixed(run.h[at])}`);
  r.setAttribute("aria-valuetext", `${fixed(run.gates[at].r)}, the candidate becomes ${fixed(run.candidate[at])}`);
  clearTimeout(settling);
  const text = describe(run, letters, closed, moved);
  setText(find(".says"), text);
  settling = setTimeout(() => setText(find(".slot [role=status]"), text), SETTLED);
}

/**
 * Draw the line with the current gates, and with the old memory and the candidate of the latest run, which do not depend on z.
 * @param {Played} run
 */
function drawLine({ h, candidate }) {
  const at = gates.length - 1;
  line.show(at > 0 ? h[at - 1] : 0, candidate[at], gates[at]);
}

/** Show the values of the sliders next to them. */
function showValues() {
  for (const slider of sliders)
    setText(/** @type {Element} */ (slider.nextElementSibling), fixed(Number(slider.value)));
}

const focusZ = () => z.focus({ preventScroll: true });

/** Set the gates at the current letter to the values of the sliders. @param {string} name of the gate that the visitor has moved */
function change(name) {
  moved = name === "r" ? "r" : "z";
  gates = [...gates.slice(0, -1), { z: Number(z.value), r: Number(r.value) }];
  showValues();
  if (played && isShown()) drawLine(played);
  run();
}

/** Accept the gates at the current letter, and go to the next letter or to the end. */
async function accept() {
  await run();
  if (played?.gates !== gates) return;
  const at = gates.length - 1;
  showAnswer("answer", at, played.answers[at], played.right[at]);
  if (gates.length === letters.length) return end(played);
  start([...gates, { z: 0, r: 0 }]);
}

/** Start a new letter. @param {readonly Gates[]} next the gates at the letters so far; the last entry is for the new letter */
function start(next) {
  gates = next;
  classroom.store(gates, false);
  closed = null;
  for (const slider of sliders) slider.value = "0";
  showValues();
  mark(gates.length - 1);
  find("#letter").replaceChildren(
    `Letter ${gates.length} of ${letters.length}: `,
    newElement("b", letters[gates.length - 1]),
  );
  const last = classroom.isHidden() ? "Finish" : "See the network play";
  setText(find("[data-do=next]"), gates.length < letters.length ? "Next letter" : last);
  run();
  if (document.activeElement !== r) focusZ(); // Enter on r keeps the focus there
}

/** End the game. In a room, the network's gates stay hidden until the teacher shows them. @param {Played} run */
function end(run) {
  done = true;
  classroom.store(gates, true);
  if (!classroom.isHidden()) return finish(run);
  mark(letters.length);
  find(".play").hidden = true;
  classroom.finish(gates);
}

/** Continue a game after a reload. @param {{gates: Gates[], done: boolean}} game */
async function resumeAt(game) {
  gates = game.gates;
  await run();
  if (played?.gates !== gates) return;
  const { answers, right } = played;
  const last = gates.length - (game.done ? 0 : 1);
  for (let at = 0; at < last; at++) {
    showGate("z", at, gates[at].z);
    showAnswer("answer", at, answers[at], right[at]);
  }
  if (game.done) end(played);
  else start(gates);
}

/** Run the network again when its own gates are no longer hidden. */
function reveal() {
  gates = [...gates];
  if (done) accept();
  else run();
}

/** Show the network's own gates at the same letters, the score, and the visitor's first mistake. @param {Played} run */
function finish(run) {
  mark(letters.length);
  showNetwork(run);
  setText(find("#score"), score(run));
  setText(find(".mistake"), firstMistake(run, letters));
  setText(find(".findings"), findings(run, letters));
  turn(true);
  find("#score").focus();
}

/** Show the end of the game or, if `over` is false, the current letter. @param {boolean} over */
function turn(over) {
  classroom.resume();
  find(".play").hidden = over;
  find(".end").hidden = !over;
  main.classList.toggle("over", over);
}

function again() {
  done = false;
  startTable();
  turn(false);
  start([{ z: 0, r: 0 }]);
}

for (const slider of sliders) slider.addEventListener("input", () => change(slider.name));
find("[data-do=next]").addEventListener("click", accept);
find("[data-do=again]").addEventListener("click", again);
find("[data-do=retry]").addEventListener("click", () => run().then(focusZ));
find("figure svg").addEventListener("click", focusZ);
find(".gates").addEventListener("keydown", (event) => {
  const slider = /** @type {HTMLInputElement} */ (event.target);
  const direction = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
  if (event.key === "Enter") accept();
  else if (direction) {
    slider.value = String(Number(slider.value) + direction * KEY_STEP);
    change(slider.name);
  } else return;
  event.preventDefault();
});
const classroom = mountClassroom(find(".play"), again, reveal, resumeAt);
document.querySelector("#theme")?.addEventListener("click", switchTheme);
announceHeight();
followTheme();
showValues();
run();
if (!document.body.classList.contains("embedded") && document.activeElement === document.body) focusZ(); // not in an embedded page
