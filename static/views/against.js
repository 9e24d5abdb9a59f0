/** The comparison of two sequences: the second one is on the same tape, and the pictures can show the differences between the two runs. */

/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { compareWith } from "../changes.js";
import { setText } from "../elements.js";
import { setDifference } from "../state.js";
import { tellEffect } from "../words.js";

/**
 * Mount the form for the second sequence.
 * @param {HTMLElement} opener
 * @param {HTMLFormElement} form
 * @param {Store} store
 * @param {{alter: Update}} actions
 */
export function mountAgainst(opener, form, store, actions) {
  const box = /** @type {HTMLInputElement} */ (form.querySelector("[type=text]"));
  const difference = /** @type {HTMLInputElement} */ (form.querySelector("[type=checkbox]"));
  const effect = /** @type {HTMLElement} */ (form.querySelector("[role=status]"));

  /** @param {State} state */
  function update(state) {
    const { against = "", run } = state;
    const open = against !== "" || (document.activeElement === box && !form.hidden);
    opener.hidden = open;
    form.hidden = !open;
    if (box.value !== against && document.activeElement !== box) box.value = against;
    difference.checked = state.difference;
    setText(effect, against && run.against ? tellEffect(state) : "");
  }

  opener.addEventListener("click", () => {
    form.hidden = false;
    box.focus();
    actions.alter(compareWith, store.get().text);
    box.value = store.get().text;
    box.select();
  });
  box.addEventListener("input", () => actions.alter(compareWith, box.value.trim()));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("[data-do=close]")?.addEventListener("click", () => {
    box.blur();
    actions.alter(compareWith, "");
    opener.hidden = false; // a hidden button takes no focus
    opener.focus();
  });
  difference.addEventListener("change", () => store.update(setDifference, difference.checked));
  store.subscribe(update);
}
