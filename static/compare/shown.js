/** The picker for the cells to show. A phone shows only the cell that the visitor touched last. */

/** @import { State } from "../state.js" */
/** @import { Store, StoreOf } from "../store.js" */
/** @import { Name } from "../facets.js" */
/** @import { Contest } from "./contest.js" */
import { findAll, setText } from "../elements.js";
import { attend } from "../facets.js";
import { openPage } from "../frame.js";
import { encode, linkTo } from "../link.js";
import { missed } from "../run.js";
import { note } from "../state.js";
import { added, toggle } from "./contest.js";

/**
 * Mount the picker for the cells, the fields for the task and the size of the networks, and the links to the Lab.
 * @param {HTMLElement} main
 * @param {StoreOf<Contest>} store
 * @param {Store} lead
 * @param {(contest: Contest, other: {task?: string, by?: string}) => string} addressOf
 * @param {string} home the address of the Lab, or "" if it is unknown
 */
export function mountShown(main, store, lead, addressOf, home) {
  const all = (/** @type {string} */ selector) => findAll(main, selector);
  const parts = all("[data-cell]");
  const boxes = /** @type {HTMLInputElement[]} */ (all("[name=cells]"));
  const tabs = /** @type {HTMLInputElement[]} */ (all("[name=at]"));
  const labs = /** @type {HTMLAnchorElement[]} */ (all("a.to-lab"));
  const score = all(".words .right");
  const fields = /** @type {HTMLInputElement[]} */ (all("[name=task], [name=by]"));
  const nameOf = (/** @type {HTMLElement} */ part) => /** @type {Name} */ (part.dataset.cell);
  const cellOf = (/** @type {HTMLElement} */ inside) => /** @type {HTMLElement} */ (inside.closest("[data-cell]"));
  for (const lab of labs) lab.hidden = home === "";

  store.subscribe(({ cells, shown, at }) => {
    main.dataset.at = at;
    for (const part of parts) {
      part.hidden = !shown.includes(nameOf(part));
      part.classList.toggle("at", nameOf(part) === at);
    }
    for (const box of boxes) box.checked = shown.includes(/** @type {Name} */ (box.value));
    for (const tab of tabs) {
      tab.checked = tab.value === at;
      /** @type {HTMLElement} */ (tab.closest("label")).hidden = !shown.includes(/** @type {Name} */ (tab.value));
    }
    for (const lab of labs) lab.href = home + encode(linkTo(cells[nameOf(cellOf(lab))]));
    for (const line of score) setText(line, tellRight(cells[nameOf(cellOf(line))]));
  });

  const say = (/** @type {string} */ reason) => lead.update(note, reason);
  for (const box of boxes)
    box.addEventListener("change", () => {
      const name = box.value;
      const contest = store.get();
      // This page has no data of the cell, so another page must show it.
      if (!contest.cells[name]) return openPage(addressOf({ ...contest, shown: added(contest, name) }, {}), [box], say);
      store.update(toggle, name);
      box.checked = store.get().shown.includes(name);
    });
  for (const tab of tabs) tab.addEventListener("change", () => store.update(attend, /** @type {Name} */ (tab.value)));
  for (const part of parts)
    for (const type of ["pointerdown", "focusin"])
      part.addEventListener(type, () => store.update(attend, nameOf(part)), { capture: true });

  // Another task, or networks of another size, need another page.
  for (const field of fields)
    field.addEventListener("change", () =>
      openPage(addressOf(store.get(), { [field.name]: field.value }), fields, say),
    );
}

/** Describe how many of the outputs so far are correct for the task. @param {State} state */
function tellRight({ run, received }) {
  if (!run.right) return "";
  const columns = run.right.slice(0, received).flatMap((right, column) => (right === null ? [] : [column]));
  const right = columns.filter((column) => missed(run, column) === "").length;
  return columns.length ? `${right} of ${columns.length} outputs correct` : "";
}
