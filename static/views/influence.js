/** Influence: what the cursor's output and state would move with, as tints of the input's tokens and as curves. */

/** @import { Store } from "../store.js" */
/** @import { Scale, Sensitivity, State } from "../state.js" */
/** @typedef {{name: string, label: string, values: number[]}} Curve */
import { newRow, write } from "../elements.js";
import { listensTo, turned } from "../reading.js";
import { answer, fixed } from "../run.js";
import { detailAt, layerOf, setScale } from "../state.js";

const MARGIN = { top: 8, right: 92, bottom: 26, left: 44 };
const MOST_DECADES = 12; // on the axis, below the largest value
const ROOM_FOR_LABEL = 14; // px
const MOST_DOTS = 40; // steps that have a dot each
const FAINTEST = 0.02; // a fainter tint is left out

/**
 * @param {HTMLElement} section
 * @param {HTMLElement} tape whose tokens are tinted
 * @param {Store} store
 */
export function mountInfluence(section, tape, store) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const [waiting, says, svg, scaleSays, body] = [".waiting", ".says", "svg", ".scale-says", "tbody"].map(find);
  const tokens = /** @type {HTMLElement} */ (tape.querySelector("#tokens"));
  const scales = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll("[name=scale]")]);
  const details = /** @type {HTMLDetailsElement} */ (find("details"));
  let [width, height] = [0, 0];
  /** @type {unknown[]} */
  let drawn = [];

  /** @param {State} state @param {Sensitivity | null} found */
  function tint(state, found) {
    const most = found && state.scale === "normalised" ? found.input.value : 1;
    tokens.classList.toggle("tinted", found !== null);
    for (let column = 0; column < tokens.childElementCount; column++) {
      const value = (found?.x_norm[column] ?? 0) / most;
      const share = value > FAINTEST ? Math.min(1, value) : 0;
      /** @type {HTMLElement} */ (tokens.children[column]).style.setProperty("--tint", share.toFixed(3));
    }
  }

  /** @param {State} state */
  function update(state) {
    const on = state.views.includes("influence");
    const found = on && state.step <= state.received ? detailAt(state, "sensitivity") : null;
    if (on || tokens.classList.contains("tinted")) tint(state, found);
    if (!on || state.step > state.received) return;
    for (const input of scales) input.checked = input.value === state.scale;
    write(waiting, found ? "" : (state.refusals.sensitivity ?? ""));
    section.classList.toggle("late", !found);
    if (!found && state.refusals.sensitivity) says.textContent = "";
    if (!found) return;
    const wanted = [found, state.scale, state.convention, width, height, details.open];
    if (wanted.every((one, i) => one === drawn[i])) return;
    drawn = wanted;
    write(says, tell(state, found));
    write(scaleSays, tellScale(state.scale));
    svg.innerHTML = draw(curvesOf(state, found), state, width, height);
    if (details.open) list(body, state, found);
    else body.replaceChildren(); // so that it never opens with what it listed before
  }

  for (const input of scales)
    input.addEventListener("change", () => store.update(setScale, /** @type {Scale} */ (input.value)));
  details.addEventListener("toggle", () => update(store.get()));
  new ResizeObserver(([{ contentRect }]) => {
    [width, height] = [contentRect.width, contentRect.height].map(Math.round);
    update(store.get());
  }).observe(svg);
  store.subscribe(update);
}

/** @param {State} state @param {Sensitivity} found */
function tell(state, found) {
  const most = listensTo(state);
  if (!most) return "";
  const { run, step } = state;
  const { text, value } = answer(run, step - 1);
  const what = run.y.kind === "softmax" ? `${text} (p = ${fixed(value)})` : text;
  const { gate, unit, t } = found.gate;
  const sign = turned(state, gate) ? -1 : 1;
  const of = layerOf(state).H === 1 ? "" : ` of unit ${unit}`;
  return (
    `At t = ${step} the output ${what} would move most with the input of t = ${most.step} (${run.tokens?.[most.step - 1] ?? "numbers"}): |∂y/⁠∂x| = ${brief(most.value)}. ` +
    `Of the gates ${gate}${of} at t = ${t} would matter most: ∂y/⁠∂${gate} = ${brief(sign * found.gate.value)}.`
  );
}

/** @param {Scale} scale */
const tellScale = (scale) =>
  scale === "absolute"
    ? "Derivatives as they are, on a logarithmic axis; a token’s tint is full at 1."
    : "Each curve over its own largest value, on a logarithmic axis; the token with the most has the full tint.";

/** @param {State} state @param {Sensitivity} found @returns {Curve[]} */
function curvesOf(state, { x_norm, z, r, h_norm, h_unit }) {
  const many = layerOf(state).H > 1;
  const named = [
    { name: "x", label: "∂y/∂x", values: x_norm },
    { name: "z", label: "∂y/∂z", values: z },
    { name: "r", label: "∂y/∂r", values: r },
    { name: "h", label: many ? `∂h${state.unit + 1}/∂h` : "∂h/∂h", values: h_unit },
    ...(many ? [{ name: "h layer", label: "‖∂h/∂h‖", values: h_norm }] : []),
  ];
  return named.map(({ values, ...curve }) => {
    const sizes = values.map(Math.abs);
    const most = state.scale === "normalised" ? Math.max(...sizes) || 1 : 1;
    return { ...curve, values: sizes.map((size) => size / most) };
  });
}

/**
 * The curves as SVG: steps right, powers of ten up, each named at its end.
 * @param {Curve[]} curves
 * @param {State} state
 * @param {number} width px
 * @param {number} height px
 */
function draw(curves, { run, step }, width, height) {
  const sizes = curves.flatMap(({ values }) => values.filter((value) => value > 0));
  if (sizes.length === 0)
    return `<text x="${MARGIN.left}" y="40" class="tick start">Everything is 0: nothing would move it.</text>`;
  const top = Math.ceil(Math.log10(Math.max(...sizes)) - 1e-9);
  const bottom = Math.max(Math.min(top - 1, Math.floor(Math.log10(Math.min(...sizes)))), top - MOST_DECADES);
  const [w, h] = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  const x = (/** @type {number} */ t) => MARGIN.left + ((t - 0.5) / run.T) * w;
  const y = (/** @type {number} */ value) => MARGIN.top + ((top - Math.log10(value)) / (top - bottom)) * h;
  const inside = (/** @type {number} */ value) => value >= 10 ** bottom * 0.999;
  const every = Math.ceil((top - bottom) / 6);
  const decades = Array.from({ length: top - bottom + 1 }, (_, i) => top - i).filter((_, i) => i % every === 0);
  const grid = decades.map(
    (decade) =>
      `<path class="rule" d="M${MARGIN.left} ${y(10 ** decade).toFixed(1)}h${w}"/><text class="tick" x="${MARGIN.left - 6}" y="${(y(10 ** decade) + 4).toFixed(1)}">${power(decade)}</text>`,
  );
  const ends = [1, ...(run.T > 1 ? [run.T] : [])].filter((t) => Math.abs(t - step) > run.T / 12);
  const ticks = [...ends, step].map(
    (t) => `<text class="tick middle" x="${x(t).toFixed(1)}" y="${height - 8}">${t === step ? `t = ${t}` : t}</text>`,
  );
  const cursor = `<path class="now" d="M${x(step).toFixed(1)} ${MARGIN.top}v${h}"/>`;
  const lines = curves.map(({ name, values }) => {
    const d = values.map((value, i) => inside(value) ? `${i && inside(values[i - 1]) ? "L" : "M"}${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}` : ""); // prettier-ignore
    const dots = values.length > MOST_DOTS ? [] : values.map((value, i) => inside(value) ? `<circle r="2" cx="${x(i + 1).toFixed(1)}" cy="${y(value).toFixed(1)}"/>` : ""); // prettier-ignore
    return `<g class="curve ${name}"><path d="${d.join("")}"/>${dots.join("")}</g>`;
  });
  const last = curves.map(({ name, label, values }) => {
    const at = values.findLast(inside);
    return {
      name,
      label: at === undefined ? `${label} = 0` : label,
      y: at === undefined ? height - MARGIN.bottom : y(at),
    };
  });
  return grid.join("") + cursor + lines.join("") + ticks.join("") + labels(last, x(step) + 8, height - MARGIN.bottom);
}

/** The curves' names beside their ends, moved apart so that each can be read. @param {{name: string, label: string, y: number}[]} ends @param {number} x @param {number} most */
function labels(ends, x, most) {
  let free = MARGIN.top;
  return ends
    .toSorted((a, b) => a.y - b.y)
    .map(({ name, label, y }, i, all) => {
      const place = Math.min(Math.max(y, free), most - (all.length - 1 - i) * ROOM_FOR_LABEL);
      free = place + ROOM_FOR_LABEL;
      return `<text class="curve ${name}" x="${x.toFixed(1)}" y="${(place + 4).toFixed(1)}">${label}</text>`;
    })
    .join("");
}

/** @param {HTMLElement} body @param {State} state @param {Sensitivity} found */
function list(body, state, { x_norm, z, r, h_unit, h_norm }) {
  const sign = turned(state, "z") ? -1 : 1;
  body.replaceChildren(
    ...x_norm.map((x, i) => {
      const numbers = [x, sign * z[i], r[i], h_unit[i], h_norm[i]].map(brief);
      return newRow([String(i + 1), state.run.tokens?.[i] ?? "", ...numbers]);
    }),
  );
}

/** A number of any size, short. @param {number} value */
function brief(value) {
  if (value === 0) return "0";
  if (Math.abs(value) >= 0.01 && Math.abs(value) < 1000) return fixed(value, Math.abs(value) < 0.1 ? 3 : 2);
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits.replace("-", "−")} × 10${superscript(Number(exponent))}`;
}

/** @param {number} exponent */
const superscript = (exponent) =>
  [...String(exponent)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");

/** A power of ten as an axis has it. @param {number} exponent */
const power = (exponent) => (exponent === 0 ? "1" : exponent === 1 ? "10" : `10${superscript(exponent)}`);
