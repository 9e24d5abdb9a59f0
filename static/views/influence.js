/** The Influence view: the sensitivity of the output and of the state at the cursor, as background colors of the tokens and as curves. */

/** @import { Store } from "../store.js" */
/** @import { Scale, Sensitivity, State } from "../state.js" */
/** @import { Curve } from "../chart.js" */
import { cellOf, symbolOf } from "../cells.js";
import { brief, mountChart } from "../chart.js";
import { unitName } from "../directions.js";
import { finder, mountChoice, setSentence, setText } from "../elements.js";
import { listensTo, turned } from "../reading.js";
import { answer, fixed } from "../run.js";
import { detailAt, layerOf, setScale } from "../state.js";
import { tokenAt } from "../tokens.js";

const FAINTEST = 0.02; // fainter tints are not drawn

/**
 * Mount the Influence view.
 * @param {HTMLElement} section
 * @param {HTMLElement} tape with the tokens that are tinted
 * @param {Store} store
 */
export function mountInfluence(section, tape, store) {
  const find = finder(section);
  const [waiting, says, scaleSays] = [".waiting", ".says", ".scale-says"].map(find);
  const tokens = /** @type {HTMLElement} */ (tape.querySelector(".tokens ol"));
  const showScale = mountChoice(section, "[name=scale]", (scale) => store.update(setScale, scale));
  const chart = mountChart(section, () => update(store.get()));

  /** @param {State} state @param {Sensitivity | null} sensitivity */
  function tint(state, sensitivity) {
    const most = sensitivity && state.scale === "normalized" ? sensitivity.input.value : 1;
    tokens.classList.toggle("tinted", sensitivity !== null);
    for (let column = 0; column < tokens.childElementCount; column++) {
      const value = (sensitivity?.x_norm[column] ?? 0) / most;
      const share = value > FAINTEST ? Math.min(1, value) : 0;
      /** @type {HTMLElement} */ (tokens.children[column]).style.setProperty("--tint", share.toFixed(3));
    }
  }

  /** @param {State} state */
  function update(state) {
    const on = state.views.includes("influence");
    const sensitivity = on && state.step <= state.received ? detailAt(state, "sensitivity") : null;
    if (on || tokens.classList.contains("tinted")) tint(state, sensitivity);
    if (!on || state.step > state.received) return;
    showScale(state.scale);
    const refused = sensitivity ? "" : (state.refusals.sensitivity ?? "");
    setText(waiting, refused);
    section.classList.toggle("late", !sensitivity && !refused);
    section.classList.toggle("unavailable", Boolean(refused));
    if (!sensitivity) return;
    if (!chart.isNew(sensitivity, state.scale, state.convention)) return;
    says.ariaLive = state.playing ? "off" : "polite"; // as in the narration
    setSentence(says, tellInfluence(state, sensitivity));
    setText(scaleSays, tellScale(state.scale));
    const curves = curvesOf(state, sensitivity);
    // With one unit, the curve of the layer equals the curve of the unit.
    const drawn = curves.filter(({ name }) => layerOf(state).H > 1 || !name.endsWith(" layer"));
    chart.draw(drawn.map(scaled(state.scale)), state.run.T, state.step, state.run.tokens, curves);
  }

  store.subscribe(update);
}

/** Describe the largest gradients of the output at the cursor. @param {State} state @param {Sensitivity} sensitivity */
export function tellInfluence(state, sensitivity) {
  const most = listensTo(state);
  if (!most) return "";
  const { run, step } = state;
  const { text, value } = answer(run, step - 1);
  const what = run.y.kind === "softmax" ? `${text} (p = ${fixed(value)})` : text;
  const token = tokenAt(run, most.step);
  const input =
    most.value === 0
      ? `At t = ${step} all gradients of the output ${what} with respect to the inputs are 0.`
      : `At t = ${step} the output ${what} is most sensitive to the input at t = ${most.step} (${token}): |∂y/⁠∂x| = ${brief(most.value)}.`;
  if (!sensitivity.gate) return input;
  if (sensitivity.gate.value === 0) return `${input} All gradients with respect to the gates are 0 too.`;
  const { gate, unit, t } = sensitivity.gate;
  const owner = layerOf(state).H === 1 ? "" : ` of unit ${unitName(layerOf(state), unit - 1)}`;
  const derivative = brief(turned(state, gate) ? -sensitivity.gate.value : sensitivity.gate.value);
  return `${input} Among the gates, the output is most sensitive to ${gate}${owner} at t = ${t}: ∂y/⁠∂${gate} = ${derivative}.`;
}

/** @param {Scale} scale */
const tellScale = (scale) =>
  scale === "absolute"
    ? "The axis is logarithmic. On the tape every input with a gradient of 1 or more has the strongest color."
    : "Each curve is divided by its largest value. The axis is logarithmic. On the tape the input with the largest gradient has the strongest color.";

/**
 * Return the curves of two kinds of derivatives: the output with respect to the input and the unit's gates, and the unit's h with
 * respect to the layer's earlier states.
 * @param {State} state @param {Sensitivity} sensitivity
 * @returns {Curve[]}
 */
function curvesOf(state, sensitivity) {
  const layer = layerOf(state);
  const { gates, signals } = cellOf(layer);
  const many = layer.H > 1;
  const valuesOf = (/** @type {string} */ name) => /** @type {number[]} */ (sensitivity[/** @type {"z"} */ (name)]);
  const ofGates = Object.keys(sensitivity)
    .filter((name) => gates.includes(name))
    .map((gate) => ({
      name: gate,
      label: `∂y/∂${gate}`,
      head: `∂y/∂${gate}`,
      values: valuesOf(gate).map((value) => (turned(state, gate) ? -value : value)),
    }));
  const carried = signals.filter(({ name }) => valuesOf(`${name}_unit`)).toReversed(); // h first
  const ofStates = carried.flatMap(({ name }) => {
    const symbol = symbolOf(layer, name);
    const unit = {
      name,
      label: many ? `∂h${state.unit + 1}/∂${symbol}` : `∂h/∂${symbol}`,
      head: `|∂h/∂${symbol}| unit`,
    };
    const gain = {
      name: `${name} layer`,
      label: `∂h/∂${symbol}, all`,
      head: `∂h/∂${symbol}, root mean square over all units`,
    };
    const ofUnit = { ...unit, values: valuesOf(`${name}_unit`) };
    // With very many units there is no curve of the whole layer, because it would take too long to compute.
    return valuesOf(`${name}_gain`) ? [ofUnit, { ...gain, values: valuesOf(`${name}_gain`) }] : [ofUnit];
  });
  return [{ name: "x", label: "∂y/∂x", head: "|∂y/∂x|", values: sensitivity.x_norm }, ...ofGates, ...ofStates];
}

/**
 * Return a function that replaces a curve's values by absolute values, divided by the largest one if the scale is normalized.
 * @param {Scale} scale @returns {(curve: Curve) => Curve}
 */
const scaled = (scale) => (curve) => {
  const sizes = curve.values.map(Math.abs);
  const most = scale === "normalized" ? Math.max(...sizes) || 1 : 1;
  return { ...curve, values: sizes.map((size) => size / most) };
};
