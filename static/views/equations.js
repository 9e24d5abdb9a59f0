/** The cell's equations with the numbers at the cursor's step. */

/** @import { Store } from "../store.js" */
import { findAll, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { workedAt } from "../reading.js";

/**
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

  /** @param {Element} slot @param {string} number */
  function fill(slot, number) {
    const plus = pluses.get(slot);
    const negative = number.startsWith("−");
    if (plus) plus.textContent = negative ? "−" : "+";
    const factor = slot.classList.contains("factor");
    const text = negative && plus ? number.slice(1) : negative && factor ? `(${number})` : number;
    setText(slot, text);
  }

  store.subscribe((state) => {
    if (state.step > state.received || !state.views.includes("equations")) return;
    const worked = workedAt(state);
    setText(waiting, worked ? "" : (state.refusals.equations ?? ""));
    section.classList.toggle("late", !worked);
    if (!worked) return;
    const { slots: numbers, rounded } = ownOf(state).equations(state, worked);
    for (const slot of slots) fill(slot, numbers[slot.getAttribute("data-slot") ?? ""]);
    for (const note of held) note.hidden = !note.lastElementChild?.textContent;
    for (const relation of relations) {
      setText(relation, rounded.has(relation.getAttribute("data-relation") ?? "") ? "≈" : "=");
    }
    footnote.hidden = rounded.size === 0;
    setText(note, ownOf(state).note(state));
  });
}
