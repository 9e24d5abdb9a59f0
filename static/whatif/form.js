/** The clamp form. It shows the chosen clamp, or a new clamp for the selected cells or for the cell at the cursor. */

/** @import { Clamp, Held } from "../run.js" */
/** @import { Range, State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { cellOf } from "../cells.js";
import { chooseClamp, setClamps, select } from "../changes.js";
import { finder } from "../elements.js";
import { converted } from "../reading.js";
import { fixed } from "../run.js";
import { FOCUS, layerIndex, layerOf } from "../state.js";
import { tellUnits } from "./text.js";

/**
 * Return the range of the clamp in the form: the chosen clamp, the selected cells, or the cell at the cursor. At the cursor, use the
 * gate of the last clamp.
 * @param {State} state @returns {Range}
 */
function rangeOf(state) {
  const { chosen, clamps, selection, unit, step } = state;
  if (chosen !== null) return clamps[chosen];
  const gate = clamps.at(-1)?.gate ?? FOCUS.gate;
  return selection ?? { gate, units: [unit + 1], from: step, to: step, layer: layerIndex(state) + 1 };
}

/**
 * Mount the clamp form.
 * @param {HTMLFormElement} form
 * @param {Store} store
 * @param {Update} alter changes the clamps and runs the model with them
 * @returns {(state: State) => void} a function that fills the form from a state
 */
export function mountForm(form, store, alter) {
  const find = finder(form);
  const fields = ["gate", "units", "from", "to", "value"].map((name) => find(`[name=${name}]`));
  const [gate, units, from, to, value] = /** @type {HTMLInputElement[]} */ (fields);
  const [output, button, cursorUnits] = ["output", "button", "[value=one]"].map(find);

  /** Set the slider's limits to the values at which a gate or a state can be clamped. @param {State} state @param {Held} name */
  function setBounds(state, name) {
    [value.min, value.max] = cellOf(layerOf(state)).holds[name].map(String);
  }

  const showValue = () => (output.textContent = fixed(Number(value.value)));

  /** Return the clamp that the form describes. @returns {Clamp} */
  function read() {
    const state = store.get();
    const { T } = state.run;
    const range = rangeOf(state);
    const steps = [from, to].map(({ valueAsNumber }) => Math.max(1, Math.min(T, Math.round(valueAsNumber) || 1)));
    const [first, last] = [Math.min(...steps), Math.max(...steps)];
    return {
      gate: gate.value,
      units: units.value === "all" ? null : (range.units ?? [state.unit + 1]),
      from: first,
      // A clamp from the first step to the last has no end, so it also covers a longer sequence.
      to: steps[0] === 1 && last === T && T > 1 ? null : last,
      value: converted(state, gate.value, Math.max(Number(value.min), Number(value.value))),
      layer: range.layer,
    };
  }

  form.addEventListener("input", ({ target }) => {
    const { clamps, chosen } = store.get();
    if (target === gate) setBounds(store.get(), gate.value);
    showValue();
    const clamp = read();
    const { value: _, ...range } = clamp;
    if (chosen !== null)
      alter(setClamps, clamps.with(chosen, clamp), chosen, target === value ? `value ${chosen}` : null);
    else if (target !== value) store.update(select, range);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { clamps, chosen } = store.get();
    if (chosen === null) alter(setClamps, [...clamps, read()], clamps.length);
    else store.update(chooseClamp, null);
  });

  return (state) => {
    const { clamps, chosen, run, unit } = state;
    const range = rangeOf(state);
    gate.value = range.gate;
    from.max = to.max = String(run.T);
    if (document.activeElement !== from) from.value = String(range.from);
    if (document.activeElement !== to) to.value = String(range.to ?? run.T);
    cursorUnits.textContent = tellUnits(range.units ?? [unit + 1]);
    units.value = range.units ? "one" : "all";
    setBounds(state, range.gate);
    if (chosen !== null) value.value = String(converted(state, range.gate, clamps[chosen].value));
    showValue();
    button.textContent = chosen === null ? "Clamp" : "New clamp";
  };
}
