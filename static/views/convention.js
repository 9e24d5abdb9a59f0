/**
 * The switch between the two conventions for z, and the labels at the ends of the color scale of z. The visitor's choice stays for
 * this tab, and first.js takes it along to other pages. The text of a lesson has a convention of its own.
 */

/** @import { Store } from "../store.js" */
import { lesson, room } from "../boot.js";
import { mountChoice } from "../elements.js";
import { FOCUS, setConvention } from "../state.js";
import { writeStored } from "../storage.js";

/** Store a convention for this tab, unless it is the usual one. @param {import("../state.js").Convention} convention */
function remember(convention) {
  const { dataset } = document.documentElement;
  const isUsual = convention === FOCUS.convention;
  if (isUsual) delete dataset.chosen;
  else dataset.chosen = convention;
  writeStored("convention", isUsual ? null : convention, "sessionStorage");
}

/**
 * Mount the switch of the direction of z.
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
    if (!lesson && !room) remember(convention);
  });
}
