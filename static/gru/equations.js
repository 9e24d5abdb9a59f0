/** The GRU’s four equations with this step's numbers in them. */

/** @import { Store } from "../store.js" */
import { write } from "../elements.js";
import { layerOf } from "../state.js";
import { equations, reading } from "./reading.js";

const RESETS = {
  before:
    "This model applies r before the product: r ⊙ h goes into U. After the product, as PyTorch and Keras do it, is " +
    "another function with other trained weights, so it is no choice of display.",
  after:
    "This model applies r after the product: it scales U h + c. Before the product, as in the source, is another " +
    "function with other trained weights, so it is no choice of display.",
};
const NAMES = {
  source: "z near 1 takes the candidate here; PyTorch and Keras call the same gate 1 − z. ",
  pytorch: "z is named as PyTorch and Keras do: near 1 it keeps the state. It is 1 minus the source's z, its sum that one's negative; h is the same. ", // prettier-ignore
};

/**
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountEquations(section, store) {
  const slots = [...section.querySelectorAll("[data-slot]")];
  /** The plus before a number: where the number is negative it becomes a minus. @type {Map<Element, Element | null>} */
  const pluses = new Map(
    slots.map((slot) => [slot, section.querySelector(`[data-plus="${slot.getAttribute("data-slot")}"]`)]),
  );
  const held = /** @type {HTMLElement[]} */ ([...section.querySelectorAll(".heldat")]);
  const relations = [...section.querySelectorAll("[data-relation]")];
  const footnote = /** @type {HTMLElement} */ (section.querySelector(".footnote"));
  const note = /** @type {HTMLElement} */ (section.querySelector(".note"));

  /** @param {Element} slot @param {string} number */
  function fill(slot, number) {
    const plus = pluses.get(slot);
    const negative = number.startsWith("−");
    if (plus) plus.textContent = negative ? "−" : "+";
    const factor = slot.classList.contains("factor");
    const text = negative && plus ? number.slice(1) : negative && factor ? `(${number})` : number;
    write(slot, text);
  }

  store.subscribe((state) => {
    if (state.step > state.received || !state.views.includes("equations")) return;
    const { slots: numbers, rounded } = equations(reading(state));
    for (const slot of slots) fill(slot, numbers[slot.getAttribute("data-slot") ?? ""]);
    for (const note of held) note.hidden = !note.lastElementChild?.textContent;
    for (const relation of relations) {
      write(relation, rounded.has(relation.getAttribute("data-relation") ?? "") ? "≈" : "=");
    }
    footnote.hidden = rounded.size === 0;
    write(note, NAMES[state.convention] + RESETS[layerOf(state).reset]);
  });
}
