/**
 * Update the page's address when the view changes. A change of the model, the views or the convention adds an entry to the browser's
 * history. Cursor moves and further typing only replace the current entry.
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
 * An entry of the history: its query, its scenario, and its `place`, the model and the parts of the focus that are in PLACE.
 * `typed`: whether typing created the entry.
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
 * Return the history method that writes the next view, and the new entry; null if the address stays the same. If typing created the
 * current entry, further typing replaces it.
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
 * @param {() => Promise<string>} address returns the query of the current address
 * @param {(link: Link) => Promise<void>} open follows a link
 */
export function mountHistory(store, address, open) {
  let current = entryOf(awaitedLink(store.get()));
  /** @type {number | undefined} */
  let timer;
  // Write the full address at once, so that the first entry also describes the whole view.
  if (location.search && !store.get().awaited) compact(current.query).then((first) => enter("replaceState", first));

  async function write() {
    const state = store.get();
    if (state.received < state.run.T || state.awaited) return;
    const next = entryOf(linkTo(state));
    const address = await compact(next.query);
    const change = changeOf(current, next, document.activeElement?.id === "sequence");
    if (!change || state !== store.get()) return; // a newer change calls this function again
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

/** Write an address into the browser's history. @param {"pushState" | "replaceState"} how @param {Address} address */
function enter(how, { query, fragment }) {
  // A page in a frame adds nothing to the history of the page around it.
  if (parent !== window) how = "replaceState";
  try {
    history[how](null, "", query + frameKeys() + fragment);
  } catch {
    // Browsers forbid this on some pages that are opened as files, and if it happens too often. Then the address does not change.
  }
}
