/** How to read the page: a dialog, which a button and ? open. */

/**
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 */
export function mountHelp(opener, dialog) {
  opener.addEventListener("click", () => dialog.showModal());
  addEventListener("keydown", (event) => {
    const typing = /** @type {HTMLElement} */ (event.target).closest("input[type=text], textarea, dialog");
    if (event.key === "?" && !typing) dialog.showModal();
  });
}
