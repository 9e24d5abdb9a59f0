/**
 * The switch between the two conventions for z, and the labels at the ends of the color scale of z. The browser tab stores the visitor's
 * choice, and first.js applies the choice on other pages. A lesson uses the convention of its text.
 */

/** @import { Store } from "../store.js" */
import { lesson, room } from "../boot.js";
import { mountChoice } from "../elements.js";
import { FOCUS, setConvention } from "../state.js";
import { writeStored } from "../storage.js";

/**
 * Store a convention for this tab, or remove the stored one if the convention is the default.
 * @param {import("../state.js").Convention} convention
 */
function remember(convention) {
  const { dataset } = document.documentElement;
  const isUsual = convention === FOCUS.convention;
  if (isUsual) delete dataset.chosen;
  else dataset.chosen = convention;
  writeStored("convention", isUsual ? null : convention, "sessionStorage");
}

/**
 * Mount the switch between the two conventions for z.
 * @param {HTMLElement} main the Lab, with the parts that name z
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
    if (!lesson && !room) remember(convention);
  });
}
