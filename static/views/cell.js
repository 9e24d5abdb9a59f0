/**
 * The cell's figure with this step's values on its wires: one unit in numbers, or the whole layer as strips of colour. The
 * larger the value on a wire, the wider the wire and the stronger its colour.
 */

/** @import { Store } from "../store.js" */
/** @import { State, Theme, Zoom } from "../state.js" */
/** @import { Figure, Picture } from "../plot.js" */
/** @import { Gate } from "../run.js" */
/** @import { Worked } from "../reading.js" */
import { ownOf } from "../own.js";
import { inputsOf, ofAllUnits, placeAt, replacedAt, sumsAt, workedAt } from "../reading.js";
import { fixed } from "../run.js";
import { layerOf, openGate, setZoom } from "../state.js";
import { colourAt } from "../theme.js";

const SVG = "http://www.w3.org/2000/svg";
const THINNEST = 1.5;
const WIDEST = 5.5;

/**
 * @param {HTMLElement} section which may be without zooms, sum and legend
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
  const zooms = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll(".zoom input")]);

  /** How much of its scale a value fills, from 0 to 1, and the colour that it has there. @param {string} name @param {number} value @param {State} state */
  function shade(name, value, state) {
    const { data } = figures[state.theme];
    const named = (/** @type {string} */ of) => data.find((picture) => picture.name === of && !picture.meta);
    const picture = /** @type {Picture} */ (named(name) ?? named(ownOf(state).scaledAs[name] ?? "h"));
    const { colorscale } = picture;
    // Inputs and terms are shown on a scale from −1 to 1, whatever that of the state is.
    const [zmin, zmax] = isTerm(name) || name === "x" ? [-1, 1] : [picture.zmin, picture.zmax];
    return { share: Math.abs(value) / zmax, colour: `rgb(${colourAt(colorscale, (value - zmin) / (zmax - zmin))})` };
  }

  /** @param {State} state @param {Worked} worked */
  function showUnit(state, { parts }) {
    const { unit } = state;
    const carried = { ...ownOf(state).carried(state), ...parts };
    for (const [gate, { Wx, Uh, b }] of Object.entries(sumsAt(state, unit))) {
      carried[`b.${gate}`] = b;
      carried[`Wx.${gate}`] = Wx;
      carried[`Uh.${gate}`] = Uh;
    }
    for (const wire of wires) {
      const name = wire.dataset.wire ?? "";
      const value = isTerm(name) ? bounded(carried[name]) : (carried[name] ?? 0);
      const { share, colour } = shade(name, value, state);
      flow(wire, share, name === "x" ? "" : colour);
    }
    const computed = replacedAt(state, unit);
    for (const note of replaced) {
      const was = computed[note.dataset.replaced ?? ""];
      note.textContent = was === undefined ? "" : fixed(was);
      note.parentElement?.classList.toggle("held", was !== undefined);
    }
    const { read } = placeAt(state, unit);
    for (const slot of slots) {
      const name = slot.dataset.slot ?? "";
      const text = name === "x" ? read : fixed(carried[name]);
      if (slot.textContent !== text) slot.textContent = text;
    }
  }

  /** @param {State} state @param {Worked} worked */
  function showLayer(state, { sizes }) {
    const { rows } = layerOf(state);
    const column = state.step - 1;
    const own = ownOf(state);
    const strips = { ...(own.strips?.(state) ?? ofAllUnits(state, own.carried)), x: inputsOf(state).map((row) => row[column]) };
    for (const node of nodes) {
      const name = node.dataset.node ?? "";
      drawStrip(node, name, strips[/** @type {"x"} */ (name)], name === "x" ? -1 : state.unit, state);
    }
    for (const wire of wires) {
      const name = wire.dataset.wire ?? "";
      const size = sizes[name] ?? sizeOf(strips[/** @type {"x"} */ (name)] ?? rows[name].map((row) => bounded(row[column])));
      flow(wire, shade(name, size, state).share, "");
    }
  }

  /** @param {SVGGElement} node @param {string} name @param {number[]} values @param {number} unit @param {State} state */
  function drawStrip(node, name, values, unit, state) {
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
      cell.style.fill = shade(name, value, state).colour;
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
    if (sum) sum.hidden = zoom !== "gate";
    for (const part of [svg, legend]) part?.toggleAttribute("hidden", zoom === "gate");
    if (state.step > state.received || !state.views.includes("cell") || zoom === "gate") return;
    const worked = workedAt(state);
    svg.classList.toggle("late", !worked);
    if (!worked) return;
    if (zoom === "layer") showLayer(state, worked);
    else showUnit(state, worked);
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

/** @param {string} name of a wire */
const isTerm = (name) => /^(Wx|Uh)\./.test(name);

/**
 * A place from −1 to 1 for a term of a gate's sum, which can be of any size. A term of 2, which moves a gate most of the way, comes to 0.7.
 * @param {number} term
 */
const bounded = (term) => term / Math.hypot(2, term);

/** The root mean square. @param {number[]} values */
const sizeOf = (values) => Math.hypot(...values) / Math.sqrt(values.length);

/** @param {SVGGElement} wire @param {number} share from 0 to 1 @param {string} colour */
function flow(wire, share, colour) {
  const path = /** @type {SVGPathElement} */ (wire.lastElementChild);
  path.style.strokeWidth = String(THINNEST + (WIDEST - THINNEST) * Math.min(1, share));
  path.style.stroke = colour;
}
