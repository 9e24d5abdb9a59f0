/** A sentence about the outputs at the cursor: which of the shown cells are correct. If the task has no targets, it gives the held-out scores. */

/** @import { StoreOf } from "../store.js" */
/** @import { Name } from "../facets.js" */
/** @import { Contest } from "./contest.js" */
import { setSentence } from "../elements.js";
import { TITLES } from "../facets.js";
import { RIGHT_WITHIN, answer, fixed, missed } from "../run.js";
import { joined } from "../words.js";

/** Mount the sentence about the outputs at the cursor. @param {HTMLElement} place @param {StoreOf<Contest>} store */
export function mountFinding(place, store) {
  store.subscribe((contest) => setSentence(place, tellFinding(contest)));
}

/**
 * Describe the outputs of the shown cells at the cursor or, if the task has no targets, the held-out scores of the cells. Return "" if
 * an output has not arrived yet, or if there is no target at the cursor.
 * @param {Contest} contest
 */
function tellFinding({ cells, shown }) {
  const runs = shown.map((name) => ({ name, state: cells[name], column: cells[name].step - 1 }));
  if (runs.some(({ state, column }) => column >= state.received)) return "";
  const [{ state, column }] = runs;
  const { y, right } = state.run;
  if (right === null) return `${tellScores(runs, y.kind)}.`;
  const target = right?.[column] ?? null;
  if (target === null) return "";
  const numbers = y.kind === "linear";
  const correct = numbers ? fixed(target) : y.labels[target - 1];
  const named = (/** @type {{name: Name, state: import("../state.js").State}} */ { name, state }) =>
    `${TITLES[name]} (${answer(state.run, column).text})`;
  const wrong = runs.filter(({ state }) => missed(state.run, column) !== "").map(named);
  const fine = runs.filter(({ state }) => missed(state.run, column) === "").map(named);
  const start = `At t = ${column + 1} the correct output is ${correct}${numbers ? ` (an error of up to ${RIGHT_WITHIN} counts as correct)` : ""}.`;
  const list = (/** @type {string[]} */ names, /** @type {string} */ verdict) =>
    names.length ? ` The ${joined(names)} ${names.length > 1 ? "are" : "is"} ${verdict}.` : "";
  return `${start}${list(fine, "correct")}${list(wrong, "wrong")}`;
}

/**
 * Describe the held-out scores from the model cards.
 * @param {{name: Name, state: import("../state.js").State}[]} runs @param {"softmax" | "linear"} kind
 */
function tellScores(runs, kind) {
  const scores = runs.map(({ name, state: { run, models } }) => {
    const measured = models.find(({ id }) => id === run.model)?.card.measured ?? {};
    const score = kind === "linear" ? fixed(measured["squared error"], 3) : `${(100 * measured.accuracy).toFixed(1)}%`;
    return `${TITLES[name]} ${score}`;
  });
  return `Held-out ${kind === "linear" ? "mean squared error" : "accuracy"}: ${scores.join(", ")}`;
}
