/** Files that the visitor can download: pictures of the page with all their styles, and numbers as CSV. */

/** @import { Rows, Run } from "./run.js" */
/** @import { State } from "./state.js" */
/** @import { Figure } from "./plot.js" */
import { cellOf } from "./cells.js";
import { csvOf } from "./csv.js";
import { unitName } from "./directions.js";
import { newSvg } from "./elements.js";
import { rowsOf, turned } from "./reading.js";
import { fixed, scenarioOf } from "./run.js";
import { MOST_IN_ORDER, detailAt, layerIndex, layerOf, unitsInSight } from "./state.js";
import { nameOf, tokenAt } from "./tokens.js";

/** The styles that are copied into an exported SVG. */
const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "opacity",
  "font-family",
  "font-size",
  "font-style",
  "font-weight",
  "text-anchor",
  "text-decoration-line",
  "dominant-baseline",
  "paint-order",
];

const WIDEST = 1150; // px: the preferred width of all columns together
const LABEL = 22; // px: the width that a token needs
const PANEL = 0.78; // as in gru_core/runs/figures.py
const HEADING = 34; // px above an SVG
const LINE = 20; // px of a line below an SVG
const TITLE = 15; // px of the largest letters of a title
const LETTER = 0.56; // the mean width of a letter, as a share of the font size

/**
 * Return titles for pictures: `model` names the model, `run` also its sequence, and `here` the unit and the step at the cursor.
 * @param {State} state
 */
export function titleOf(state) {
  const { run, models, step, unit } = state;
  const { title } = models.find(({ id }) => id === run.model)?.card ?? { title: run.model };
  const sequence = scenarioOf(run).sequence;
  const layer = run.layers.length > 1 ? `, layer ${layerIndex(state) + 1}` : "";
  return {
    model: title,
    run: `${title}${layer}: ${sequence.length > 60 ? `${sequence.slice(0, 60)} …` : sequence}`,
    here: `${title}${layer}, unit ${unitName(layerOf(state), unit)} at t = ${step} (${tokenAt(run, step)})`,
  };
}

/**
 * Fill `skeleton`, a figure from Python without data, with the values of all signals of the run. `fill` in
 * gru_core/runs/figures.py does the same. Return the new figure.
 * @param {Figure} skeleton @param {State} state @param {string} [title]
 * @returns {Figure}
 */
export function signalsPicture(skeleton, state, title = titleOf(state).run) {
  const { T, tokens } = state.run;
  const many = layerOf(state).H > MOST_IN_ORDER; // then the picture has only the visible rows
  const isNamed = many || layerOf(state).backward_units > 0;
  const units = many ? unitsInSight(state) : numbers(0, layerOf(state).H - 1);
  const H = units.length;
  const [cell, row] = [within(WIDEST / T, 9, 46), within(420 / H, 6, 30)];
  const few = cell >= 34 && row >= 16;
  const every = Math.ceil(T / (WIDEST / LABEL));
  const ticks = numbers(1, T).filter((t) => (t - 1) % every === 0);
  const data = skeleton.data.map((picture) => {
    const rows = rowsOf(state, picture.name);
    const z = units.map((unit) => [...rows[unit].slice(0, T)]);
    const filled = {
      x: numbers(1, T),
      y: units.map((unit) => (isNamed ? unitName(layerOf(state), unit) : unit + 1)),
      z,
    };
    const written = few ? { text: z.map((row) => row.map((value) => fixed(value))), texttemplate: "%{text}" } : {};
    const named = turned(state, picture.name) ? { colorbar: otherWay(/** @type {any} */ (picture).colorbar) } : {};
    return { ...picture, ...filled, ...named, ...written };
  });
  /** @type {Record<string, any>} */
  const layout = { ...skeleton.layout };
  for (const name of Object.keys(layout).filter((name) => name.startsWith("yaxis")))
    layout[name] = isNamed
      ? { ...layout[name], type: "category" }
      : { ...layout[name], tickmode: "linear", tick0: 1, dtick: Math.max(1, Math.round(H / 8)) };
  const ticktext = ticks.map((t) => `${escaped(nameOf(tokens?.[t - 1] ?? ""))}<br>${t}`);
  layout.xaxis = { ...layout.xaxis, tickvals: ticks, ticktext };
  layout.title = { ...layout.title, text: escaped(title) };
  layout.width = Math.max(460, T * cell + 224);
  layout.height = Math.round((data.length * Math.max(90, H * row)) / PANEL + 100);
  return { data, layout };
}

/** Return a copy of z's color bar with the end labels of PyTorch's convention. @param {{ticktext: string[]}} bar */
const otherWay = (bar) => ({ ...bar, ticktext: ["0 take candidate", "1 keep old"] });

/**
 * Return a figure of the contributions to the selected unit's states.
 * @param {Figure} skeleton @param {State} state
 * @returns {Figure}
 */
export function ledgerPicture(skeleton, state) {
  const { T } = state.run;
  const { from, to, shares } = detailAt(state, "ledger") ?? { from: 1, to: 0, shares: [] };
  const filled = { x: numbers(0, T), y: numbers(from, to), z: shares };
  const { title, xaxis, yaxis } = skeleton.layout;
  const side = within(520 / Math.max(T + 1, shares.length), 1, 40);
  return {
    data: skeleton.data.map((picture) => ({ ...picture, ...filled })),
    layout: {
      ...skeleton.layout,
      title: { ...title, text: escaped(`Memory of ${titleOf(state).here.split(" at ")[0]}`) },
      xaxis: { ...xaxis, tickmode: "linear", tick0: 0, dtick: Math.ceil(T / 12) },
      yaxis: { ...yaxis, tickmode: "linear", tick0: from, dtick: Math.ceil(shares.length / 12) },
      width: Math.max(460, (T + 1) * side + 224),
      height: Math.max(300, (shares.length * side) / PANEL + 100),
    },
  };
}

/**
 * Return an SVG element of the page as the text of an SVG file, and the size in pixels. The file has the element's styles, the page's
 * background, a title above the picture, and `lines` of elements below the picture.
 * @param {SVGSVGElement} svg @param {string} title @param {SVGElement[][]} [lines]
 * @returns {{text: string, width: number, height: number}}
 */
export function standaloneSvg(svg, title, lines = []) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const originals = [svg, ...svg.querySelectorAll("*")];
  const unseen = [copy, ...copy.querySelectorAll("*")].filter((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const attribute of ["class", "tabindex", "role", "aria-label"]) element.removeAttribute(attribute);
    const styles = STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`);
    element.setAttribute("style", styles.join(";"));
    return style.display === "none" || style.visibility === "hidden";
  });
  for (const element of unseen) element.remove();
  const box = svg.viewBox.baseVal;
  const { width, height } = box.width ? box : svg.getBoundingClientRect();
  const size = { width, height: height + HEADING + LINE * lines.length };
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `0 ${-HEADING} ${width} ${size.height}`);
  for (const [name, length] of Object.entries(size)) copy.setAttribute(name, String(length));
  const { backgroundColor, color, fontFamily } = getComputedStyle(document.body);
  const paper = newSvg("rect", { y: -HEADING, width: "100%", height: "100%", fill: backgroundColor });
  const font = { fill: color, "font-family": fontFamily };
  const fitting = Math.min(TITLE, (width - 16) / (LETTER * title.length));
  const heading = newSvg("text", { x: 8, y: -12, ...font, "font-size": fitting });
  heading.textContent = title;
  copy.prepend(paper, heading);
  lines.forEach((line, i) => {
    const y = height + LINE * (i + 0.6);
    const group = newSvg("g", { transform: `translate(0 ${y})`, ...font, "font-size": 12 });
    group.append(...line);
    copy.append(group);
  });
  return { text: new XMLSerializer().serializeToString(copy), ...size };
}

/**
 * Convert an SVG to PNG, with twice the resolution of the page.
 * @param {{text: string, width: number, height: number}} svg
 * @returns {Promise<Blob>}
 */
export async function png({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) =>
      blob ? resolve(blob) : reject(new Error("this browser cannot draw a PNG. Export an SVG instead.")),
    ),
  );
}

/**
 * Return a run as CSV, in the same format as app/exports/files.py: a line for each step, columns named as in links, and numbers
 * with full precision.
 * @param {Run} run
 */
export function csv(run) {
  /** @type {[string, Rows][]} */
  const groups = [["x", run.inputs], ...states(run, "", run.outputs)];
  if (run.twin) groups.push(...states(run, "twin.", run.twinOutputs));
  const labels = (/** @type {string} */ name) =>
    name === "x" ? run.x.labels : name.endsWith("y") ? run.y.labels : undefined;
  const columns = groups.flatMap(([name, rows]) =>
    rows.map((row, i) => ({ name: `${name}.${labels(name)?.[i] ?? i + 1}`, row })),
  );
  const lines = [["t", "input", ...columns.map(({ name }) => name)]];
  for (let column = 0; column < run.T; column++)
    lines.push([String(column + 1), run.tokens?.[column] ?? "", ...columns.map(({ row }) => String(row[column]))]);
  return csvOf(lines);
}

/**
 * @param {Run} run @param {"" | "twin."} prefix @param {Rows} outputs
 * @returns {[string, Rows][]}
 */
function states({ layers }, prefix, outputs) {
  const named = layers.flatMap((layer, i) =>
    cellOf(layer).signals.map(({ name }) => [
      `${prefix}${i ? `L${i + 1}.` : ""}${name}`,
      layer.rows[`${prefix}${name}`],
    ]),
  );
  return [[`${prefix}y`, outputs], .../** @type {[string, Rows][]} */ (named)];
}

/** Download a file to the visitor's device. @param {string} name @param {Blob | string} content a blob, or a data: address */
export function download(name, content) {
  const href = typeof content === "string" ? content : URL.createObjectURL(content);
  const link = Object.assign(document.createElement("a"), { href, download: name });
  link.click();
  if (typeof content !== "string") setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Escape `text` for Plotly, which interprets markup in labels. @param {string} text */
export const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @param {number} from @param {number} to */
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.max(low, Math.min(high, value));
