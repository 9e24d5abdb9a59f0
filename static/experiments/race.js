/** The experiment “Cell comparison”: learning curves of three cells on three tasks, over several seeds. The visitor can run it on this server. */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
import { boot } from "../boot.js";
import { findAll, finder, observeSize, setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { drawLearning } from "./curves.js";
import { createControls } from "./controls.js";
import { mountExperiment } from "./page.js";
import { createQueue } from "./queue.js";

/**
 * The training steps and scores of one training, and the step at which it reached the target.
 * @typedef {{points: [number, number][], good: number | null}} Course
 */
const SEEDS = 5;

const { found: results, bases, equal } = /** @type {Record<string, any>} */ (boot.experiment);
const names = Object.keys(equal);
const error = /** @type {HTMLElement} */ (document.querySelector(".error"));

const queue = createQueue(
  () => setText(error, ""),
  (_, problem) => {
    setText(error, problem);
    for (const status of document.querySelectorAll(".race .status"))
      setText(status, status.textContent && !problem ? "Trained here just now." : "");
  },
);

/** @param {HTMLElement} section */
function mountRace(section) {
  const task = /** @type {string} */ (section.dataset.task);
  const find = finder(section);
  const svg = /** @type {SVGElement} */ (section.querySelector("svg"));
  const [status, axis] = [".status", ".axis"].map(find);
  const base = /** @type {Recipe} */ (bases[task]);
  /** @type {Record<Name, Course[]>} */
  let courses = /** @type {any} */ (
    Object.fromEntries(
      names.map((name) => [
        name,
        results[task][name].curves.map((/** @type {[number, number][]} */ points, /** @type {number} */ i) => ({
          points,
          good: results[task][name].good_at[i],
        })),
      ]),
    )
  );
  let [width, timer] = [0, 0];

  function draw() {
    timer = 0;
    const points = Object.fromEntries(names.map((name) => [name, courses[name].map((course) => course.points)]));
    drawLearning(svg, axis, points, width, task === "adding", /** @type {number} */ (base.schedule.reach));
    for (const name of names) {
      const [middle, solved] = find(`tr[data-cell=${name}]`).querySelectorAll("td");
      const goods = courses[name].map(({ good }) => good ?? Infinity).sort((a, b) => a - b);
      const median = goods.length
        ? (goods[Math.floor((goods.length - 1) / 2)] + goods[Math.ceil((goods.length - 1) / 2)]) / 2
        : Infinity;
      setText(middle, Number.isFinite(median) ? median.toLocaleString("en") : "–");
      setText(solved, `${goods.filter(Number.isFinite).length} of ${goods.length}`);
    }
  }

  function run() {
    courses = Object.fromEntries(names.map((name) => [name, /** @type {Course[]} */ ([])]));
    setText(status, "Training …");
    /** @type {import("./queue.js").Job[]} */
    const jobs = [];
    for (let seed = 0; seed < SEEDS; seed++)
      for (const name of names) {
        /** @type {Course} */
        const course = { points: [], good: null };
        jobs.push({
          recipe: { ...base, cell: name, biases: equal[name], seed },
          receive(reports, state) {
            if (!course.points.length) courses[name].push(course);
            course.points = reports.map(({ step, score }) => [step, score]);
            course.good = reports.at(-1)?.good_at ?? null;
            if (state !== "running")
              setText(
                status,
                `The ${TITLES[name]} with seed ${seed} ${course.good ? `reached the target at training step ${course.good.toLocaleString("en")}` : "did not reach the target"}.`,
              );
            timer ||= setTimeout(draw, 100);
          },
        });
      }
    queue.add(jobs);
  }

  find("[data-do=run]").addEventListener("click", run);
  observeSize(svg, (newWidth) => {
    width = newWidth;
    draw();
  });
}

findAll(document, ".race").forEach(mountRace);
mountExperiment(createControls(document.createElement("form")), () => []);
