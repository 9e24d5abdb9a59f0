/** The comparison of two sequences: the second one is on the same tape, and the pictures can show the differences between the two runs. */

/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { compareWith } from "../changes.js";
import { mountFold, setText } from "../elements.js";
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

  function open() {
    box.focus();
    actions.alter(compareWith, store.get().text);
    box.value = store.get().text;
    box.select();
  }

  function close() {
    box.blur();
    actions.alter(compareWith, "");
  }

  mountFold(opener, form, open, close);
  box.addEventListener("input", () => actions.alter(compareWith, box.value.trim()));
  difference.addEventListener("change", () => store.update(setDifference, difference.checked));
  store.subscribe(update);
}
