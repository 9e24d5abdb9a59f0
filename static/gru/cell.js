/**
 * A GRU's cell as the source draws it, with this step's values on its wires: one unit in numbers, or the whole layer as
 * strips of colour. The larger the value on a wire, the wider the wire and the stronger its colour.
 */

/** @import { Store } from "../store.js" */
/** @import { State, Theme, Zoom } from "../state.js" */
/** @import { Figure } from "../plot.js" */
/** @import { Scale } from "../theme.js" */
/** @import { Gate, Held } from "./reading.js" */
import { inputsOf } from "../reading.js";
import { fixed } from "../run.js";
import { layerOf, openGate, setZoom } from "../state.js";
import { colourAt } from "../theme.js";
import { reading } from "./reading.js";

const SVG = "http://www.w3.org/2000/svg";
const THINNEST = 1.5;
const WIDEST = 5.5;

/** Which signal's colours a wire or a strip has, where they are not those of h. @type {Record<string, string>} */
const SCALED_AS = { r: "r", z: "z", keep: "z", take: "z" };

/**
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountCell(section, store, figures) {
  const svg = /** @type {SVGElement} */ (section.querySelector("svg"));
  const wires = /** @type {SVGGElement[]} */ ([...svg.querySelectorAll("[data-wire]")]);
  const slots = /** @type {SVGElement[]} */ ([...svg.querySelectorAll("[data-slot]")]);
  const replaced = /** @type {SVGElement[]} */ ([...svg.querySelectorAll("[data-replaced]")]);
  const nodes = /** @type {SVGGElement[]} */ ([...svg.querySelectorAll("[data-node]")]);
  const legend = /** @type {HTMLElement} */ (section.querySelector(".note"));
  const sum = /** @type {HTMLElement} */ (section.querySelector(".sum"));
  const zooms = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll("[name=zoom]")]);

  /** @param {string} name @param {Theme} theme @returns {{scale: Scale, lowest: number}} */
  function scaleOf(name, theme) {
    const picture = figures[theme].data.find((picture) => picture.name === (SCALED_AS[name] ?? "h"));
    return { scale: picture?.colorscale ?? [], lowest: picture?.zmin ?? -1 };
  }

  /** @param {string} name @param {number} value @param {Theme} theme */
  function colour(name, value, theme) {
    const { scale, lowest } = scaleOf(name, theme);
    return `rgb(${colourAt(scale, (value - lowest) / (1 - lowest))})`;
  }

  /** @param {State} state */
  function showUnit(state) {
    const at = reading(state);
    const { sums, h_prev, r, z, h_tilde, h, keep, take, kept, taken, past } = at;
    /** @type {Record<string, number>} */
    const carried = { h_prev, r, z, h_tilde, h, keep, take, kept, taken, past };
    for (const [gate, { Wx, Uh, b }] of Object.entries(sums)) {
      carried[`b.${gate}`] = b;
      carried[`Wx.${gate}`] = Wx;
      carried[`Uh.${gate}`] = Uh;
    }
    for (const wire of wires) {
      const name = wire.dataset.wire ?? "";
      // A term of a gate's sum can be of any size. Its width and colour show how far it would move the gate.
      const value = name.startsWith("Wx") ? Math.tanh(carried[name] / 2) : (carried[name] ?? 0);
      flow(wire, Math.abs(value), name === "x" ? "" : colour(name, value, state.theme));
    }
    for (const note of replaced) {
      const name = /** @type {Held} */ (note.dataset.replaced);
      const was = at.replaced[name];
      note.textContent = was === undefined ? "" : fixed(was);
      note.parentElement?.classList.toggle("held", was !== undefined);
    }
    for (const slot of slots) {
      const name = slot.dataset.slot ?? "";
      const text = name === "x" ? at.read : fixed(carried[name]);
      if (slot.textContent !== text) slot.textContent = text;
    }
  }

  /** @param {State} state */
  function showLayer(state) {
    const { rows, h0, reset } = layerOf(state);
    const column = state.step - 1;
    /** @type {Record<string, number[]>} */
    const strips = {
      x: inputsOf(state).map((row) => row[column]),
      h_prev: column === 0 ? h0 : rows.h.map((row) => row[column - 1]),
    };
    for (const name of ["r", "z", "h_tilde", "h"]) strips[name] = rows[name].map((row) => row[column]);
    const [take, keep] = [strips.z, strips.z.map((z) => 1 - z)];
    if (state.convention === "pytorch") strips.z = keep;
    for (const node of nodes) {
      const name = node.dataset.node ?? "";
      drawStrip(node, name, strips[name], name === "x" ? -1 : state.unit, state.theme);
    }
    const times = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.map((value, i) => value * b[i]);
    /** @type {Record<string, number[]>} */
    const carried = { ...strips, keep, take, kept: times(keep, strips.h_prev), taken: times(take, strips.h_tilde) };
    if (reset === "before") carried.past = times(strips.r, strips.h_prev);
    else carried.past = rows["Uh.h_tilde"].map((row) => row[column]);
    for (const wire of wires) {
      const name = wire.dataset.wire ?? "";
      const values = carried[name] ?? rows[name].map((row) => Math.tanh(row[column] / 2));
      flow(wire, Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length), "");
    }
  }

  /** @param {SVGGElement} node @param {string} name @param {number[]} values @param {number} unit @param {Theme} theme */
  function drawStrip(node, name, values, unit, theme) {
    const strip = /** @type {SVGGElement} */ (node.querySelector(".strip"));
    const across = Math.min(16, values.length);
    const down = Math.ceil(values.length / across);
    const [width, height] = [64 / across, Math.min(12, 20 / down)];
    if (strip.childElementCount !== values.length + 1) {
      strip.replaceChildren(
        ...[...values, 0].map((_, i) => {
          const cell = document.createElementNS(SVG, "rect");
          const box = { x: (i % across) * width - 32, y: Math.floor(i / across) * height, width, height };
          for (const [key, value] of Object.entries(box)) cell.setAttribute(key, String(value));
          if (i === values.length) cell.setAttribute("class", "here");
          return cell;
        }),
      );
    }
    values.forEach((value, i) => {
      const cell = /** @type {SVGElement} */ (strip.children[i]);
      cell.style.fill = colour(name, value, theme);
    });
    // The frame of the cursor's unit is drawn last, so that no neighbour covers it.
    const mark = /** @type {SVGElement} */ (strip.lastElementChild);
    mark.toggleAttribute("hidden", unit < 0);
    if (unit < 0) return;
    mark.setAttribute("x", String((unit % across) * width - 32));
    mark.setAttribute("y", String(Math.floor(unit / across) * height));
  }

  store.subscribe((state) => {
    const { zoom } = state;
    for (const input of zooms) input.checked = input.value === zoom;
    section.dataset.zoom = zoom;
    sum.hidden = zoom !== "gate";
    for (const part of [svg, legend]) part.toggleAttribute("hidden", zoom === "gate");
    if (state.step > state.received || !state.views.includes("cell") || zoom === "gate") return;
    if (zoom === "layer") showLayer(state);
    else showUnit(state);
  });

  for (const input of zooms)
    input.addEventListener("change", () => store.update(setZoom, /** @type {Zoom} */ (input.value)));
  for (const node of nodes) {
    if (node.getAttribute("role") !== "button") continue;
    const open = () => store.update(openGate, /** @type {Gate} */ (node.dataset.node));
    node.addEventListener("click", open);
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
      // The sum takes the figure's place, and the focus goes there.
      requestAnimationFrame(() => /** @type {HTMLElement} */ (sum.querySelector(":checked")).focus());
    });
  }
}

/** @param {SVGGElement} wire @param {number} share from 0 to 1 @param {string} colour */
function flow(wire, share, colour) {
  const path = /** @type {SVGPathElement} */ (wire.lastElementChild);
  path.style.strokeWidth = String(THINNEST + (WIDEST - THINNEST) * Math.min(1, share));
  path.style.stroke = colour;
}
