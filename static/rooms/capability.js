/** What makes somebody the teacher of a room: its code and its secret, in this tab alone, or after the # of a link. */

/** `at` is the address that this tab last showed while it led the room. @typedef {{code: string, secret: string, at?: string}} Capability */

const KEY = "gruscope-room";

/** @type {Capability | null} */
let held = null;

/** Those of this tab, null where it leads no room. */
export function capability() {
  const found = /^#lead=([\w-]+)\.([\w-]+)$/.exec(location.hash);
  if (found) {
    hold({ code: found[1], secret: found[2] });
    // It stands in no address that somebody could read off the wall.
    history.replaceState(null, "", location.pathname + location.search);
  }
  try {
    held ??= JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    // Nothing can be read: it is known for as long as the page lasts.
  }
  return held;
}

/** @param {Capability | null} own */
export function hold(own) {
  held = own;
  try {
    if (own) sessionStorage.setItem(KEY, JSON.stringify(own));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Nothing can be kept.
  }
}

/** What a request of the teacher's brings. @param {Capability | null} own @returns {Record<string, string>} */
export const credentials = (own = capability()) => (own ? { authorization: `Bearer ${own.secret}` } : {});

/** What another window needs to lead the same room. @param {Capability} own */
export const asHash = ({ code, secret }) => `#lead=${code}.${secret}`;
