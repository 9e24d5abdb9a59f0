/**
 * Keeps the address in step with what is looked at. Another model, view or convention makes a new entry in the browser's
 * history, to go back to; moving the cursor, or typing on, only changes the current entry.
 */

/** @import { Store, StoreOf } from "./store.js" */
/** @import { Focus } from "./state.js" */
/** @import { Link } from "./link.js" */
import { frameKeys } from "./frame.js";
import { LONGEST, decode, encode, linkTo, writeScenario } from "./link.js";

const SETTLED = 300; // ms after which a change is written

/** A change of any of these makes a new entry. @type {(keyof Focus)[]} */
const PLACE = ["layer", "views", "zoom", "gate", "table", "convention", "rows", "scale"];

/**
 * @param {Store} store
 * @param {() => string} address what the address says now
 * @param {(link: Link) => Promise<void>} open follows a link
 */
export function mountHistory(store, address, open) {
  let [written, placed, text] = described(linkTo(store.get()));
  let typed = false; // whether the current entry was made by typing
  /** @type {number | undefined} */
  let timer;
  // The address is written out at once, so that the first entry, too, says all that was looked at.
  if (location.search && !store.get().awaited && written.length <= LONGEST) enter("replaceState", written + frameKeys);

  function write() {
    const state = store.get();
    const [query, place, sequence] = described(linkTo(state));
    const isComplete = state.received === state.run.T && !state.awaited;
    if (!isComplete || query === written) return;
    const elsewhere = place !== placed;
    const edited = !elsewhere && sequence !== text && document.activeElement?.id === "sequence";
    const push = elsewhere || (sequence !== text && !(edited && typed));
    [written, placed, text] = [query, place, sequence];
    if (push) typed = edited;
    // Where the address is too long it says nothing at all, rather than something that is not on the page.
    enter(push ? "pushState" : "replaceState", query.length > LONGEST ? location.pathname : query + frameKeys);
  }

  store.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(write, SETTLED);
  });
  addEventListener("popstate", async () => {
    const link = decode(address());
    await open(link);
    const { model, text: sequence } = store.get();
    [written, placed, text] = described({ ...link, model, sequence });
    typed = false;
  });
}

/**
 * Keep the address in step on a page that makes no new entries.
 * @template S
 * @param {StoreOf<S>} store
 * @param {() => string} address the query of what is looked at
 * @param {() => boolean} [isMoving] whether the page plays by itself: the address waits
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
      if (query.length <= LONGEST) enter("replaceState", query + frameKeys);
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

/** Return a link's address, its place, and what is run there. @param {Link} link */
const described = (link) => [
  encode(link),
  JSON.stringify([link.model, PLACE.map((part) => link.focus[part])]),
  writeScenario(link),
];
