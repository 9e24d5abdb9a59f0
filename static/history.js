/**
 * Keeps the address equal to the view. A change of the model, the views or the convention adds an entry to the browser's history.
 * Moving the cursor, and more typing, only change the current entry.
 */

/** @import { Store, StoreOf } from "./store.js" */
/** @import { Focus } from "./state.js" */
/** @import { Link } from "./link.js" */
import { frameKeys } from "./frame.js";
import { LONGEST, decode, encode, linkTo, writeScenario } from "./link.js";

const SETTLED = 300; // ms after which a change is written

/** The parts of a focus that add an entry to the history when they change. @type {(keyof Focus)[]} */
const PLACE = ["layer", "views", "zoom", "gate", "table", "convention", "rows", "scale"];

/**
 * An entry of the history: its address, its place, and its scenario; `typed`: whether typing made the entry.
 * @typedef {{query: string, place: string, scenario: string, typed: boolean}} Entry
 */

/** Return the entry of a link. @param {Link} link @returns {Entry} */
export const entryOf = (link) => ({
  query: encode(link),
  place: JSON.stringify([link.model, PLACE.map((part) => link.focus[part])]),
  scenario: writeScenario(link),
  typed: false,
});

/**
 * Return how the history changes from its current entry to the next view; null if the address stays the same. More typing changes
 * the entry that typing has made.
 * @param {Entry} current @param {Entry} next @param {boolean} typing whether the visitor is in the sequence box
 * @returns {{how: "pushState" | "replaceState", entry: Entry} | null}
 */
export function changeOf(current, next, typing) {
  if (next.query === current.query) return null;
  const [moved, edited] = [next.place !== current.place, next.scenario !== current.scenario];
  const typed = typing && edited && !moved;
  const push = moved || (edited && !(typed && current.typed));
  return { how: push ? "pushState" : "replaceState", entry: { ...next, typed: push ? typed : current.typed } };
}

/**
 * @param {Store} store
 * @param {() => string} address the address as it is now
 * @param {(link: Link) => Promise<void>} open follows a link
 */
export function mountHistory(store, address, open) {
  let current = entryOf(linkTo(store.get()));
  /** @type {number | undefined} */
  let timer;
  // The address is written out at once, so that the first entry, too, says all that was looked at.
  if (location.search && !store.get().awaited && current.query.length <= LONGEST)
    enter("replaceState", current.query + frameKeys());

  function write() {
    const state = store.get();
    if (state.received < state.run.T || state.awaited) return;
    const change = changeOf(current, entryOf(linkTo(state)), document.activeElement?.id === "sequence");
    if (!change) return;
    current = change.entry;
    // If the address is too long it says nothing at all, rather than something that is not on the page.
    enter(change.how, current.query.length > LONGEST ? location.pathname : current.query + frameKeys());
  }

  store.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(write, SETTLED);
  });
  addEventListener("popstate", async () => {
    const link = decode(address());
    await open(link);
    const { model, text: sequence } = store.get();
    current = entryOf({ ...link, model, sequence });
  });
}

/**
 * Keep the address equal to the view, on a page that adds no entries to the history.
 * @template S
 * @param {StoreOf<S>} store
 * @param {() => string} address the query of the view
 * @param {() => boolean} [isMoving] whether the page is playing: then the address does not change
 */
export function mountAddress(store, address, isMoving = () => false) {
  if (location.protocol === "file:") return;
  /** @type {number | undefined} */
  let timer;
  store.subscribe(() => {
    clearTimeout(timer);
    if (isMoving()) return;
    timer = setTimeout(() => {
      const query = address();
      if (query.length <= LONGEST) enter("replaceState", query + frameKeys());
    }, SETTLED);
  });
}

/** @param {"pushState" | "replaceState"} how @param {string} address */
function enter(how, address) {
  try {
    history[how](null, "", address);
  } catch {
    // Browsers forbid this in some files, and if it is done too often. Then the address stays as it is.
  }
}
