/** The cell's equations with the numbers at the cursor's step. */

/** @import { State } from "../state.js" */
/** @import { Store } from "../store.js" */
import { findAll, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { deferred } from "../paint.js";
import { sampleSteps, workedAt } from "../reading.js";
import { layerIndex } from "../state.js";
import { createGuard } from "../store.js";

/**
 * The widths of characters in a wide font, as multiples of a digit's width. All other characters are as wide as a digit.
 * @type {Record<string, number>}
 */
const WIDTHS = { ".": 0.5, "−": 1.32, "(": 0.62, ")": 0.62 };
/** Return the width of a formatted number, as a multiple of a digit's width. @param {string} text */
const widthOf = (text) => [...text].reduce((width, character) => width + (WIDTHS[character] ?? 1), 0.05);

/**
 * Write the numbers at the cursor into the equations.
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountEquations(section, store) {
  const slots = [...section.querySelectorAll("[data-slot]")];
  /** The plus sign before each number. It becomes a minus sign if the number is negative. @type {Map<Element, Element | null>} */
  const pluses = new Map(
    slots.map((slot) => [slot, section.querySelector(`[data-plus="${slot.getAttribute("data-slot")}"]`)]),
  );
  const held = findAll(section, ".heldat");
  const relations = [...section.querySelectorAll("[data-relation]")];
  const footnote = /** @type {HTMLElement} */ (section.querySelector(".footnote"));
  const note = /** @type {HTMLElement} */ (section.querySelector(".note"));
  const waiting = /** @type {HTMLElement} */ (section.querySelector(".waiting"));

  const isNew = createGuard();

  /**
   * Return the text of a number for a slot. If the slot has a plus sign before it, omit a minus sign: `fill` writes the minus in place
   * of the plus. Otherwise put a negative factor in parentheses.
   * @param {Element} slot @param {string} number
   */
  function textOf(slot, number) {
    if (!number.startsWith("−")) return number;
    return pluses.get(slot) ? number.slice(1) : slot.classList.contains("factor") ? `(${number})` : number;
  }

  /** @param {Element} slot @param {string} number */
  function fill(slot, number) {
    const plus = pluses.get(slot);
    if (plus) setText(plus, number.startsWith("−") ? "−" : "+");
    setText(slot, textOf(slot, number));
  }

  /** Make each slot as wide as its widest number in the run. The equations then do not move while the cursor moves. */
  const reserve = deferred((/** @type {State} */ state) => {
    const widths = new Map();
    let rounds = false;
    for (const step of sampleSteps(state.received)) {
      const at = { ...state, step };
      const worked = workedAt(at);
      if (!worked) continue;
      const { slots: numbers, rounded } = ownOf(at).equations(at, worked);
      rounds ||= rounded.size > 0;
      for (const slot of slots) {
        const width = widthOf(textOf(slot, numbers[slot.getAttribute("data-slot") ?? ""]));
        widths.set(slot, Math.max(width, widths.get(slot) ?? 0));
      }
    }
    for (const [slot, width] of widths) slot.style.minWidth = `${width.toFixed(2)}ch`;
    footnote.hidden = !rounds;
  });

  store.subscribe((state) => {
    if (state.step > state.received || !state.views.includes("equations")) return;
    const worked = workedAt(state);
    setText(waiting, worked ? "" : (state.refusals.equations ?? ""));
    section.classList.toggle("late", !worked);
    if (!worked) return;
    const { run, received, unit, convention, details } = state;
    if (isNew(run, received, unit, layerIndex(state), convention, details.equations)) reserve(state);
    const { slots: numbers, rounded } = ownOf(state).equations(state, worked);
    for (const slot of slots) fill(slot, numbers[slot.getAttribute("data-slot") ?? ""]);
    for (const note of held) note.hidden = !note.lastElementChild?.textContent;
    for (const relation of relations) {
      setText(relation, rounded.has(relation.getAttribute("data-relation") ?? "") ? "≈" : "=");
    }
    footnote.style.visibility = rounded.size ? "" : "hidden";
    setText(note, ownOf(state).note(state));
  });
}
