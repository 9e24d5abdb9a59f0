/** Influence: the sensitivity of the output and the state at the cursor, as tints of the tokens and as curves. */

/** @import { Store } from "../store.js" */
/** @import { Scale, Sensitivity, State } from "../state.js" */
/** @import { Curve } from "../chart.js" */
import { cellOf, symbolOf } from "../cells.js";
import { brief, drawCurves, listCurves } from "../chart.js";
import { setText } from "../elements.js";
import { listensTo, turned } from "../reading.js";
import { answer, fixed } from "../run.js";
import { detailAt, layerOf, setScale } from "../state.js";

const FAINTEST = 0.02; // a fainter tint is left out

/**
 * @param {HTMLElement} section
 * @param {HTMLElement} tape whose tokens are tinted
 * @param {Store} store
 */
export function mountInfluence(section, tape, store) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const [waiting, says, svg, scaleSays, table] = [".waiting", ".says", "svg", ".scale-says", "table"].map(find);
  const tokens = /** @type {HTMLElement} */ (tape.querySelector(".tokens ol"));
  const scales = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll("[name=scale]")]);
  const details = /** @type {HTMLDetailsElement} */ (find("details"));
  let [width, height] = [0, 0];
  /** @type {unknown[]} */
  let drawn = [];

  /** @param {State} state @param {Sensitivity | null} found */
  function tint(state, found) {
    const most = found && state.scale === "normalized" ? found.input.value : 1;
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
    setText(waiting, found ? "" : (state.refusals.sensitivity ?? ""));
    section.classList.toggle("late", !found);
    if (!found && state.refusals.sensitivity) says.textContent = "";
    if (!found) return;
    const wanted = [found, state.scale, state.convention, width, height, details.open];
    if (wanted.every((one, i) => one === drawn[i])) return;
    drawn = wanted;
    says.ariaLive = state.playing ? "off" : "polite"; // as in the narration
    setText(says, tell(state, found));
    setText(scaleSays, tellScale(state.scale));
    const curves = curvesOf(state, found);
    // Of one unit, the layer's curve is that of the unit once more.
    const drawing = curves.filter(({ name }) => layerOf(state).H > 1 || !name.endsWith(" layer"));
    svg.innerHTML = drawCurves(drawing.map(scaled(state.scale)), state.run.T, state.step, width, height);
    if (details.open) listCurves(table, curves, state.run.tokens);
    else table.replaceChildren(); // so that it never opens with what it listed before
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
  const token = run.tokens?.[most.step - 1] ?? "numbers";
  if (most.value === 0) return `At t = ${step} all gradients of the output ${what} with respect to the inputs are 0.`;
  const input = `At t = ${step} the output ${what} is most sensitive to the input at t = ${most.step} (${token}): |∂y/⁠∂x| = ${brief(most.value)}.`;
  if (!found.gate) return input;
  const { gate, unit, t } = found.gate;
  const of = layerOf(state).H === 1 ? "" : ` of unit ${unit}`;
  const derivative = brief(turned(state, gate) ? -found.gate.value : found.gate.value);
  return `${input} Among the gates, the output is most sensitive to ${gate}${of} at t = ${t}: ∂y/⁠∂${gate} = ${derivative}.`;
}

/** @param {Scale} scale */
const tellScale = (scale) =>
  scale === "absolute"
    ? "The axis is logarithmic. On the tape every input with a gradient of 1 or more has the strongest color."
    : "Each curve is divided by its largest value. The axis is logarithmic. On the tape the input with the largest gradient has the strongest color.";

/**
 * The derivatives of the output by the input and by the unit's gates, and of the unit's h by what the layer carries.
 * @param {State} state @param {Sensitivity} found
 * @returns {Curve[]}
 */
function curvesOf(state, found) {
  const layer = layerOf(state);
  const { gates, signals } = cellOf(layer);
  const many = layer.H > 1;
  const by = (/** @type {string} */ name) => /** @type {number[]} */ (found[/** @type {"z"} */ (name)]);
  const ofGates = Object.keys(found).filter((name) => gates.includes(name)).map((gate) => ({
    name: gate,
    label: `∂y/∂${gate}`,
    head: `∂y/∂${gate}`,
    values: by(gate).map((value) => (turned(state, gate) ? -value : value)),
  }));
  const carried = signals.filter(({ name }) => by(`${name}_unit`)).toReversed(); // h first
  const ofStates = carried.flatMap(({ name }) => {
    const symbol = symbolOf(layer, name);
    const unit = { name, label: many ? `∂h${state.unit + 1}/∂${symbol}` : `∂h/∂${symbol}`, head: `|∂h/∂${symbol}| unit` };
    const whole = { name: `${name} layer`, label: `‖∂h/∂${symbol}‖`, head: `‖∂h/∂${symbol}‖ layer` };
    return [
      { ...unit, values: by(`${name}_unit`) },
      { ...whole, values: by(`${name}_norm`) },
    ];
  });
  return [{ name: "x", label: "∂y/∂x", head: "|∂y/∂x|", values: found.x_norm }, ...ofGates, ...ofStates];
}

/** The sizes of a curve's values, or each over its largest. @param {Scale} scale @returns {(curve: Curve) => Curve} */
const scaled = (scale) => (curve) => {
  const sizes = curve.values.map(Math.abs);
  const most = scale === "normalized" ? Math.max(...sizes) || 1 : 1;
  return { ...curve, values: sizes.map((size) => size / most) };
};
