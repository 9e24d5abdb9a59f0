/**
 * Copy text to the clipboard. Return false if the browser does not allow this.
 * @param {string} text
 * @param {HTMLInputElement | HTMLTextAreaElement} [from] the field with the text: if copying fails, the text is selected so that the visitor can copy it
 */
export async function copy(text, from) {
  from?.select();
  try {
    // Browsers allow `navigator.clipboard` only over HTTPS and on localhost. Without HTTPS, for example on a school network, the older
    // `execCommand` still works.
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
