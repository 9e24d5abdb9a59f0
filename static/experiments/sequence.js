/** The experiment “Sequential cost”: counts of operations, times that were measured before or on this server, and tasks that a scan cannot learn. */

/** @import { Recipe } from "../boot.js" */
/** @import { Points } from "./curves.js" */
import { boot } from "../boot.js";
import { brief } from "../chart.js";
import { finder, observeSize, setText } from "../elements.js";
import { getJson } from "../server.js";
import { plot } from "../train/curves.js";
import { drawLearning, mark } from "./curves.js";
import { createControls } from "./controls.js";
import { mountExperiment } from "./page.js";
import { createQueue } from "./queue.js";

const SEEDS = 3;

const find = finder(document);
const { kinds, counts, timing, parity, base } =
  /** @type {{kinds: Record<string, string>, counts: Record<string, Record<string, [number, number]>>, timing: Record<string, Record<string, number>>, parity: Record<string, Points[]>, base: Recipe}} */ (
    boot.experiment
  );
const slider = /** @type {HTMLInputElement} */ (find("[name=T]"));
const [output, times, says] = ["output", ".asked-for .status", ".run > .says"].map(find);
const lengths = Object.keys(timing).map(Number);
/** The sequence lengths that this page measured. @type {Set<number>} */
const here = new Set();
let width = 0;

function show() {
  const T = 2 ** Number(slider.value);
  setText(output, T.toLocaleString("en"));
  slider.setAttribute("aria-valuetext", `${T} timesteps`);
  for (const kind of Object.keys(kinds)) {
    const [steps, products, time] = find(`tr[data-kind=${kind}]`).querySelectorAll("td");
    const [follow, work] = counts[T][kind];
    setText(steps, follow.toLocaleString("en"));
    setText(products, work.toLocaleString("en"));
    setText(time, `${brief(1000 * timing[T][kind])} ms${here.has(T) ? ", measured here" : ""}`);
  }
  const lines = Object.keys(kinds).map((kind) => ({
    name: `mean of-${kind}`,
    points: lengths.map((length, i) => /** @type {[number, number]} */ ([i, 1000 * timing[length][kind]])),
  }));
  if (width)
    plot(/** @type {SVGElement} */ (document.querySelector("svg.times")), lines, lengths.length - 1, width, true, []);
  mark(
    find(".lines .axis"),
    lengths.map((length, i) => [i / (lengths.length - 1), length.toLocaleString("en")]),
  );
  const slower = lengths.find((length) => timing[length].attention > timing[length].gru);
  setText(
    says,
    slower
      ? `In these measurements attention is slower than the GRU from about ${slower.toLocaleString("en")} timesteps on, because its work grows with T².`
      : "In these measurements attention is faster than the GRU at all lengths.",
  );
}

async function measure() {
  const button = find("[data-do=measure]");
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  const T = 2 ** Number(slider.value);
  setText(times, `Measuring ${T.toLocaleString("en")} timesteps …`);
  try {
    timing[T] = await getJson(`api/experiments/sequence?T=${T}`);
    here.add(T);
    setText(times, "Measured just now on this server.");
    show();
  } catch (error) {
    setText(times, /** @type {Error} */ (error).message);
  }
  button.ariaBusy = "false";
}

const [svg, axis, status, wrong] = [".learned", ".race .axis", ".race .status", ".error"].map(find);
/** @type {Record<string, Points[]>} */
let learned = parity;
let [left, scanned] = [0, false];
const queue = createQueue(
  ({ total, done }) => (left = total - done),
  (_, problem) => {
    left = 0;
    setText(wrong, problem);
    ended(problem);
  },
);
let learnedWidth = 0;
const draw = () => drawLearning(/** @type {any} */ (svg), axis, learned, learnedWidth, false, base.schedule.reach ?? 1);

/** Show that all trainings are complete, or clear the message if there was a problem. @param {string} [problem] */
function ended(problem = "") {
  if (scanned && left === 0) setText(status, problem ? "" : "Trained here just now.");
}

async function run() {
  scanned = false;
  learned = { gru: [], scan: [] };
  setText(status, "Training …");
  const jobs = Array.from({ length: SEEDS }, (_, seed) => {
    /** @type {Points} */
    const points = [];
    return {
      recipe: { ...base, seed },
      /** @param {import("../train/studio.js").Report[]} reports */
      receive(reports) {
        if (!points.length) learned.gru.push(points);
        points.splice(
          0,
          points.length,
          ...reports.map(({ step, score }) => /** @type {[number, number]} */ ([step, score])),
        );
        draw();
      },
    };
  });
  queue.add(jobs);
  try {
    for (let seed = 0; seed < SEEDS; seed++) {
      learned.scan.push(await getJson(`api/experiments/parity?seed=${seed}`));
      draw();
    }
    scanned = true;
    ended();
  } catch (error) {
    setText(wrong, /** @type {Error} */ (error).message);
    setText(status, "");
  }
}

slider.addEventListener("input", show);
find("[data-do=measure]").addEventListener("click", measure);
find("[data-do=run]").addEventListener("click", run);
observeSize(find(".times"), (newWidth) => {
  width = newWidth;
  show();
});
observeSize(svg, (newWidth) => {
  learnedWidth = newWidth;
  draw();
});
mountExperiment(createControls(document.createElement("form")), () => []);
