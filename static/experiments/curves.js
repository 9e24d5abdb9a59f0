/** Learning curves over several seeds, for the experiments. The axis of training steps is logarithmic, because most changes happen early. */

import { plot } from "../train/curves.js";

/** The training steps and scores of one training. @typedef {[number, number][]} Points */
const AT = 60; // intervals between the points of a median curve

/** Return the place of a training step on the logarithmic axis. @param {number} step */
const place = (step) => Math.log10(step + 1);

/** Return the points with each training step replaced by its place on the logarithmic axis. @param {Points} points @returns {Points} */
const placed = (points) => points.map(([step, score]) => [place(step), score]);

/**
 * Draw learning curves with their goal and their axis: a thin line for each training, and a thick line for the median.
 * @param {SVGElement} svg
 * @param {HTMLElement} axis below the picture
 * @param {Record<string, Points[]>} byName the trainings of each curve, by the CSS class of the curve
 * @param {number} width
 * @param {boolean} error whether the scores are errors, which are drawn on a logarithmic axis
 * @param {number} goal
 */
export function drawLearning(svg, axis, byName, width, error, goal) {
  const all = Object.values(byName).flat();
  const last = Math.max(1, ...all.flatMap((points) => points.map(([step]) => step)));
  const thin = Object.entries(byName).flatMap(([name, trainings]) =>
    trainings.map((points) => ({ name: `raw of-${name}`, points: placed(points) })),
  );
  const thick = Object.entries(byName)
    .filter(([, trainings]) => trainings.length)
    .map(([name, trainings]) => ({ name: `mean of-${name}`, points: placed(median(trainings, last)) }));
  if (width) plot(svg, [...thin, ...thick], place(last), width, error, [goal]);
  const ticks = [0, 10, 100, 1000].filter((step) => step <= last);
  mark(
    axis,
    ticks.map((step) => [place(step) / place(last), step.toLocaleString("en")]),
  );
}

/**
 * Draw shares from 0 to 1 as curves, with a line at one half.
 * @param {SVGElement} svg
 * @param {HTMLElement} axis below the picture
 * @param {Record<string, Points>} byName
 * @param {number} width
 * @param {number} last the largest x
 * @param {boolean} log whether x is on a logarithmic axis
 */
export function drawShares(svg, axis, byName, width, last, log) {
  const at = (/** @type {number} */ x) => (log ? place(x) : x);
  const lines = Object.entries(byName).map(([name, points]) => ({
    name: `mean of-${name}`,
    points: points.map(([x, share]) => /** @type {[number, number]} */ ([at(x), share])),
  }));
  if (width) plot(svg, lines, at(last), width, false, [0.5]);
  const ticks = log ? [0, 10, 100, 1000].filter((x) => x <= last) : [0, last / 3, (2 * last) / 3, last];
  mark(
    axis,
    ticks.map((x) => [at(x) / at(last), x.toLocaleString("en")]),
  );
}

/**
 * Write the labels of the axis below a picture. Each tick has its place, as a share of the width, and its label.
 * @param {HTMLElement} axis
 * @param {[number, string][]} ticks
 */
export function mark(axis, ticks) {
  axis.replaceChildren(
    ...ticks.map(([at, textContent]) => {
      const tick = Object.assign(document.createElement("span"), { textContent });
      tick.style.setProperty("--at", String(at));
      return tick;
    }),
  );
}

/**
 * Return the curve of the median over several trainings. A training that ended early keeps its last score.
 * @param {Points[]} all
 * @param {number} last
 * @returns {Points}
 */
function median(all, last) {
  const longest = Math.max(...all.map((points) => points.at(-1)?.[0] ?? 0));
  const places = Array.from({ length: AT + 1 }, (_, i) => (last + 1) ** (i / AT) - 1);
  return [...places.filter((step) => step < longest), longest].map((step) => {
    const values = all
      .map((points) => points.findLast(([at]) => at <= step)?.[1] ?? points[0][1])
      .sort((a, b) => a - b);
    return [step, values[Math.floor(values.length / 2)]];
  });
}
