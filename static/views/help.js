/** The dialog that explains the page. A button and the ? key open this dialog. */

/**
 * Mount the dialog that explains the page.
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 */
export function mountHelp(opener, dialog) {
  // Set here and not in HTML: there the attribute would request the focus while the page loads, which is an error in a frame.
  const heading = dialog.querySelector("h2");
  if (heading) heading.autofocus = true;
  opener.addEventListener("click", () => dialog.showModal());
  addEventListener("keydown", (event) => {
    const typing = /** @type {HTMLElement} */ (event.target).closest("input[type=text], textarea, dialog");
    if (event.key === "?" && !typing) dialog.showModal();
  });
}
