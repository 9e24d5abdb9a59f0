/** Export the pictures of a page as files: SVG, PNG, or PDF through the browser's print dialog. Each picture has a caption. */

import { findAll, newSvg, withPeriod } from "./elements.js";
import { TITLES } from "./facets.js";
import { download, escaped, png, standaloneSvg } from "./files.js";
import { pictureOf, plotly } from "./plot.js";
import { printPicture } from "./print.js";

/** @import { Figure } from "./plot.js" */
/** @typedef {"svg" | "png"} Format */
/**
 * A picture to export. `key` is the end of its file name, and `words` its name in words. `draw` returns the file, or a data: address.
 * @typedef {{key: string, words: string, caption: string, draw: (format: Format) => Promise<Blob | string>}} Picture
 */

/**
 * Replace the options of a select list; each option is [value, text]. Keep the selected value if it is still an option.
 * @param {HTMLSelectElement} list @param {[string, string][]} options
 */
function setOptions(list, options) {
  const chosen = list.value;
  list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === chosen)) list.value = chosen;
}

/**
 * Run `work`, and show in `status` that it is done, or why it failed.
 * @param {HTMLElement} status @param {string} done @param {string} failed @param {() => Promise<void>} work
 */
async function perform(status, done, failed, work) {
  status.textContent = "";
  try {
    await work();
    status.textContent = done;
  } catch (error) {
    status.textContent = `${failed}: ${withPeriod(/** @type {Error} */ (error).message)}`;
  }
}

/**
 * Download the file that `make` returns, and report the result in `status`.
 * @param {HTMLElement} status @param {string} name @param {() => Promise<Blob | string>} make
 */
export const save = (status, name, make) =>
  perform(status, `Downloaded ${name}.`, "The file could not be created", async () => download(name, await make()));

/**
 * Mount the buttons of the file formats. The SVG and PNG buttons save a picture, and the PDF button prints it.
 * @param {HTMLElement} part with the buttons @param {HTMLElement} status
 * @param {() => string} name returns the file's name without its ending @param {Picture["draw"]} draw
 */
export function mountFormats(part, status, name, draw) {
  const print = () =>
    perform(status, "", "The picture could not be printed", async () => printPicture(name(), await draw("svg")));

  for (const button of /** @type {HTMLButtonElement[]} */ (findAll(part, "[data-format]"))) {
    const format = /** @type {Format | "pdf"} */ (button.dataset.format);
    button.hidden = format === "pdf" && self !== top; // a frame of another page may not open the print dialog
    button.addEventListener("click", () =>
      format === "pdf" ? print() : save(status, `${name()}.${format}`, () => draw(format)),
    );
  }
}

/**
 * Mount the pictures of an export dialog. Return a function that sets the list of pictures; call it before the dialog opens.
 * @param {HTMLDialogElement} dialog
 * @param {() => string} name returns the start of the files' names
 * @returns {(pictures: Picture[]) => void}
 */
export function mountPictures(dialog, name) {
  const section = /** @type {HTMLElement} */ (dialog.querySelector(".pictures"));
  const choice = /** @type {HTMLSelectElement} */ (section.querySelector("select"));
  const caption = /** @type {HTMLElement} */ (section.querySelector(".caption"));
  const status = /** @type {HTMLElement} */ (dialog.querySelector(".done"));
  /** @type {Picture[]} */
  let pictures = [];
  const chosen = () => pictures[choice.selectedIndex];
  const writeCaption = () => (caption.textContent = chosen()?.caption ?? "");

  choice.addEventListener("change", writeCaption);
  mountFormats(
    section,
    status,
    () => `${name()}-${chosen().key}`,
    (format) => chosen().draw(format),
  );
  return (listed) => {
    pictures = listed;
    section.hidden = !pictures.length;
    setOptions(
      choice,
      pictures.map(({ key, words }) => [key, words]),
    );
    status.textContent = "";
    writeCaption();
  };
}

/**
 * Convert a drawing of the page to a file, with a title above the drawing and `lines` of SVG elements below the drawing.
 * @param {SVGSVGElement} svg @param {string} title @param {Format} format @param {SVGElement[][]} [lines]
 */
export async function fileOf(svg, title, format, lines) {
  const file = standaloneSvg(svg, title, lines);
  return format === "png" ? png(file) : new Blob([file.text], { type: "image/svg+xml" });
}

/**
 * Return the visible drawings in `part` as pictures. Each title comes from the drawing's label for screen readers, and each caption
 * starts with `heading`.
 * @param {HTMLElement} part of the page @param {string} heading
 * @returns {Picture[]}
 */
export function drawingsIn(part, heading) {
  const drawings = /** @type {(SVGSVGElement | HTMLCanvasElement)[]} */ ([
    ...part.querySelectorAll(":is(svg, canvas)[role=img], .cell .figure"),
  ]);
  return drawings
    .filter((drawing) => drawing.getClientRects().length > 0 && labelOf(drawing)) // a drawing without a label has not been drawn yet
    .map((drawing, _, all) => {
      const label = labelOf(drawing);
      const isAlone = all.filter((other) => shortened(labelOf(other)) === shortened(label)).length === 1;
      const title = isAlone ? shortened(label) : label;
      return {
        key: title.toLowerCase().replaceAll(/\W+/g, "-"),
        words: title,
        caption: `${heading}. ${withPeriod(label)}`,
        draw: (format) =>
          drawing instanceof HTMLCanvasElement
            ? fileOf(inSvg(drawing), title, format)
            : fileOf(drawing, title, format, linesBelow(drawing)),
      };
    });
}

/**
 * Return the visible Plotly figures in `part` as pictures, except the heatmaps of the tape. Each title comes from the figure's label
 * for screen readers, and each caption starts with `heading`.
 * @param {HTMLElement} part of the page @param {string} heading
 * @returns {Picture[]}
 */
export function figuresIn(part, heading) {
  const figures = /** @type {(HTMLElement & Figure)[]} */ ([...part.querySelectorAll(".js-plotly-plot[role=img]")]);
  return figures
    .filter((figure) => figure.getClientRects().length > 0)
    .map((figure) => {
      const label = labelOf(figure);
      const [title] = label.split(/ (?:over|of) /);
      return {
        key: title.toLowerCase().replaceAll(/\W+/g, "-"),
        words: title.toLowerCase(),
        caption: `${heading}. ${withPeriod(label)}`,
        draw: async (format) => pictureOf(await plotly(), titled(figure, `${heading}: ${title.toLowerCase()}`), format),
      };
    });
}

/**
 * Return a figure with a title. A figure with several lines also gets axes, and a legend below.
 * @param {Figure} figure @param {string} text @returns {Figure}
 */
function titled({ data, layout }, text) {
  const { color, backgroundColor } = getComputedStyle(document.body);
  const isOfLines = data.length > 1;
  const T = Math.round(layout.xaxis.range?.[1] ?? 0);
  const every = Math.ceil(T / 12);
  const steps = Array.from({ length: Math.floor(T / every) || 0 }, (_, i) => (i + 1) * every);
  const axis = { visible: true, showticklabels: true };
  const numbered = { ...axis, tickvals: steps.map((t) => t - 1), ticktext: steps, title: { text: "timestep" } };
  return {
    data: data.map((trace) => ({ ...trace, showlegend: isOfLines })),
    layout: {
      ...layout,
      title: { text: escaped(text), x: 0.01, y: 1, yanchor: "top", pad: { t: 12 }, font: { size: 15 } },
      font: { ...layout.font, color },
      paper_bgcolor: backgroundColor,
      showlegend: isOfLines,
      legend: { orientation: "h", y: -50 / layout.height, yanchor: "top" },
      xaxis: { ...layout.xaxis, ...(isOfLines ? numbered : {}) },
      yaxis: { ...layout.yaxis, ...(isOfLines ? axis : {}) },
      margin: isOfLines ? { l: 50, r: 20, t: 50, b: 100 } : { l: 10, r: 10, t: 110, b: 10 },
      width: Math.min(layout.width, 1000),
      height: layout.height + (isOfLines ? 150 : 60),
    },
  };
}

/** Return the label of a drawing, or of the part of the page around it. @param {Element} drawing */
const labelOf = (drawing) =>
  (drawing.role === "img" ? drawing : drawing.parentElement?.closest("[aria-label]"))?.ariaLabel ?? "";

/** @param {string} label */
const shortened = (label) => label.split(/[,:]/)[0];

/**
 * Return the lines of SVG elements to put below a drawing: a line with the numbers of the axis, and a line with the names of the curves.
 * Leave out a line without elements.
 * @param {SVGSVGElement} svg
 */
function linesBelow(svg) {
  const { left, width } = svg.getBoundingClientRect();
  const axis = [svg.closest("figure"), svg.closest(".curves")]
    .map((part) => part?.querySelector(".axis"))
    .find(Boolean);
  const ticks = [...(axis?.children ?? [])].map((tick) => {
    const box = tick.getBoundingClientRect();
    const [x, text] = [box.left + box.width / 2 - left, tick.textContent ?? ""];
    // A number at an end stays inside the picture.
    if (x < box.width / 2) return words(0, text, "start");
    return x > width - box.width / 2 ? words(width, text, "end") : words(x, text, "middle");
  });
  /** A curve for each name. @type {Map<string, Element>} */
  const curves = new Map();
  for (const curve of svg.querySelectorAll("path, polyline")) {
    const [, name] = /\bof-(\w+)/.exec(curve.getAttribute("class") ?? "") ?? [];
    if (name && !svg.querySelector("text[class*=of-]")) curves.set(name, curve);
  }
  const names = [...curves].flatMap(([name, curve], i) => {
    const { stroke, strokeWidth, strokeDasharray } = getComputedStyle(curve);
    const style = { stroke, "stroke-width": strokeWidth, "stroke-dasharray": strokeDasharray };
    const title = /** @type {Record<string, string>} */ (TITLES)[name] ?? name;
    return [newSvg("path", { d: `M${8 + 110 * i} -4h24`, ...style }), words(38 + 110 * i, title, "start")];
  });
  return [ticks, names].filter((line) => line.length);
}

/** Create an SVG text for a line below a drawing. @param {number} x @param {string} textContent @param {"start" | "middle" | "end"} anchor */
export const words = (x, textContent, anchor) =>
  Object.assign(newSvg("text", { x, "text-anchor": anchor }), { textContent });

/** @param {HTMLCanvasElement} canvas */
function inSvg(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const svg = newSvg("svg", { viewBox: `0 0 ${width} ${height}` });
  const size = { width, height, preserveAspectRatio: "none", "image-rendering": "pixelated" };
  svg.append(newSvg("image", { ...size, href: canvas.toDataURL() }));
  return /** @type {SVGSVGElement} */ (svg);
}
