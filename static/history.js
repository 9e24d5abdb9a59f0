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
  let [written, placed, typed] = [encode(store.get()), place(store.get()), false];
  /** @type {number | undefined} */
  let timer;

  function write() {
    const state = store.get();
    const whole = state.received === state.run.T && !state.awaited;
    const query = encode(state);
    if (!whole || query === written || query.length > LONGEST) return;
    const [now, typing] = [place(state), document.activeElement?.id === "sequence"];
    const push = now !== placed && !(typed && typing);
    [written, placed] = [query, now];
    if (push || !typing) typed = typing && push;
    history[push ? "pushState" : "replaceState"](null, "", query + suffix);
  }

  store.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(write, SETTLED);
  });
  addEventListener("popstate", () => {
    const link = decode(location.search);
    const { model, sequence } = link.model === null ? home : link;
    open({ ...link, model, sequence: sequence ?? "" });
    [written, placed, typed] = [encode(store.get()), place(store.get()), false];
  });
}

/** @param {State} state */
const place = (state) => JSON.stringify([state.run.model, state.run.tokens, PLACE.map((part) => state[part])]);
