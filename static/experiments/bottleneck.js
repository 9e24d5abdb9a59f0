/**
 * The experiment “Memory capacity”: a table of networks, by the number of units and the number of letters to recall. A press on a
 * table cell trains the network of this cell.
 */

/** @import { Recipe } from "../boot.js" */
/** @import { Report, Training } from "../train/studio.js" */
import { boot } from "../boot.js";
import { findAll, finder, setText } from "../elements.js";
import { fixed } from "../run.js";
import { createControls } from "./controls.js";
import { mountHere } from "./here.js";
import { mountExperiment } from "./page.js";
import { createQueue } from "./queue.js";

/** @typedef {{base: Recipe, tie: number}} BottleneckData */

const find = finder(document);
const controls = createControls(/** @type {HTMLFormElement} */ (find("main form")));
const buttons = findAll(document, "[data-units]");
const { base, tie } = /** @type {BottleneckData} */ (boot.experiment);
const FULL = 0.995; // with at least this accuracy, a network counts as recalling all letters

/** The result of a training on this page. @typedef {{units: number, letters: number, seed: number, steps: number, good_at: number | null, score: number, stored: number}} Result */
/** @type {Result[]} */
const results = [];
/** The results since the last verdict. @type {Result[]} */
let fresh = [];

const here = mountHere(find(".here"), { start: () => queue.add([jobOf(chosen())]), stop: () => queue.stop() });
const queue = createQueue(
  (progress) => here.show(progress),
  (stopped, problem) => {
    for (const button of buttons) button.classList.remove("going");
    here.end(
      [tellResults(), stopped ? "Some trainings did not finish. They are not in the table." : ""].join(" ").trim(),
      problem,
    );
    fresh = [];
  },
);

/** Return the button of the network that the controls describe. */
function chosen() {
  const { units, letters } = controls.values();
  return find(`[data-units="${units}"][data-n="${letters}"]`);
}

/** @param {HTMLElement} button */
function jobOf(button) {
  const [units, letters, seed] = [button.dataset.units, button.dataset.n, controls.values().seed].map(Number);
  button.classList.add("going");
  return {
    recipe: { ...base, units, seed, schedule: { ...base.schedule, T: 2 * letters } },
    /** @param {Report[]} reports @param {Training["state"]} state */
    receive(reports, state) {
      const last = reports.at(-1);
      if (state !== "running") button.classList.remove("going");
      if (!last || state !== "done") return;
      const { step: steps, good_at, score } = last;
      fresh.push({ units, letters, seed, steps, good_at, score, stored: Number(button.dataset.stored) });
      results.push(fresh[fresh.length - 1]);
      button.style.setProperty("--share", String(score));
      setText(button, `${fixed(100 * score, 0)}%`);
      button.title = `trained here with seed ${seed}: ${steps.toLocaleString("en")} training steps; stored ${fixed(100 * Number(button.dataset.stored), 0)}%`;
      button.classList.add("here-trained");
    },
  };
}

/** Describe the results of the trainings since the last verdict. */
function tellResults() {
  if (!fresh.length) return "";
  return fresh.length === 1 ? tellOne(fresh[0]) : tellAll(fresh);
}

/** @param {Result} result */
function tellOne({ units, letters, seed, steps, score, stored }) {
  const percent = (/** @type {number} */ share) => `${fixed(100 * share, 1)}%`;
  const recalled =
    score >= FULL
      ? `This counts as recalling every letter (${percent(FULL)} or more)`
      : `On average it names ${fixed(score * letters, 1)} of ${letters} letters correctly; guessing names ${fixed(letters / 4, 1)}`;
  const same = Math.abs(score - stored) <= tie;
  const compared = same
    ? `a tie with the stored result, ${percent(stored)}`
    : `the stored result is ${percent(stored)}`;
  return `${units} units, ${letters} letter${letters > 1 ? "s" : ""}, seed ${seed}: ${percent(score)} held-out accuracy after ${steps.toLocaleString("en")} training steps (${compared}). ${recalled}.`;
}

/** @param {Result[]} all */
function tellAll(all) {
  const full = all.filter(({ score }) => score >= FULL);
  const ties = all.filter(({ score, stored }) => Math.abs(score - stored) <= tie);
  const most = Math.max(...all.map(({ letters }) => letters));
  const enough = full.filter(({ letters }) => letters === most).map(({ units }) => units);
  const size = enough.length
    ? `The smallest of them that recalls all ${most} letters has ${Math.min(...enough)} units.`
    : `None of them recalls all ${most} letters.`;
  return `${all.length} networks trained. ${full.length} of them recall all letters (at least ${fixed(100 * FULL, 1)}%), and ${ties.length} tie with the stored result. ${size}`;
}

for (const button of buttons)
  button.addEventListener("click", () => {
    controls.set({ units: String(button.dataset.units), letters: String(button.dataset.n) });
    queue.add([jobOf(button)]);
  });
find("[data-do=all]").addEventListener("click", () => queue.add(buttons.map(jobOf)));
controls.subscribe(() => {
  const { columns } = controls.values();
  setText(find("[name=columns-out]"), columns);
  find(".grid").dataset.columns = columns;
  for (const cell of findAll(document, ".grid :is(th, td)[data-n]"))
    cell.hidden = Number(cell.dataset.n) > Number(columns);
  for (const button of buttons) button.ariaCurrent = button === chosen() ? "true" : null;
});
mountExperiment(controls, () => results);
