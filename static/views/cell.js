/**
 * The figure of the cell at the cursor's timestep: one unit as numbers, or the whole layer as strips of color.
 * The larger the value on a wire, the wider the wire and the stronger its color.
 */

/** @import { Store } from "../store.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, Picture } from "../plot.js" */
/** @import { Gate } from "../run.js" */
/** @import { Worked } from "../reading.js" */
import { findAll, finder, mountChoice, newSvg, setLength, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { inputsOf, ofAllUnits, placeAt, replacedAt, sumsAt, workedAt } from "../reading.js";
import { fixed } from "../run.js";
import { layerOf, openGate, setZoom } from "../state.js";
import { colorAt } from "../theme.js";

const THINNEST = 1.5;
const WIDEST = 5.5;

/**
 * Mount the figure of the cell.
 * @param {HTMLElement} section may lack the zoom buttons, the sum and the legend
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountCell(section, store, figures) {
  const svg = /** @type {SVGElement} */ (section.querySelector("svg"));
  const [legend, sum] = [".note", ".sum"].map(finder(section));
  const showZoom = mountChoice(section, ".zoom input", (zoom) => store.update(setZoom, zoom));
  const showUnit = createUnit(svg, figures);
  const showLayer = createLayer(svg, figures);

  store.subscribe((state) => {
    const { zoom } = state;
    showZoom(zoom);
    section.dataset.zoom = zoom;
    if (sum) sum.hidden = zoom !== "gate";
    for (const part of [svg, legend]) part?.toggleAttribute("hidden", zoom === "gate");
    if (state.step > state.received || !state.views.includes("cell") || zoom === "gate") return;
    const worked = workedAt(state);
    svg.classList.toggle("late", !worked);
    if (!worked) return;
    if (zoom === "layer") showLayer(state, worked);
    else showUnit(state, worked);
  });

  for (const node of findAll(svg, "[data-node][role=button]")) {
    const open = () => store.update(openGate, /** @type {Gate} */ (node.dataset.node));
    node.addEventListener("click", open);
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
      // The sum replaces the figure, and takes the focus.
      requestAnimationFrame(() => finder(sum)(":checked").focus());
    });
  }
}

/**
 * Return a function that shows the numbers of one unit in the figure.
 * @param {SVGElement} svg
 * @param {Record<Theme, Figure>} figures
 * @returns {(state: State, worked: Worked) => void}
 */
function createUnit(svg, figures) {
  const [wires, slots, notes] = ["[data-wire]", "[data-slot]", "[data-replaced]"].map((selector) =>
    findAll(svg, selector),
  );

  return (state, { parts }) => {
    const { unit } = state;
    const terms = Object.entries(sumsAt(state, unit)).flatMap(([gate, { b, Wx, Uh }]) => [
      [`b.${gate}`, b],
      [`Wx.${gate}`, Wx],
      [`Uh.${gate}`, Uh],
    ]);
    /** @type {Record<string, number>} */
    const carried = { ...ownOf(state).carried(state), ...parts, ...Object.fromEntries(terms) };
    for (const wire of wires) {
      const name = wire.dataset.wire ?? "";
      const value = isTerm(name) ? bounded(carried[name]) : (carried[name] ?? 0);
      const { share, color } = shade(figures, name, value, state);
      flow(wire, share, name === "x" ? "" : color);
    }
    const computed = replacedAt(state, unit);
    for (const note of notes) {
      const value = computed[note.dataset.replaced ?? ""];
      setText(note, value === undefined ? "" : fixed(value));
      note.parentElement?.classList.toggle("held", value !== undefined);
    }
    const { read } = placeAt(state, unit);
    for (const slot of slots) setText(slot, slot.dataset.slot === "x" ? read : fixed(carried[slot.dataset.slot ?? ""]));
  };
}

/**
 * Return a function that shows all units in the figure as strips of color.
 * @param {SVGElement} svg
 * @param {Record<Theme, Figure>} figures
 * @returns {(state: State, worked: Worked) => void}
 */
function createLayer(svg, figures) {
  const [wires, nodes] = ["[data-wire]", "[data-node]"].map((selector) => findAll(svg, selector));

  return (state, { sizes }) => {
    const { rows } = layerOf(state);
    const column = state.step - 1;
    const cell = ownOf(state);
    /** @type {Record<string, number[]>} */
    const strips = {
      ...(cell.strips?.(state) ?? ofAllUnits(state, cell.carried)),
      x: inputsOf(state).map((row) => row[column]),
    };
    for (const node of nodes) {
      const name = node.dataset.node ?? "";
      const colors = strips[name].map((value) => shade(figures, name, value, state).color);
      drawStrip(finder(node)(".strip"), colors, name === "x" ? -1 : state.unit);
    }
    for (const wire of wires) {
      const name = wire.dataset.wire ?? "";
      const size = sizes[name] ?? sizeOf(strips[name] ?? rows[name].map((row) => bounded(row[column])));
      flow(wire, shade(figures, name, size, state).share, "");
    }
  };
}

/**
 * Return `color`, the color of a value, and `share`, the absolute value as a share of the largest value on the scale.
 * @param {Record<Theme, Figure>} figures @param {string} name @param {number} value @param {State} state
 */
function shade(figures, name, value, state) {
  const { data } = figures[state.theme];
  const pictureOf = (/** @type {string} */ signal) => data.find(({ name }) => name === signal);
  const picture = /** @type {Picture} */ (pictureOf(name) ?? pictureOf(ownOf(state).scaledAs[name] ?? "h"));
  // Inputs and terms have a scale from −1 to 1, even if the scale of the state is different.
  const [zmin, zmax] = isTerm(name) || name === "x" ? [-1, 1] : [picture.zmin, picture.zmax];
  return {
    share: Math.abs(value) / zmax,
    color: `rgb(${colorAt(picture.colorscale, (value - zmin) / (zmax - zmin))})`,
  };
}

/**
 * Draw a rectangle for each unit, and a frame around one unit.
 * @param {Element} strip
 * @param {string[]} colors
 * @param {number} framed the unit with the frame, −1 for none
 */
function drawStrip(strip, colors, framed) {
  const across = Math.min(16, colors.length);
  const [width, height] = [64 / across, Math.min(12, 20 / Math.ceil(colors.length / across))];
  const put = (/** @type {Element} */ cell, /** @type {number} */ i) => {
    const box = { x: (i % across) * width - 32, y: Math.floor(i / across) * height, width, height };
    for (const [key, value] of Object.entries(box)) cell.setAttribute(key, String(value));
  };
  if (strip.childElementCount !== colors.length + 1) {
    setLength(strip, 0);
    setLength(strip, colors.length + 1, () => newSvg("rect"));
    [...strip.children].forEach(put);
    strip.lastElementChild?.setAttribute("class", "here");
  }
  const cells = /** @type {SVGElement[]} */ ([...strip.children]);
  colors.forEach((color, i) => (cells[i].style.fill = color));
  // The frame of the cursor's unit is drawn last: otherwise a neighbor would cover part of the frame.
  const frame = /** @type {Element} */ (strip.lastElementChild);
  frame.toggleAttribute("hidden", framed < 0);
  if (framed >= 0) put(frame, framed);
}

/** Return whether a wire carries a term of a gate's sum. @param {string} name of the wire */
const isTerm = (name) => /^(Wx|Uh)\./.test(name);

/**
 * Map a term of a gate's sum, which can be any number, to a number from −1 to 1. A term of 2, which nearly opens a gate, becomes
 * 0.7.
 * @param {number} term
 */
const bounded = (term) => term / Math.hypot(2, term);

/** Return the root mean square of some values. @param {number[]} values */
const sizeOf = (values) => Math.hypot(...values) / Math.sqrt(values.length);

/** Set the width and the color of a wire. @param {Element} wire @param {number} share from 0 to 1 @param {string} color */
function flow(wire, share, color) {
  const path = /** @type {SVGPathElement} */ (wire.lastElementChild);
  path.style.strokeWidth = String(THINNEST + (WIDEST - THINNEST) * Math.min(1, share));
  path.style.stroke = color;
}
