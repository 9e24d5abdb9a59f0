/** Text that is stored on this device, or in this tab only. If the browser forbids storage, nothing is stored and reading returns null. */

/** @typedef {"localStorage" | "sessionStorage"} Area the device's, or the tab's */

/** Return a stored text, or null if there is none. @param {string} key @param {Area} [area] */
export function readStored(key, area = "localStorage") {
  try {
    return globalThis[area].getItem(key);
  } catch {
    return null;
  }
}

/** Return the JSON value of a stored text; null if there is no text or if it is damaged. @param {string} key @param {Area} [area] */
export function readStoredJson(key, area) {
  try {
    return JSON.parse(readStored(key, area) ?? "null");
  } catch {
    return null;
  }
}

/** Store a text. @param {string} key @param {string | null} text null removes the entry @param {Area} [area] */
export function writeStored(key, text, area = "localStorage") {
  try {
    if (text === null) globalThis[area].removeItem(key);
    else globalThis[area].setItem(key, text);
  } catch {
    // Storage is forbidden: what the page remembers lasts as long as the page.
  }
}

/** The key of the note that the visitor has used the Lab or a lesson on this device. `first.js` reads it, too. */
export const STEPPED = "stepped";
