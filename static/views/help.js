/** The dialog that explains the page. A button and the key ? open it. */

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
