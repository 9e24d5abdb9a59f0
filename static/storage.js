/** Strings that are stored on this device, or only in this tab. If the browser forbids storage, all strings read as null. */

/** @typedef {"localStorage" | "sessionStorage"} Area the device's, or the tab's */

/** Return the string stored under `key`, or null if there is none. @param {string} key @param {Area} [area] */
export function readStored(key, area = "localStorage") {
  try {
    return globalThis[area].getItem(key);
  } catch {
    return null;
  }
}

/** Return the JSON value stored under `key`, or null if there is none or if it is damaged. @param {string} key @param {Area} [area] */
export function readStoredJson(key, area) {
  try {
    return JSON.parse(readStored(key, area) ?? "null");
  } catch {
    return null;
  }
}

/** Store a string under `key`. @param {string} key @param {string | null} text null removes the entry @param {Area} [area] */
export function writeStored(key, text, area = "localStorage") {
  try {
    if (text === null) globalThis[area].removeItem(key);
    else globalThis[area].setItem(key, text);
  } catch {
    // If storage is forbidden, the setting lasts as long as the page.
  }
}

/** The storage key that marks a visitor who has used the Lab or a lesson on this device. `first.js` reads it, too. */
export const STEPPED = "stepped";
