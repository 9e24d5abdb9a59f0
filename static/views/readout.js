/** The cursor's numbers: one step of one unit, its gates with the sums behind them, and what the model answers. */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
import { GATES, SIGNALS, answer, fixed } from "../run.js";
import { topLayer } from "../state.js";

/**
 * Every number of the read-out, by the name of its slot.
 * @param {State} state
 * @returns {Record<string, string>}
 */
export function slotsOf(state) {
  const { step, unit, run } = state;
  const layer = topLayer(state);
  const column = step - 1;
  /** @type {Record<string, string>} */
  const slots = { t: String(step), unit: String(unit + 1), units: String(layer.H) };
  for (const signal of SIGNALS) slots[signal] = fixed(layer.rows[signal][unit][column], 3);
  for (const gate of GATES) {
    slots[`Wx.${gate}`] = fixed(layer.rows[`Wx.${gate}`][unit][column]);
    slots[`Uh.${gate}`] = fixed(layer.rows[`Uh.${gate}`][unit][column]);
    slots[`b.${gate}`] = fixed(layer.b[gate][unit]);
  }
  slots.h_prev = fixed(step === 1 ? layer.h0[unit] : layer.rows.h[unit][column - 1], 3);
  slots.x = run.tokens?.[column] ?? "numbers";
  slots.y = answer(run, column).text;
  return slots;
}

/** @param {Record<string, string>} slots */
export function narration(slots) {
  const unit = slots.units === "1" ? "The unit" : `Unit ${slots.unit} of ${slots.units}`;
  return (
    `At t = ${slots.t} the input is ${slots.x}. ${unit} has r ${slots.r} and z ${slots.z}; its candidate is ` +
    `${slots.h_tilde}, and its state goes from ${slots.h_prev} to ${slots.h}. The output is ${slots.y}.`
  );
}

/**
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountReadout(section, store) {
  /** @type {[HTMLElement, string][]} */
  const places = [...section.querySelectorAll("[data-slot]")].map((place) => [
    /** @type {HTMLElement} */ (place),
    place.getAttribute("data-slot") ?? "",
  ]);
  const live = /** @type {HTMLElement} */ (section.querySelector("[role=status]"));
  const answers = /** @type {HTMLElement} */ (section.querySelector(".answers"));

  store.subscribe((state) => {
    if (state.step > state.received) return; // not come yet
    const slots = slotsOf(state);
    for (const [place, name] of places) {
      if (place.textContent !== slots[name]) place.textContent = slots[name];
    }
    // A screen reader that is read every step of a playing tape can say nothing else.
    live.setAttribute("aria-live", state.playing ? "off" : "polite");
    const said = narration(slots);
    if (live.textContent !== said) live.textContent = said;
    showAnswers(answers, state);
  });
}

/** @param {HTMLElement} list @param {State} state */
function showAnswers(list, { run, step }) {
  list.hidden = run.y.kind === "linear";
  if (list.hidden) return;
  while (list.childElementCount > run.y.labels.length) list.lastElementChild?.remove();
  while (list.childElementCount < run.y.labels.length) {
    const item = document.createElement("li");
    item.append(document.createElement("span"), document.createElement("i"), document.createElement("b"));
    list.append(item);
  }
  run.y.labels.forEach((label, i) => {
    const [name, bar, number] = list.children[i].children;
    const value = run.outputs[i][step - 1];
    name.textContent = label;
    /** @type {HTMLElement} */ (bar).style.setProperty("--value", String(Number.isNaN(value) ? 0 : value));
    number.textContent = fixed(value, 3);
  });
}
