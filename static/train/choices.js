/** The task picker and the cell picker. A new choice opens another page. */

/** @import { Name } from "../facets.js" */
/** @import { StoreOf } from "../store.js" */
/** @import { Studio } from "./studio.js" */
import * as api from "../api.js";
import { findAll } from "../elements.js";
import { NAMES, attend } from "../facets.js";
import { openPage } from "../frame.js";
import { OWN, addressOf, addressOfTraining, recipeFor } from "./link.js";
import { mountOwn } from "./own.js";
import { bodyOf, initial } from "./recipe.js";
import { namesOf, setMessage } from "./studio.js";

/**
 * Mount the task picker and the cell picker.
 * @param {HTMLElement} main
 * @param {HTMLDialogElement} dialog for the visitor's own table
 * @param {StoreOf<Studio>} store
 */
export function mountChoices(main, dialog, store) {
  const boxes = /** @type {HTMLInputElement[]} */ (findAll(main, "[name=cells]"));
  const select = /** @type {HTMLSelectElement} */ (main.querySelector("[name=task]"));

  const goTo = (/** @type {string} */ address) =>
    openPage(address, [select, ...boxes], (reason) => store.update(setMessage, reason));

  for (const box of boxes)
    box.addEventListener("change", () => {
      const chosen = NAMES.filter((name) => boxes.some(({ value, checked }) => checked && value === name));
      if (chosen.length === 0) box.checked = true;
      else if (initial.task === OWN) trainOwn(/** @type {Name} */ (box.checked ? box.value : chosen[0]));
      else goTo(addressOf(store.get(), chosen));
    });
  select.addEventListener("change", () => {
    const task = select.value;
    const names = String(namesOf(store.get()));
    if (task !== OWN) return goTo(`?task=${task}${names === "gru" ? "" : `&cells=${names}`}`);
    select.value = initial.task;
    dialog.showModal();
  });
  mountOwn(dialog, (id) => goTo(addressOfTraining(id)));

  /** Start a training of another cell on the visitor's table. @param {Name} cell */
  async function trainOwn(cell) {
    try {
      const { id } = await api.train(bodyOf(recipeFor(store.get(), cell)));
      goTo(addressOfTraining(id));
    } catch (error) {
      store.update(setMessage, /** @type {Error} */ (error).message);
    }
  }
}

/** Mount the tabs for a phone, which shows only one tape at a time. @param {HTMLElement} main @param {StoreOf<Studio>} store */
export function mountTabs(main, store) {
  const tabs = /** @type {HTMLInputElement[]} */ (findAll(main, "[name=at]"));
  store.subscribe(({ at }) => {
    main.dataset.at = at;
    for (const name of namesOf(store.get())) main.querySelector(`#tape-${name}`)?.classList.toggle("at", name === at);
    for (const tab of tabs) tab.checked = tab.value === at;
  });
  for (const tab of tabs) tab.addEventListener("change", () => store.update(attend, /** @type {Name} */ (tab.value)));
}
