/** The dialog that explains the page. A button and the key ? open it. */

/**
 * Mount the dialog that explains the page.
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 */
export function mountHelp(opener, dialog) {
  // The attribute in HTML would ask for the focus while the page loads, and browsers refuse that in a frame with an error.
  const heading = dialog.querySelector("h2");
  if (heading) heading.autofocus = true;
  opener.addEventListener("click", () => dialog.showModal());
  addEventListener("keydown", (event) => {
    const typing = /** @type {HTMLElement} */ (event.target).closest("input[type=text], textarea, dialog");
    if (event.key === "?" && !typing) dialog.showModal();
  });
}
