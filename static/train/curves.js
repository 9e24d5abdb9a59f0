/**
 * The curves of loss and score during training. Checkpoints are equally spaced, as on the slider above the curves, although the first
 * ones are fewer training steps apart. The axis below the curves labels some checkpoints with their training steps. The loss of every
 * training step is drawn.
 */

/** @import { Name } from "../facets.js" */
/** @import { StoreOf } from "../store.js" */
/** @import { Report, Studio } from "./studio.js" */
import { brief, power } from "../chart.js";
import { newElement, newRow, observeSize, setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { fixed } from "../run.js";
import { createGuard } from "../store.js";
import { initial } from "./recipe.js";
import { isBusy, longest, namesOf, reportOf, stepOf, trainingOf } from "./studio.js";

const MARGIN = { right: 12, top: 4, bottom: 3 };
const LEFT = 3.67; // em, as in the style sheet: room for the labels of the axis
const PAUSE = 250; // ms between drawings while reports arrive
const PART = 10; // the mean is over the last tenth of the steps so far
const PARTS = 4; // of the axis, with a training step written at the end of each part

const { baselines = {} } = initial; // an experiment has none

/** @typedef {[number, number][]} Points pairs of a place among the checkpoints and a value */
/** @typedef {{name: string, points: Points}} Line `name` is the CSS class of the line */

/**
 * Mount the curves of loss and score.
 * @param {HTMLElement} section
 * @param {StoreOf<Studio>} store
 */
export function mountCurves(section, store) {
  const find = (/** @type {string} */ selector) => /** @type {any} */ (section.querySelector(selector));
  /** @type {[SVGElement, SVGElement]} */
  const [loss, score] = [find("svg.loss"), find("svg.score")];
  const curves = /** @type {HTMLElement} */ (find(".curves"));
  const table = /** @type {HTMLElement} */ (find(".as-table table"));
  const details = /** @type {HTMLDetailsElement} */ (find(".as-table"));
  const isNew = createGuard();
  let width = 0;

  /** @param {Studio} studio */
  function draw(studio) {
    const names = namesOf(studio);
    const all = names.map((name) => trainingOf(studio, name));
    if (
      width === 0 ||
      !all.length ||
      !isNew(width, details.open, ...all.flatMap(({ reports, twin }) => [reports, twin]))
    )
      return;
    const last = Math.max(1, ...all.flatMap(({ reports, twin }) => [reports.length - 1, twin.length - 1]));
    const raw = all.map(({ reports }, i) => ({ name: `raw of-${names[i]}`, points: lossesOf(reports) }));
    const before = all.map(({ twin }, i) => ({ name: `mean twin of-${names[i]}`, points: meansOf(lossesOf(twin)) }));
    const means = raw.map(({ points }, i) => ({ name: `mean of-${names[i]}`, points: meansOf(points) }));
    plot(loss, [...raw, ...before, ...means], last, width, true, []);
    const [{ recipe }] = all;
    const { linear } = studio;
    const scores = names.flatMap((name, i) => [
      { name: `mean twin of-${name}`, points: scoresOf(all[i].twin) },
      { name: `mean of-${name}`, points: scoresOf(all[i].reports) },
    ]);
    const { reach } = recipe.schedule;
    const marks = [...Object.values(baselines), ...(reach === null ? [] : [reach])];
    plot(score, scores, last, width, linear, marks);
    setText(find(".scored"), linear ? "held-out mean squared error, logarithmic" : "held-out accuracy");
    if (Object.keys(baselines).length) setText(find(".baselines"), tellBaselines(linear));
    const most = all.flatMap(({ reports, twin }) => [reports, twin]).find(({ length }) => length === last + 1) ?? [];
    markAxis(find(".axis"), most);
    if (details.open) list(table, studio);
  }

  let timer = 0;
  store.subscribe((studio) => {
    if (namesOf(studio).length === 0) return;
    // Draw later, once for many reports, because each drawing writes thousands of points.
    timer ||= setTimeout(() => ((timer = 0), draw(store.get())), isBusy(studio) ? PAUSE : 0);
    const last =
      Math.max(
        1,
        ...namesOf(studio).flatMap((name) => [
          trainingOf(studio, name).reports.length,
          trainingOf(studio, name).twin.length,
        ]),
      ) - 1;
    curves.style.setProperty("--at", String(last ? studio.place / last : 0));
    curves.classList.toggle("busy", isBusy(studio));
  });
  details.addEventListener("toggle", () => draw(store.get()));
  observeSize(loss, (newWidth) => {
    width = newWidth;
    draw(store.get());
  });
}

/** Write the training steps of some checkpoints below the curves. @param {HTMLElement} axis @param {readonly Report[]} reports of all checkpoints on the axis */
function markAxis(axis, reports) {
  const last = reports.length - 1;
  const places = [...new Set(Array.from({ length: PARTS + 1 }, (_, i) => Math.round((i / PARTS) * last)))];
  axis.replaceChildren(
    ...(last > 0 ? places : []).map((place, i) => {
      const tick = newElement("span", `${i ? "" : "training step "}${reports[place].step.toLocaleString("en")}`);
      tick.style.setProperty("--at", String(place / last));
      return tick;
    }),
  );
}

/** Return the loss of every training step, with its place on the axis of checkpoints. @param {readonly Report[]} reports @returns {Points} */
const lossesOf = (reports) =>
  reports.flatMap(({ losses }, i) =>
    losses.map((loss, k) => /** @type {[number, number]} */ ([i - 1 + (k + 1) / losses.length, loss])),
  );

/** @param {readonly Report[]} reports @returns {Points} */
const scoresOf = (reports) =>
  reports.flatMap(({ score }, i) => (Number.isNaN(score) ? [] : [/** @type {[number, number]} */ ([i, score])]));

/** Return a moving average: at each point, the mean over the last tenth of all points so far. @param {Points} points @returns {Points} */
function meansOf(points) {
  const sums = [0];
  for (const [, value] of points) sums.push(sums[sums.length - 1] + value);
  return points.map(([place], i) => {
    const n = Math.min(i + 1, Math.max(1, Math.ceil((i + 1) / PART)));
    return [place, (sums[i + 1] - sums[i + 1 - n]) / n];
  });
}

/**
 * Draw lines, and the labels of the value axis.
 * @param {SVGElement} svg
 * @param {Line[]} lines
 * @param {number} last the place at the right edge
 * @param {number} width
 * @param {boolean} log whether the value axis is logarithmic
 * @param {number[]} marks values with a horizontal line
 */
export function plot(svg, lines, last, width, log, marks) {
  const height = svg.clientHeight;
  const left = LEFT * parseFloat(getComputedStyle(svg).fontSize);
  const values = [...lines.flatMap(({ points }) => points.map(([, value]) => value)), ...marks].filter(
    (value) => !log || value > 0,
  );
  const top = log ? Math.log10(Math.max(...values, 1e-12)) : 1;
  const bottom = log ? Math.log10(Math.min(...values, 1e12)) : Math.min(0.9, Math.floor(10 * Math.min(...values)) / 10);
  const [low, high] = values.length ? [bottom, Math.max(top, bottom + 1e-6)] : [log ? -1 : 0, log ? 0 : 1];
  const x = (/** @type {number} */ place) => left + (place / last) * (width - left - MARGIN.right);
  const y = (/** @type {number} */ value) => {
    const scaled = log ? Math.log10(Math.max(value, 1e-12)) : value;
    return MARGIN.top + ((high - scaled) / (high - low)) * (height - MARGIN.top - MARGIN.bottom);
  };
  const ticks = log ? decades(low, high) : [low, 1];
  const words = (/** @type {number} */ value) => (log ? wordsOf(value) : `${fixed(100 * value, 0)}%`);
  const grid = ticks.map(
    (value) =>
      `<path class="rule" d="M${left} ${y(value).toFixed(1)}H${width - MARGIN.right}"/><text class="tick" x="${left - 6}" y="${(y(value) + 4).toFixed(1)}">${words(value)}</text>`,
  );
  const goals = marks.map(
    (value) => `<path class="goal" d="M${left} ${y(value).toFixed(1)}H${width - MARGIN.right}"/>`,
  );
  const drawn = lines.map(({ name, points }) => {
    const d = points
      .map(([place, value], i) => `${i ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`)
      .join("");
    return `<path class="line ${name}" d="${d}"/>`;
  });
  svg.innerHTML = grid.join("") + goals.join("") + drawn.join("");
}

/**
 * Return the labeled values of a logarithmic axis: powers of ten, or its two ends if it contains fewer than two powers of ten.
 * @param {number} low the exponent of ten at the lower end
 * @param {number} high the exponent of ten at the upper end
 */
function decades(low, high) {
  const first = Math.ceil(low);
  const powers = Array.from({ length: Math.max(0, Math.floor(high) - first + 1) }, (_, i) => 10 ** (first + i));
  const every = Math.ceil(powers.length / 4);
  return powers.length > 1 ? powers.filter((_, i) => i % every === 0) : [10 ** low, 10 ** high];
}

/** Format a labeled value of a logarithmic axis. @param {number} value */
function wordsOf(value) {
  const exponent = Math.log10(value);
  return Math.abs(exponent - Math.round(exponent)) < 1e-9 ? power(Math.round(exponent)) : brief(value);
}

/** Fill a table with a row for each checkpoint. @param {HTMLElement} table @param {Studio} studio */
function list(table, studio) {
  const names = namesOf(studio);
  const heads = (/** @type {string} */ what) =>
    names.map((name) => (names.length > 1 ? `${TITLES[name]}, ${what}` : what));
  const score = studio.linear ? "held-out mean squared error" : "held-out accuracy";
  const head = newRow(["training step", ...heads("loss"), ...heads(score), ...heads("learning rate")], "col");
  const rows = longest(studio).reports.map(({ step }, i) => {
    const reports = names.map((name) => trainingOf(studio, name).reports[i]);
    const cells = (/** @type {(report: Report) => number | undefined} */ read) =>
      reports.map((report) =>
        report && read(report) !== undefined ? brief(/** @type {number} */ (read(report))) : "",
      );
    return newRow([
      step.toLocaleString("en"),
      ...cells(({ losses }) => losses.at(-1)),
      ...cells(({ score }) => score),
      ...cells(({ rate }) => rate),
    ]);
  });
  table.replaceChildren(newElement("thead", {}, [head]), newElement("tbody", {}, rows));
}

/** Name the baselines with their held-out scores. @param {boolean} linear */
function tellBaselines(linear) {
  const scores = Object.entries(baselines).map(
    ([name, score]) => `${name.replace(" autoregression", "")} ${linear ? brief(score) : `${fixed(100 * score, 1)}%`}`,
  );
  return `dashed: ${scores.join(", ")}`;
}

/** Describe the score at the shown checkpoint. @param {Studio} studio @param {Name} name */
export function tellScore(studio, name) {
  const report = reportOf(studio, name);
  if (!report || Number.isNaN(report.score)) return "";
  return studio.linear
    ? `held-out mean squared error ${brief(report.score)}`
    : `${fixed(100 * report.score, 1)}% held-out accuracy`;
}

/** Describe the loss at the shown checkpoint. @param {Studio} studio @param {Name} name */
export function tellLoss(studio, name) {
  const loss = reportOf(studio, name)?.losses.at(-1);
  return loss === undefined ? "" : `loss ${brief(loss)}`;
}

/** Describe the place of the shown training step. @param {Studio} studio */
export const tellPlace = (studio) =>
  `training step ${stepOf(studio).toLocaleString("en")} of ${(longest(studio).reports.at(-1)?.step ?? 0).toLocaleString("en")}`;
