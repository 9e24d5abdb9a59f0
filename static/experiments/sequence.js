/** The experiment “Sequential cost”: operation counts, stored times and times on this server, and a task that a scan cannot learn. */

/** @import { Recipe } from "../boot.js" */
/** @import { Points } from "./curves.js" */
/** @import { Row } from "./export.js" */
/** @import { Job } from "./queue.js" */
import { boot } from "../boot.js";
import { brief } from "../chart.js";
import { finder, observeSize, setText } from "../elements.js";
import { getJson } from "../server.js";
import { plot } from "../train/curves.js";
import { createControls } from "./controls.js";
import { drawLearning, mark } from "./curves.js";
import { mountHere } from "./here.js";
import { mountExperiment } from "./page.js";
import { createQueue } from "./queue.js";

const SEEDS = 3;

/**
 * The time of each network at one sequence length, in seconds, and how attention compares with the GRU.
 * @typedef {{seconds: Record<string, number>, comparison: "faster" | "tie" | "slower"}} Times
 */
/** The times by sequence length, for one batch size. @typedef {Record<string, Times>} ByLength */
/** @typedef {{kinds: Record<string, string>, counts: Record<string, Record<string, [number, number]>>, timing: Record<string, ByLength>, parity: Record<string, Points[]>, recipes: Record<string, Recipe>}} SequenceData */

const find = finder(document);
const { kinds, counts, timing, parity, recipes } = /** @type {SequenceData} */ (boot.experiment);
const controls = createControls(/** @type {HTMLFormElement} */ (find("main form")));
const slider = /** @type {HTMLInputElement} */ (find("[name=T]"));
const [output, says] = ["output", ".run > .says"].map(find);
/** The times of a complete run on this server. @type {Record<string, ByLength>} */
let local = {};
/** @type {Row[]} */
const rows = [];
let width = 0;

/** Return the sequence lengths that were timed with a batch size. @param {string} B */
const lengthsOf = (B) => Object.keys(timing[B]).map(Number);

/** @param {Times | undefined} times @param {string} kind */
const inWords = (times, kind) => (times ? `${brief(1000 * times.seconds[kind])} ms` : "–");

function show() {
  const { T: exponent, B } = controls.values();
  const T = 2 ** Number(exponent);
  setText(output, T.toLocaleString("en"));
  slider.setAttribute("aria-valuetext", `${T} timesteps`);
  for (const kind of Object.keys(kinds)) {
    const [steps, products, stored, here] = find(`tr[data-kind=${kind}]`).querySelectorAll("td");
    const [follow, work] = counts[T][kind];
    setText(steps, follow.toLocaleString("en"));
    setText(products, work.toLocaleString("en"));
    setText(stored, inWords(timing[B][T], kind));
    setText(here, inWords(local[B]?.[T], kind));
  }
  drawTimes(B);
  setText(says, `Stored result, batch ${B}: ${tell(timing[B])}`);
}

/** @param {string} B */
function drawTimes(B) {
  const lengths = lengthsOf(B);
  const lines = [timing[B], local[B]].flatMap((times, i) =>
    Object.keys(times ?? {}).length
      ? Object.keys(kinds).map((kind) => ({
          name: `mean of-${kind}${i ? " local" : ""}`,
          points: lengths.map((T, k) => /** @type {[number, number]} */ ([k, 1000 * times[T].seconds[kind]])),
        }))
      : [],
  );
  if (width)
    plot(/** @type {SVGElement} */ (document.querySelector("svg.times")), lines, lengths.length - 1, width, true, []);
  mark(
    find(".lines .axis"),
    lengths.map((length, i) => [i / (lengths.length - 1), length.toLocaleString("en")]),
  );
}

/** Describe from which sequence length on attention is slower than the GRU. @param {ByLength} times */
function tell(times) {
  const lengths = Object.keys(times).sort((a, b) => Number(a) - Number(b));
  const from = lengths.findIndex((_, i) => lengths.slice(i).every((T) => times[T].comparison === "slower"));
  const ties = lengths.filter((T) => times[T].comparison === "tie");
  const tie = ties.length
    ? ` They tie at ${ties.map((T) => Number(T).toLocaleString("en")).join(", ")} timesteps.`
    : "";
  return from < 0
    ? `attention is not slower than the GRU at the longest measured length.${tie}`
    : `attention is slower than the GRU at each measured length from ${Number(lengths[from]).toLocaleString("en")} timesteps on.${tie}`;
}

/** Whether the visitor stopped the measurement of the times. */
let stopping = false;
const timesHere = mountHere(find(".run .here"), { start: measure, stop: () => (stopping = true) });

/** Measure all times on this server. An incomplete run is discarded, because a curve must come from one machine in one run. */
async function measure() {
  stopping = false;
  const points = Object.keys(timing).flatMap((B) => lengthsOf(B).map((T) => ({ B, T })));
  /** @type {Record<string, ByLength>} */
  const measured = {};
  for (const [done, { B, T }] of points.entries()) {
    timesHere.show({ total: points.length, done, share: done / points.length }, "lengths");
    try {
      (measured[B] ??= {})[T] = await getJson(`api/experiments/sequence?T=${T}&B=${B}`);
    } catch (error) {
      timesHere.end("", /** @type {Error} */ (error).message);
      return;
    }
    if (stopping) {
      timesHere.end(
        `Stopped after ${done + 1} of ${points.length} lengths. They are not shown, because a verdict needs all lengths.`,
      );
      return;
    }
  }
  local = measured;
  rows.push(...points.map(({ B, T }) => ({ experiment: "times", B: Number(B), T, ...measured[B][T].seconds })));
  timesHere.end(
    Object.keys(local)
      .map((B) => `On this server, batch ${B}: ${tell(local[B])}`)
      .join(" "),
  );
  show();
}

const [svg, axis] = [".learned", ".race .axis"].map(find);
/** The learning curves of each cell. The keys are the CSS classes of the curves. @type {Record<string, Points[]>} */
let learned = { gru: parity.gru, scan: parity.mingru };
let learnedWidth = 0;
const goal = recipes.gru.schedule.reach ?? 1;
const draw = () => drawLearning(/** @type {any} */ (svg), axis, learned, learnedWidth, false, goal);

const parityHere = mountHere(find(".race .here"), { start: train, stop: () => queue.stop() });
const queue = createQueue((progress) => parityHere.show(progress), endTraining);
/** The last score of each finished training, by cell. @type {Record<string, number[]>} */
let scores = {};

function train() {
  learned = { gru: [], scan: [] };
  scores = { gru: [], mingru: [] };
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
  queue.add(seeds.flatMap((seed) => Object.keys(recipes).map((cell) => jobOf(cell, seed))));
}

/** @param {string} cell @param {number} seed @returns {Job} */
function jobOf(cell, seed) {
  /** @type {Points} */
  const points = [];
  const curves = learned[cell === "gru" ? "gru" : "scan"];
  return {
    recipe: { ...recipes[cell], seed },
    receive(reports, state) {
      const last = reports.at(-1);
      if (!last) return;
      if (!points.length) curves.push(points);
      points.splice(
        0,
        points.length,
        ...reports.map(({ step, score }) => /** @type {[number, number]} */ ([step, score])),
      );
      draw();
      if (state !== "done") return;
      scores[cell].push(last.score);
      rows.push({ experiment: "parity", cell, seed, steps: last.step, good_at: last.good_at, score: last.score });
    },
  };
}

/** @param {boolean} stopped @param {string} problem */
function endTraining(stopped, problem) {
  const tellCell = (/** @type {string} */ cell, /** @type {string} */ name) =>
    `${name} reached 99% held-out accuracy with ${scores[cell].filter((score) => score >= goal).length} of ${scores[cell].length} seeds.`;
  const different = scores.gru.every((score) => score >= goal) && scores.mingru.every((score) => score < goal);
  const meaning = different ? "So here only the cell with gates that read the old state learned parity." : "";
  parityHere.end(
    [
      stopped ? "Some trainings did not finish." : "",
      tellCell("gru", "The GRU"),
      tellCell("mingru", "The minimal GRU"),
      stopped ? "" : meaning,
    ]
      .join(" ")
      .trim(),
    problem,
  );
}

controls.subscribe(show);
observeSize(find(".times"), (newWidth) => {
  width = newWidth;
  show();
});
observeSize(svg, (newWidth) => {
  learnedWidth = newWidth;
  draw();
});
mountExperiment(controls, () => rows);
