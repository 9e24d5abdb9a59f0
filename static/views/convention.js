/** The switch between the two conventions for z, and the labels at the ends of the color scale of z. */

/** @import { Store } from "../store.js" */
import { mountChoice } from "../elements.js";
import { setConvention } from "../state.js";

/**
 * @param {HTMLElement} main the lab: every part of it that names z is updated
 * @param {Store} store
 */
export function mountConvention(main, store) {
  const showChoice = mountChoice(main, "[name=convention]", (convention) => store.update(setConvention, convention));
  const ends = [...main.querySelectorAll(".signal.z .ends span:not(.bar)")];
  const words = ends.map((end) => end.textContent);

  store.subscribe(({ convention }) => {
    const { dataset } = document.body;
    if (dataset.convention === convention) return;
    dataset.convention = convention;
    showChoice(convention);
    const named = convention === "source" ? words : words.toReversed();
    ends.forEach((end, i) => (end.textContent = named[i]));
  });
}
