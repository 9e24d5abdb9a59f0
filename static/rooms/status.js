/** The line of text in a room's bar. Each message has a kind, and is cleared when its cause has ended. */

/** @typedef {ReturnType<typeof createStatus>} StatusLine */

/** Return functions that write and clear messages in a line of text. @param {HTMLElement} element */
export const createStatus = (element) => ({
  /** @param {string} text @param {string} [kind] */
  write(text, kind = "") {
    element.dataset.kind = kind;
    element.textContent = text;
  },
  /** Clear the message if it is of this kind. @param {string} kind */
  clear(kind) {
    if (element.dataset.kind !== kind) return;
    element.dataset.kind = element.textContent = "";
  },
});
