/** What this device remembers of a room that it follows, or, where storage is forbidden, for as long as the page lasts. */

const KEY = "gruscope-in-";

/** @param {string} code */
export function recall(code) {
  try {
    return JSON.parse(localStorage.getItem(KEY + code) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} code @param {object} memory */
export function remember(code, memory) {
  try {
    localStorage.setItem(KEY + code, JSON.stringify(memory));
  } catch {
    // Storage is forbidden.
  }
}

/** @param {string} code */
export function forget(code) {
  try {
    localStorage.removeItem(KEY + code);
  } catch {
    // Storage is forbidden: there is nothing.
  }
}
