/** What makes a window the teacher of a room: its code and its secret, in this tab alone, or after the # of a link. */

/** `at` is the address that this tab last showed while it led the room. @typedef {{code: string, secret: string, at?: string}} Capability */

const KEY = "gruscope-room";

/** @type {Capability | null} */
let current = null;

/** Read the capability of this tab, null if it leads no room. */
export function readCapability() {
  const [, code, secret] = /^#lead=([\w-]+)\.([\w-]+)$/.exec(location.hash) ?? [];
  if (secret) {
    saveCapability({ code, secret });
    // The secret stays in no address that somebody could read off the wall.
    history.replaceState(null, "", location.pathname + location.search);
  }
  try {
    current ??= JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    // Storage can be forbidden: then the capability lasts as long as the page.
  }
  return current;
}

/** @param {Capability | null} capability */
export function saveCapability(capability) {
  current = capability;
  try {
    if (capability) sessionStorage.setItem(KEY, JSON.stringify(capability));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage can be forbidden: then the capability lasts as long as the page.
  }
}

/** The headers of a teacher's request. @param {Capability | null} [capability] @returns {Record<string, string>} */
export const credentials = (capability = readCapability()) =>
  capability ? { authorization: `Bearer ${capability.secret}` } : {};

/** What a link needs so that another window leads the same room. @param {Capability} capability */
export const asHash = ({ code, secret }) => `#lead=${code}.${secret}`;
