/** The note that the numbers of a run depend on the program that computes them. It stays in a figure that hides everything else. */

/** @import { Store } from "../store.js" */
import { setText } from "../elements.js";

const NOTE =
  "This network is chaotic: from timestep to timestep it enlarges small differences. The numbers on this page come from your browser. Another program gives other numbers.";

/** @param {HTMLElement} place @param {Store} store */
export function mountChaotic(place, store) {
  store.subscribe(({ run }) => setText(place, run.chaotic ? NOTE : ""));
}
