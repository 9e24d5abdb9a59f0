/**
 * The experiment “Cell comparison”: how soon three cells reach the target of each task, over many seeds. The visitor can run the
 * experiment on this server, and gru_core then compares the results.
 */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
/** @import { Points } from "./curves.js" */
/** @import { Row } from "./export.js" */
/** @import { Job } from "./queue.js" */
import { boot } from "../boot.js";
import { findAll, finder, observeSize, setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { getJson, postJson } from "../server.js";
import { createControls } from "./controls.js";
import { drawShares } from "./curves.js";
import { mountHere } from "./here.js";
import { mountExperiment } from "./page.js";
import { createQueue } from "./queue.js";

/** @typedef {{median: string, interval: string, reached: string, curve: Points}} CellOutcome */
/** @typedef {{cells: Record<Name, CellOutcome>, ahead: Name[], verdict: string}} RaceOutcome */
/** @typedef {{stored: Record<string, RaceOutcome>, bases: Record<string, Recipe>, equal: Record<Name, Record<string, number>>, counting: string, furthest: number, few: number}} RaceData */
/**
 * The result of a training. `good` is the training step at which the network reached the target, or null. In the counting task,
 * `counted` has 1 for each n that the network counts correctly, and 0 for every other n.
 * @typedef {{cell: Name, seed: number, steps: number, good: number | null, counted: number[]}} Result
 */

const { stored, bases, equal, counting: COUNTING, furthest, few } = /** @type {RaceData} */ (boot.experiment);
const names = /** @type {Name[]} */ (Object.keys(equal));
const form = /** @type {HTMLFormElement} */ (document.querySelector("main form"));
const controls = createControls(form);
/** The results of all runs on this page. @type {Row[]} */
const rows = [];

/** @param {HTMLElement} section */
function mountRace(section) {
  const task = String(section.dataset.task);
  const find = finder(section);
  const svg = /** @type {SVGElement} */ (section.querySelector("svg"));
  const base = bases[task];
  let [outcome, width] = [stored[task], 0];
  /** @type {Result[]} */
  let results = [];
  /** The tests of counting that are in progress. Each test starts after a training. @type {Promise<void>[]} */
  let tests = [];

  function draw() {
    const curves = Object.fromEntries(Object.entries(outcome.cells).map(([name, { curve }]) => [name, curve]));
    const last = task === COUNTING ? furthest : base.schedule.most;
    drawShares(svg, find(".axis"), curves, width, last, task !== COUNTING);
  }

  /** @param {RaceOutcome} newOutcome @param {string} source */
  function show(newOutcome, source) {
    outcome = newOutcome;
    for (const name of names)
      for (const cell of findAll(section, `tr[data-cell=${name}] [data-value]`)) {
        const result = /** @type {Record<string, any>} */ (outcome.cells[name]);
        setText(cell, result ? result[String(cell.dataset.value)] : "not trained");
      }
    setText(find(".source"), source);
    draw();
  }

  const here = mountHere(find(".here"), { start, stop: () => queue.stop() });
  const queue = createQueue((progress) => here.show(progress), end);

  function start() {
    [results, tests] = [[], []];
    const seeds = Array.from({ length: Number(controls.values().seeds) }, (_, seed) => seed);
    queue.add(seeds.flatMap((seed) => names.map((cell) => jobOf(cell, seed))));
  }

  /** @param {Name} cell @param {number} seed @returns {Job} */
  function jobOf(cell, seed) {
    return {
      recipe: { ...base, cell, biases: equal[cell], seed },
      receive(reports, state, id) {
        const last = reports.at(-1);
        if (state !== "done" || !last) return;
        const result = { cell, seed, steps: last.step, good: last.good_at, counted: /** @type {number[]} */ ([]) };
        results.push(result);
        if (task === COUNTING) tests.push(count(result, `${id}@${last.step}`));
      },
    };
  }

  /** Test how far a trained network can count, and store the outcome in `result`. @param {Result} result @param {string} model */
  async function count(result, model) {
    const answer = await getJson(`api/experiments/counting?model=${encodeURIComponent(model)}`);
    result.counted = answer.counted;
  }

  /** @param {boolean} stopped @param {string} problem */
  async function end(stopped, problem) {
    try {
      await Promise.all(tests);
      here.end(results.length ? await compare(stopped) : "No training finished, so there is no result.", problem);
    } catch (error) {
      here.end("", /** @type {Error} */ (error).message);
    }
  }

  /** Show the results of the run, and return the verdict. @param {boolean} stopped */
  async function compare(stopped) {
    const measure = (/** @type {Result} */ { good, counted }) => (task === COUNTING ? counted : good);
    const all = names.map((name) => [name, results.filter(({ cell }) => cell === name).map(measure)]);
    const trained = Object.fromEntries(all.filter(([, values]) => values.length));
    const newOutcome = await postJson("api/experiments/race", {
      task,
      [task === COUNTING ? "counted" : "steps"]: trained,
    });
    show(newOutcome, `trained here: ${results.length} networks`);
    rows.push(...results.map(({ cell, seed, steps, good }) => ({ task, cell, seed, steps, good_at: good })));
    const least = Math.min(...names.map((name) => trained[name]?.length ?? 0));
    return [
      stopped ? `Some trainings did not finish; ${results.length} did.` : "",
      newOutcome.verdict,
      least < few
        ? `With fewer than ${few} seeds there is no 95% interval, and all cells tie.`
        : tellSame(newOutcome.ahead, stored[task].ahead),
    ]
      .join(" ")
      .trim();
  }

  observeSize(svg, (newWidth) => {
    width = newWidth;
    draw();
  });
}

/** Say whether the same cells are ahead in two results. @param {Name[]} ahead @param {Name[]} stored the cells that are ahead in the stored result */
function tellSame(ahead, stored) {
  const title = (/** @type {Name[]} */ cells) => cells.map((cell) => TITLES[cell]).join(" and ");
  return String([...ahead].sort()) === String([...stored].sort())
    ? "The stored result says the same."
    : `In the stored result, with more seeds, ${title(stored)} ${stored.length > 1 ? "are" : "is"} ahead.`;
}

findAll(document, ".race").forEach(mountRace);
const output = /** @type {HTMLElement} */ (form.querySelector("output"));
controls.subscribe(() => setText(output, controls.values().seeds));
mountExperiment(controls, () => rows);
