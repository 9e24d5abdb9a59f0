/** The note that a chaotic network's numbers depend on the program that computes them. An embedded figure always shows this note. */

/** @import { Store } from "../store.js" */
import { setText } from "../elements.js";

const NOTE =
  "This network is chaotic: from timestep to timestep it enlarges small differences. The numbers on this page come from your browser. Another program gives other numbers.";

/** Mount the note about chaotic networks. @param {HTMLElement} place @param {Store} store */
export function mountChaotic(place, store) {
  store.subscribe(({ run }) => setText(place, run.chaotic ? NOTE : ""));
}
