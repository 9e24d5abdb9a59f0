/**
 * Keeps the address with what is looked at. Another model, view or convention is a new entry, to which one can go back;
 * the cursor, and a text while it is typed, change the entry that there is.
 */

/** @import { Store } from "./store.js" */
/** @import { Focus } from "./state.js" */
/** @import { Link } from "./link.js" */
import { LONGEST, decode, encode, linkTo, writeScenario } from "./link.js";

const SETTLED = 300; // ms after which a change is written

/** What a new entry is made for. @type {(keyof Focus)[]} */
const PLACE = ["layer", "views", "zoom", "gate", "table", "convention", "rows", "scale"];

/**
 * @param {Store} store
 * @param {() => string} address what the address says now
 * @param {(link: Link) => Promise<void>} open follows a link
 */
export function mountHistory(store, address, open) {
  // What an embedding page said of its frame stays as it said it.
  const frame = [...new URLSearchParams(location.search)].filter(([key]) => key === "hide" || key === "theme");
  const suffix = frame.map(([key, value]) => `&${key}=${encodeURIComponent(value)}`).join("");
  let [written, placed, text] = described(linkTo(store.get()));
  let typed = false; // whether the entry that there is came about by typing
  /** @type {number | undefined} */
  let timer;
  // What was left out or written otherwise is filled in, so that every entry says all of what it was.
  if (location.search && !store.get().awaited && written.length <= LONGEST) enter("replaceState", written + suffix);

  function write() {
    const state = store.get();
    const [query, place, sequence] = described(linkTo(state));
    const whole = state.received === state.run.T && !state.awaited;
    if (!whole || query === written) return;
    const elsewhere = place !== placed;
    const edited = !elsewhere && sequence !== text && document.activeElement?.id === "sequence";
    const push = elsewhere || (sequence !== text && !(edited && typed));
    [written, placed, text] = [query, place, sequence];
    if (push) typed = edited;
    // An address that is too long is not written; one of something else would be worse than none.
    enter(push ? "pushState" : "replaceState", query.length > LONGEST ? location.pathname : query + suffix);
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

/** @param {"pushState" | "replaceState"} how @param {string} address */
function enter(how, address) {
  try {
    history[how](null, "", address);
  } catch {
    // A browser may forbid a file another address, and a page too many of them: then it stays as it is.
  }
}

/** A link's address, its place, and what is run there. @param {Link} link */
const described = (link) => [
  encode(link),
  JSON.stringify([link.model, PLACE.map((part) => link.focus[part])]),
  writeScenario(link),
];
