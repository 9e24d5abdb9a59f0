/**
 * Keeps the address equal to the view. A change of the model, the views or the convention adds an entry to the browser's history.
 * Moving the cursor, and more typing, only change the current entry.
 */

/** @import { Store, StoreOf } from "./store.js" */
/** @import { Focus, State } from "./state.js" */
/** @import { Address } from "./fragment.js" */
/** @import { Link } from "./link.js" */
import { compact } from "./fragment.js";
import { frameKeys } from "./frame.js";
import { decode, encode, linkTo, writeScenario } from "./link.js";

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
 * Keep the address of the page up to date, and follow the Back and Forward buttons.
 * @param {Store} store
 * @param {() => Promise<string>} address the query of the address as it is now
 * @param {(link: Link) => Promise<void>} open follows a link
 */
export function mountHistory(store, address, open) {
  let current = entryOf(awaitedLink(store.get()));
  /** @type {number | undefined} */
  let timer;
  // The address is written out at once, so that the first entry, too, says all that was looked at.
  if (location.search && !store.get().awaited) compact(current.query).then((first) => enter("replaceState", first));

  async function write() {
    const state = store.get();
    if (state.received < state.run.T || state.awaited) return;
    const next = entryOf(linkTo(state));
    const address = await compact(next.query);
    const change = changeOf(current, next, document.activeElement?.id === "sequence");
    if (!change || state !== store.get()) return; // after a newer change this is called again
    current = change.entry;
    enter(change.how, address);
  }

  store.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(write, SETTLED);
  });
  addEventListener("popstate", async () => {
    const link = decode(await address());
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
    timer = setTimeout(async () => {
      const query = address();
      const written = await compact(query);
      if (query === address()) enter("replaceState", written);
    }, SETTLED);
  });
}

/** Return the link to the view that a state shows, or will show when its run arrives. @param {State} state @returns {Link} */
function awaitedLink(state) {
  const { model, text: sequence, clamps, weights, against, h0, write, awaited } = state;
  if (!awaited) return linkTo(state);
  return { model, sequence, clamps, weights, against, h0, write, focus: awaited.focus, notices: [] };
}

/** Write an address into the history of the browser. @param {"pushState" | "replaceState"} how @param {Address} address */
function enter(how, { query, fragment }) {
  // A page in a frame adds nothing to the history of the page around it.
  if (parent !== window) how = "replaceState";
  try {
    history[how](null, "", query + frameKeys() + fragment);
  } catch {
    // Browsers forbid this in some files, and if it is done too often. Then the address stays as it is.
  }
}
