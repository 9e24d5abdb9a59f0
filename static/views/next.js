/** What to do next, in one line, until it was done once on this device. */

/** @import { Store } from "../store.js" */

const KEY = "stepped";

/**
 * @param {HTMLElement | null} line there is none in an embedded or a saved page
 * @param {Store} store
 */
export function mountNext(line, store) {
  if (!line || known()) return;
  const { step } = store.get();
  line.hidden = false;
  const done = () => {
    if (line.hidden) return;
    line.hidden = true;
    try {
      localStorage.setItem(KEY, "yes");
    } catch {
      // Storage can be forbidden; the line then comes back with the next visit.
    }
  };
  line.querySelector("button")?.addEventListener("click", done);
  store.subscribe((state) => {
    if (state.playing || state.step !== step) done();
  });
}

function known() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
