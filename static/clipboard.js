/**
 * Put text on the clipboard; false if the browser does not allow it.
 * @param {string} text
 * @param {HTMLInputElement | HTMLTextAreaElement} [from] where the text stands: it is selected, to be copied by hand
 */
export async function copy(text, from) {
  from?.select();
  try {
    // Only on https and on this machine; on a plain school network the older way still works.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = from ?? document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    field.select();
    const copied = document.execCommand("copy");
    if (!from) {
      field.remove();
      focused?.focus();
    }
    return copied;
  }
}
