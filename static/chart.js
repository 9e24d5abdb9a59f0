/** Charts of curves over the timesteps, with a logarithmic axis. */

import { finder, newElement, newRow, observeSize } from "./elements.js";
import { fixed } from "./run.js";
import { createGuard } from "./store.js";
import { nameOf } from "./tokens.js";

/**
 * A curve. `name` is its CSS class, which sets its color. `label` is printed at the end of the curve. `head` is the heading of the
 * curve's column in the table, by default `label`.
 * @typedef {{name: string, label: string, head?: string, values: number[]}} Curve
 */

const MARGIN = { top: 0.7, right: 8.4, bottom: 2.4, left: 4 }; // em
const MOST_DECADES = 12; // on the axis, below the largest value
const ROOM_FOR_LABEL = 1.25; // em
const MOST_DOTS = 40; // a curve with more steps has no dots

/**
 * Return the curves as SVG markup: steps on the x-axis, powers of ten on the y-axis, and a label at the end of each curve.
 * @param {Curve[]} curves
 * @param {number} T steps
 * @param {number} step the step of the cursor
 * @param {number} width px
 * @param {number} height px
 * @param {number} em the size of the text, px
 */
function drawCurves(curves, T, step, width, height, em) {
  const margin = { top: MARGIN.top * em, right: MARGIN.right * em, bottom: MARGIN.bottom * em, left: MARGIN.left * em };
  const sizes = curves.flatMap(({ values }) => values.filter((value) => value > 0));
  if (sizes.length === 0) return `<text x="${margin.left}" y="40" class="tick start">All gradients are 0.</text>`;
  const top = Math.ceil(Math.log10(Math.max(...sizes)) - 1e-9);
  const bottom = Math.max(Math.min(top - 1, Math.floor(Math.log10(Math.min(...sizes)))), top - MOST_DECADES);
  const [w, h] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  const x = (/** @type {number} */ t) => margin.left + ((t - 0.5) / T) * w;
  const y = (/** @type {number} */ value) => margin.top + ((top - Math.log10(value)) / (top - bottom)) * h;
  const inside = (/** @type {number} */ value) => value >= 10 ** bottom * 0.999;
  const every = Math.ceil((top - bottom) / Math.min(6, Math.max(1, Math.floor(h / (1.25 * em)))));
  const decades = Array.from({ length: top - bottom + 1 }, (_, i) => top - i).filter((_, i) => i % every === 0);
  const grid = decades.map(
    (decade) =>
      `<path class="rule" d="M${margin.left} ${y(10 ** decade).toFixed(1)}h${w}"/><text class="tick" x="${(margin.left - em / 2).toFixed(1)}" y="${(y(10 ** decade) + em / 3).toFixed(1)}">${power(decade)}</text>`,
  );
  const ends = [1, ...(T > 1 ? [T] : [])].filter((t) => Math.abs(t - step) > T / 12);
  const ticks = [...ends, step].map(
    (t) =>
      `<text class="tick middle" x="${x(t).toFixed(1)}" y="${(height - 0.7 * em).toFixed(1)}">${t === step ? `t = ${t}` : t}</text>`,
  );
  const cursor = `<path class="now" d="M${x(step).toFixed(1)} ${margin.top}v${h}"/>`;
  const lines = curves.map(({ name, values }) => {
    const d = values.map((value, i) =>
      inside(value) ? `${i && inside(values[i - 1]) ? "L" : "M"}${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}` : "",
    );
    const dots =
      values.length > MOST_DOTS
        ? []
        : values.map((value, i) =>
            inside(value) ? `<circle r="2" cx="${x(i + 1).toFixed(1)}" cy="${y(value).toFixed(1)}"/>` : "",
          );
    return `<g class="curve ${name}"><path d="${d.join("")}"/>${dots.join("")}</g>`;
  });
  const last = curves.map(({ name, label, values }) => {
    const last = values.findLast(inside);
    return {
      name,
      label: last === undefined ? `${label} = 0` : label,
      y: last === undefined ? height - margin.bottom : y(last),
    };
  });
  return (
    grid.join("") +
    cursor +
    lines.join("") +
    ticks.join("") +
    labels(
      last,
      x(Math.max(...curves.map(({ values }) => values.length))) + 0.7 * em,
      margin.top,
      height - margin.bottom,
      em,
    )
  );
}

/**
 * Return the curves' labels as SVG markup, each beside the end of its curve. Labels that would overlap are moved apart.
 * @param {{name: string, label: string, y: number}[]} ends
 * @param {number} x the x of every label, px
 * @param {number} least the smallest y of a label, px
 * @param {number} most the largest y of a label, px
 * @param {number} em the size of the text, px
 */
function labels(ends, x, least, most, em) {
  let free = least;
  return ends
    .toSorted((a, b) => a.y - b.y)
    .map(({ name, label, y }, i, all) => {
      const place = Math.min(Math.max(y, free), most - (all.length - 1 - i) * ROOM_FOR_LABEL * em);
      free = place + ROOM_FOR_LABEL * em;
      return `<text class="curve ${name}" x="${x.toFixed(1)}" y="${(place + em / 3).toFixed(1)}">${label}</text>`;
    })
    .join("");
}

/**
 * Mount a chart of curves, and a table of the same numbers in a `details` element.
 * @param {HTMLElement} section
 * @param {() => void} update redraws the chart; called when the size changes, and when the table is opened or closed
 */
export function mountChart(section, update) {
  const find = finder(section);
  const details = /** @type {HTMLDetailsElement} */ (find("details"));
  const isNew = createGuard();
  let [width, height, em] = [0, 0, 0];
  observeSize(find("svg"), (...size) => {
    [width, height] = size;
    // Stored, because reading a style while the page changes would force a layout each time.
    em = parseFloat(getComputedStyle(find("svg")).fontSize);
    update();
  });
  details.addEventListener("toggle", update);

  return {
    /**
     * Return whether the data of the curves, the size or the table changed since the last drawing.
     * @param {unknown[]} parts the data
     */
    isNew: (...parts) => isNew(width, height, em, details.open, ...parts),
    /**
     * Draw the chart and, if it is open, the table.
     * @param {Curve[]} curves @param {number} T @param {number} step @param {string[] | null} tokens
     * @param {Curve[]} [listed] the curves in the table
     */
    draw(curves, T, step, tokens, listed = curves) {
      find("svg").innerHTML = drawCurves(curves, T, step, width, height, em);
      // A closed table is emptied, so that it never opens with old numbers.
      find("table").replaceChildren(...(details.open ? tableOf(listed, tokens) : []));
    },
  };
}

/** Return the head and the body of a table of the curves, with a row for each step. @param {Curve[]} curves @param {string[] | null} tokens */
function tableOf(curves, tokens) {
  const head = newRow(["timestep", "input", ...curves.map(({ head, label }) => head ?? label)], "col");
  const rows = curves[0].values.map((_, i) =>
    newRow([String(i + 1), nameOf(tokens?.[i] ?? ""), ...curves.map(({ values }) => brief(values[i]))]),
  );
  return [newElement("thead", {}, [head]), newElement("tbody", {}, rows)];
}

/** Format a number of any size in a short form, such as 0.25 or 1.2 × 10⁻⁵. @param {number} value */
export function brief(value) {
  if (value === 0) return "0";
  if (Math.abs(value) >= 0.01 && Math.abs(value) < 1000) return fixed(value, Math.abs(value) < 0.1 ? 3 : 2);
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits.replace("-", "−")} × 10${superscript(Number(exponent))}`;
}

/** @param {number} exponent */
const superscript = (exponent) =>
  [...String(exponent)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");

/** Format a power of ten as an axis label, such as 10². @param {number} exponent */
export const power = (exponent) => (exponent === 0 ? "1" : exponent === 1 ? "10" : `10${superscript(exponent)}`);
