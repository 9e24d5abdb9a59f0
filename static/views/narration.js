/**
 * The description of the cursor's timestep in words, with the output. Invisible copies of the run's longest descriptions reserve the
 * height, because the views below must not move when the cursor moves.
 */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
/** @import { Phrase } from "../words.js" */
import { isChanged } from "../changes.js";
import { finder, newElement, setLength, setSentence, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { deferred } from "../paint.js";
import { placeAt, sampleSteps } from "../reading.js";
import { drawnAt, fixed, isExact, isSkipped } from "../run.js";
import { layerIndex, layerOf } from "../state.js";
import { createGuard } from "../store.js";
import { tellSkipped } from "../words.js";

const RESERVED = 24; // invisible descriptions; more than one, because the longest text need not have the most lines
const MOST_BARS = 8;
const MOST_ROWS = 16; // probabilities that are drawn over all timesteps
const MOST_DRAWN = 200; // timesteps of a picture of probabilities

/**
 * Mount the description of the timestep at the cursor.
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountNarration(section, store) {
  const [live, answers] = ["[role=status]", ".answers"].map(finder(section));
  const longest = Array.from({ length: RESERVED }, () => newElement("p", { className: "longest", ariaHidden: "true" }));
  const [isNew, isNewRun, isNewPicture] = [createGuard(), createGuard(), createGuard()];
  const reserveLongest = deferred((/** @type {State} */ state) => reserve(longest, longestOf(state)));
  let quiet = 0; // the timestep at which “What if” has already described the run
  live.after(...longest);

  store.subscribe((state) => {
    if (state.step > state.received) return; // the timestep has not arrived yet
    showAnswers(answers, state, isNewPicture);
    if (!isExact(layerOf(state), state.unit)) {
      live.textContent = state.refusals.rows ?? "";
      return;
    }
    const isSpokenOf = state.views.includes("whatif") && (isChanged(state) || state.redo.length > 0);
    if (isNewRun(state.run)) quiet = isSpokenOf ? state.step : 0;
    if (quiet !== state.step) quiet = 0;
    // While the tape plays, reading out every step would leave a screen reader no time for anything else.
    live.setAttribute("aria-live", state.playing || quiet ? "off" : "polite");
    say(live, state);
    if (isNew(state.run, state.received === state.run.T, state.unit, layerIndex(state), state.convention))
      reserveLongest(state);
  });
}

/** Describe the cursor's timestep. @param {State} state */
const tell = (state) =>
  isSkipped(state.run, state.step) ? tellSkipped(state, placeAt(state, state.unit)) : ownOf(state).narrate(state);

/** @param {readonly Phrase[]} phrases */
const textOf = (phrases) => phrases.map(({ text }) => text).join("");

/**
 * Return the description with 0 in place of each number and single letter. Similar timesteps have the same result.
 * @param {readonly Phrase[]} phrases
 */
const shapeOf = (phrases) => textOf(phrases).replace(/\d+|\b\w\b/g, "0");

/**
 * Return the longest descriptions of the timesteps that have arrived, at most `RESERVED`. Up to half of them are the longest of each
 * shape, because descriptions of different shapes break into lines at different places.
 * @param {State} state
 */
function longestOf(state) {
  const all = sampleSteps(state.received).map((step) => tell({ ...state, step }));
  const sorted = all.toSorted((a, b) => textOf(b).length - textOf(a).length);
  const shapes = sorted.map(shapeOf);
  const ofEachShape = sorted.filter((_, i) => shapes.indexOf(shapes[i]) === i).slice(0, RESERVED / 2);
  return [...new Set([...ofEachShape, ...sorted])].slice(0, RESERVED);
}

/**
 * Put each description into one of the paragraphs. A paragraph that already contains one of the descriptions stays unchanged, because
 * an edit of the sequence changes only a few descriptions.
 * @param {HTMLElement[]} paragraphs @param {(readonly Phrase[])[]} descriptions
 */
function reserve(paragraphs, descriptions) {
  const missing = new Map(descriptions.map((phrases) => [textOf(phrases), phrases]));
  const free = paragraphs.filter(({ textContent }) => !missing.delete(textContent ?? ""));
  const added = [...missing.values()];
  free.forEach((paragraph, i) => write(paragraph, added[i] ?? []));
}

/**
 * Write a description into an element, with a span for each phrase. Existing spans are reused.
 * @param {HTMLElement} element @param {readonly Phrase[]} phrases
 */
function write(element, phrases) {
  if (element.firstChild instanceof Text) element.textContent = ""; // remove a message
  setLength(element, phrases.length, () => newElement("span"));
  phrases.forEach(({ text, term = "" }, i) => {
    const span = element.children[i];
    if (!term) span.removeAttribute("class");
    else if (span.className !== term) span.className = term;
    setSentence(span, text);
  });
}

/** @param {HTMLElement} live @param {State} state */
function say(live, state) {
  const phrases = tell(state);
  if (live.textContent === textOf(phrases)) return;
  write(live, phrases);
  const root = /** @type {HTMLElement | null} */ (live.closest("[data-lit]"));
  const [lit] = (root?.dataset.lit ?? "").split(".");
  phrases.forEach(({ term }, i) => {
    const { classList, dataset } = /** @type {HTMLElement} */ (live.children[i]);
    if (!term) delete dataset.term;
    else if (dataset.term !== term) dataset.term = term;
    if (term) classList.toggle("lit", term === lit);
  });
}

/**
 * Show the outputs: up to 8 outputs as bars in their usual order, 9 to 16 probabilities as a picture over all timesteps, and otherwise
 * the 8 largest outputs as bars.
 * @param {HTMLElement} list @param {State} state @param {ReturnType<typeof createGuard>} isNewPicture
 */
function showAnswers(list, { run, step, received }, isNewPicture) {
  const drawn = drawnAt(run, step);
  list.hidden = run.y.sent === 1;
  if (list.hidden) return;
  const names = run.likeliest[step - 1] ?? run.y.labels;
  const sizes = run.outputs.map((row) => Math.abs(row[step - 1]));
  const most = run.y.kind === "softmax" ? 1 : Math.max(...sizes) || 1;
  const isLong = names.length > MOST_BARS;
  // With very many outputs, the likeliest ones differ from timestep to timestep, so no row belongs to a single output.
  const isSame = run.y.kind === "softmax" && !run.likeliest[step - 1];
  const isPicture = isLong && names.length <= MOST_ROWS && isSame && run.T <= MOST_DRAWN;
  const isChanged = isNewPicture(run, received, isPicture);
  const all = [...sizes.keys()];
  const shown = isLong && !isPicture ? all.sort((i, j) => sizes[j] - sizes[i]).slice(0, MOST_BARS) : all;
  const place = drawn ? names.indexOf(drawn) : -1;
  if (place >= 0 && !shown.includes(place)) shown.splice(-1, 1, place);
  list.classList.toggle("largest", isLong && !isPicture);
  list.classList.toggle("picture", isPicture);
  list.style.setProperty("--steps", String(run.T));
  list.style.setProperty("--at", String(step - 1));
  const best = sizes.indexOf(Math.max(...sizes));
  setLength(list, shown.length, () =>
    newElement(
      "li",
      {},
      ["span", "i", "b"].map((tag) => newElement(tag)),
    ),
  );
  shown.forEach((i, row) => {
    const item = /** @type {HTMLElement} */ (list.children[row]);
    const [name, bar, number] = item.children;
    setText(name, names[i]);
    item.classList.toggle("best", isPicture && i === best);
    item.classList.toggle("drawn", i === place);
    item.title = i === place ? "drawn as the next input" : "";
    /** @type {HTMLElement} */ (bar).style.setProperty("--value", String(sizes[i] / most || 0));
    if (isChanged) {
      const picture = isPicture ? shadesOf(run.outputs[i], run.T, received) : "";
      /** @type {HTMLElement} */ (bar).style.setProperty("--picture", picture);
    }
    setText(number, fixed(run.outputs[i][step - 1]));
  });
}

/**
 * Return a CSS background with a cell for each timestep: the likelier the output, the darker the cell.
 * @param {ArrayLike<number>} row @param {number} T @param {number} received
 */
function shadesOf(row, T, received) {
  const cells = Array.from({ length: T }, (_, t) => {
    const share = t < received ? Math.round(100 * row[t]) : 0;
    const shade = `color-mix(in srgb, var(--ink) ${share}%, var(--paper))`;
    return `${shade} ${((100 * t) / T).toFixed(2)}% ${((100 * (t + 1)) / T).toFixed(2)}%`;
  });
  return `linear-gradient(to right, ${cells.join(", ")})`;
}
