/**
 * The factors of the old state and of the candidate at the cursor: f and i in the LSTM, 1 − z and z in the GRU. A slider clamps the
 * GRU's z at the cursor: both factors of the GRU then change together, because they depend on each other. The LSTM's factors are
 * independent and stay the same.
 */

/** @import { Update, Store } from "../store.js" */
/** @import { Clamp } from "../run.js" */
/** @import { State } from "../state.js" */
import { setClamps, clearChanges } from "../changes.js";
import { finder, setText } from "../elements.js";
import { converted } from "../reading.js";
import { fixed } from "../run.js";

/**
 * Mount the factors of both cells, and the slider that clamps the GRU's z.
 * @param {HTMLElement} section
 * @param {Store} lstm
 * @param {Store} gru
 * @param {{alter: Update}} actions on the GRU's state
 */
export function mountTies(section, lstm, gru, actions) {
  const find = finder(section);
  const slider = /** @type {HTMLInputElement} */ (find("[type=range]"));
  const [release, held] = ["button", ".held"].map(find);
  const bars = new Map(["f", "i", "keep", "take"].map((name) => [name, find(`[data-part-of=${name}]`)]));

  /** @param {string} name @param {number} value */
  function show(name, value) {
    const row = /** @type {HTMLElement} */ (bars.get(name));
    row.style.setProperty("--value", value.toFixed(3));
    setText(/** @type {Element} */ (row.querySelector("output")), fixed(value));
  }

  /** Show the sum of the two factors. In a GRU the sum is always 1. @param {string} where @param {number} sum */
  const total = (where, sum) =>
    setText(find(`[data-sum=${where}]`), `${where === "lstm" ? "f + i" : "sum"} = ${fixed(sum)}`);

  gru.subscribe((state) => {
    const [{ step, unit, received }, other] = [state, lstm.get()];
    if (step > received || step > other.received) return;
    const z = state.run.layers[0].rows.z[unit][step - 1];
    show("keep", 1 - z);
    show("take", z);
    const { f, i } = other.run.layers[0].rows;
    const lstmUnit = other.unit;
    show("f", f[lstmUnit][step - 1]);
    show("i", i[lstmUnit][step - 1]);
    total("lstm", f[lstmUnit][step - 1] + i[lstmUnit][step - 1]);
    total("gru", 1);
    setText(find("[data-unit=lstm]"), other.run.layers[0].H > 1 ? `unit ${lstmUnit + 1}` : "");
    setText(find("[data-unit=gru]"), state.run.layers[0].H > 1 ? `unit ${unit + 1}` : "");
    const shown = converted(state, "z", z);
    if (document.activeElement !== slider) slider.value = String(shown);
    slider.setAttribute("aria-valuetext", `z = ${fixed(shown)} at t = ${step}`);
    const { clamps } = state;
    release.hidden = clamps.length === 0;
    setText(held, clamps.map((clamp) => describe(state, clamp)).join("; "));
  });

  slider.addEventListener("input", () => {
    const state = gru.get();
    const { clamps, step, unit } = state;
    const value = converted(state, "z", Number(slider.value));
    const here = { gate: "z", units: [unit + 1], from: step, to: step, layer: 1 };
    const others = clamps.filter(
      (clamp) => clamp.from !== step || clamp.to !== step || clamp.units?.[0] !== unit + 1 || clamp.gate !== "z",
    );
    actions.alter(setClamps, [...others, { ...here, value }], null, `ties ${step} ${unit}`);
  });
  release.addEventListener("click", () => {
    actions.alter(clearChanges);
    slider.focus();
  });
}

/** Describe a clamp in words. @param {State} state @param {Clamp} clamp */
function describe(state, { gate, units, from, to, value }) {
  const steps = to === from ? `t = ${from}` : `t = ${from} to ${to ?? "the end"}`;
  return `${gate} of ${units ? `unit ${units.join(", ")}` : "all units"} clamped at ${fixed(converted(state, gate, value))} (${steps})`;
}
