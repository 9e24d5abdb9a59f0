/**
 * Keeps the address with what is looked at. Another model, view or convention is a new entry, to which one can go back;
 * the cursor, and a text while it is typed, change the entry that there is.
 */

/** @import { Store } from "./store.js" */
/** @import { State } from "./state.js" */
import { decode, encode } from "./link.js";

const SETTLED = 300; // ms after which a change is written
const LONGEST = 8000; // characters that servers take

/** What a new entry is made for. @type {(keyof State)[]} */
const PLACE = ["layer", "views", "zoom", "gate", "table", "convention", "rows"];

/**
 * @param {Store} store
 * @param {(link: ReturnType<typeof decode>) => void} open follows a link
 */
export function mountHistory(store, open) {
  // What an embedding page said of its frame stays as it said it.
  const frame = [...new URLSearchParams(location.search)].filter(([key]) => key === "hide" || key === "theme");
  const suffix = frame.map(([key, value]) => `&${key}=${encodeURIComponent(value)}`).join("");
  const home = decode(encode(store.get()));
  let [written, placed, text] = described(store.get());
  let typed = false; // whether the entry that there is came about by typing
  let arriving = false; // whether its run is still to come
  /** @type {number | undefined} */
  let timer;

  function write() {
    const state = store.get();
    const [query, place, sequence] = described(state);
    const whole = state.received === state.run.T && !state.awaited;
    if (!whole || (query === written && !arriving) || query.length > LONGEST) return;
    const elsewhere = place !== placed;
    const edited = !elsewhere && sequence !== text && document.activeElement?.id === "sequence";
    const push = elsewhere || (sequence !== text && !(edited && typed));
    [written, placed, text] = [query, place, sequence];
    if (arriving) {
      arriving = false;
      return;
    }
    if (push) typed = edited;
    history[push ? "pushState" : "replaceState"](null, "", query + suffix);
  }

  store.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(write, SETTLED);
  });
  addEventListener("popstate", () => {
    const link = decode(location.search);
    const { model, sequence } = link.model === null ? home : link;
    [typed, arriving] = [false, true];
    open({ ...link, model, sequence: sequence ?? "" });
  });
}

/**
 * A state's address, its place, and its sequence.
 * @param {State} state
 */
const described = (state) => [
  encode(state),
  JSON.stringify([state.run.model, PLACE.map((part) => state[part])]),
  (state.run.tokens ?? []).join(" "),
];
