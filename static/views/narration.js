/** The description of the cursor's step in words, with the output. */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
import { finder, newElement, setLength } from "../elements.js";
import { ownOf } from "../own.js";
import { placeAt } from "../reading.js";
import { fixed, isSkipped } from "../run.js";
import { tellSkipped } from "../words.js";

/**
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountNarration(section, store) {
  const [live, answers] = ["[role=status]", ".answers"].map(finder(section));

  store.subscribe((state) => {
    if (state.step > state.received) return; // not come yet
    // While the tape plays, reading out every step would leave a screen reader no time for anything else.
    live.setAttribute("aria-live", state.playing ? "off" : "polite");
    say(live, state);
    showAnswers(answers, state);
  });
}

/** @param {HTMLElement} live @param {State} state */
function say(live, state) {
  const skipped = isSkipped(state.run, state.step);
  const phrases = skipped ? tellSkipped(state, placeAt(state, state.unit)) : ownOf(state).narrate(state);
  if (live.textContent === phrases.map(({ text }) => text).join("")) return;
  live.replaceChildren(
    ...phrases.map(({ text, about: signal }) => {
      if (!signal) return text;
      const span = newElement("span", { textContent: text, className: signal });
      span.dataset.about = signal;
      const lit = /** @type {HTMLElement} */ (live.closest("[data-lit]"))?.dataset.lit ?? "";
      span.classList.toggle("lit", lit.split(".")[0] === signal);
      return span;
    }),
  );
}

/** @param {HTMLElement} list @param {State} state */
function showAnswers(list, { run, step }) {
  list.hidden = run.y.labels.length === 1;
  if (list.hidden) return;
  const values = run.outputs.map((row) => row[step - 1]);
  const most = run.y.kind === "softmax" ? 1 : Math.max(...values.map(Math.abs)) || 1;
  setLength(list, run.y.labels.length, () =>
    newElement(
      "li",
      {},
      ["span", "i", "b"].map((tag) => newElement(tag)),
    ),
  );
  run.y.labels.forEach((label, i) => {
    const [name, bar, number] = list.children[i].children;
    name.textContent = label;
    /** @type {HTMLElement} */ (bar).style.setProperty("--value", String(Math.abs(values[i]) / most || 0));
    number.textContent = fixed(values[i]);
  });
}
