/** A line that suggests the next action, until the visitor has done this action once on this device. */

/** @import { Store } from "../store.js" */
import { STEPPED, readStored, writeStored } from "../storage.js";

/**
 * Mount the line that suggests the next action, until the visitor has done this action.
 * @param {HTMLElement | null} line line null in an embedded or a saved page
 * @param {Store} store
 */
export function mountNext(line, store) {
  if (!line || readStored(STEPPED) !== null) return;
  const { step } = store.get();
  line.hidden = false;
  // The line keeps its place, so that nothing moves at the first step.
  const hide = () => {
    if (line.classList.contains("done")) return;
    line.classList.add("done");
    writeStored(STEPPED, "yes"); // without storage the line comes back on the next visit
  };
  line.querySelector("button")?.addEventListener("click", hide);
  store.subscribe((state) => {
    if (state.playing || state.step !== step) hide();
  });
}
