/** The first screen for a newcomer: three suggestions, and the cursor at the timestep where the output first changes. */

/** @import { Store } from "../store.js" */
import { finder } from "../elements.js";
import { answer } from "../run.js";
import { FOCUS, change, goTo, setConvention } from "../state.js";
import { STEPPED, writeStored } from "../storage.js";

/**
 * Mount the first screen for a newcomer.
 * @param {HTMLElement | null} section null on a page that a link, a lesson or a room opened
 * @param {HTMLInputElement} sequence the box to type in
 * @param {Store} store
 */
export function mountNewcomer(section, sequence, store) {
  const { dataset } = document.documentElement;
  if (!section || dataset.newcomer === undefined) return;
  const find = finder(section);
  const { model } = store.get();
  const views = FOCUS.views.filter((view) => view !== "equations");
  const leave = () => {
    delete dataset.newcomer;
    writeStored(STEPPED, "yes");
    if (store.get().views === views) store.update(change, { views: FOCUS.views });
  };
  find("[data-do=type]").addEventListener("click", () => sequence.select());
  find("[data-do=turn]").addEventListener("click", () =>
    store.update(setConvention, store.get().convention === "source" ? "pytorch" : "source"),
  );
  find("[data-do=dismiss]").addEventListener("click", leave);
  store.update(change, { views });
  store.update(goTo, turn(store.get()));
  store.subscribe((state) => {
    if (dataset.newcomer !== undefined && state.model !== model) leave(); // the section describes the first model
  });
}

/** Return the first timestep at which the output changes, or 1 if the output never changes. @param {import("../state.js").State} state */
function turn({ run }) {
  const outputs = Array.from({ length: run.T }, (_, t) => answer(run, t).text);
  const first = outputs.findIndex((text) => text !== outputs[0]);
  return 1 + Math.max(0, first);
}
