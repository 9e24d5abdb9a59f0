/** The dialog with the link to the view, and with the HTML that embeds the view in another page. */

import { lesson } from "../boot.js";
import { copy } from "../clipboard.js";
import { findAll } from "../elements.js";
import { compact } from "../fragment.js";

/**
 * Mount the dialog that shares the view.
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 * @param {string} home the address of the server for the links; "" if it is unknown, which hides the opener
 * @param {string} page the path of the page on that server, "" or "compare"
 * @param {() => string} address the query of the view, starting with "?"
 */
export function mountShare(opener, dialog, home, page, address) {
  opener.hidden = home === "";
  const link = /** @type {HTMLInputElement} */ (dialog.querySelector("#share-link"));
  const embed = /** @type {HTMLTextAreaElement} */ (dialog.querySelector("#share-embed"));
  const hides = /** @type {HTMLInputElement[]} */ (findAll(dialog, "[name=hide]"));
  const tooLong = /** @type {HTMLElement} */ (dialog.querySelector(".too-long"));
  const status = /** @type {HTMLElement} */ (dialog.querySelector(".done"));

  async function write() {
    const [at, whole] = lesson ? stepOf(lesson.name) : [page, address()];
    const { query, fragment } = await compact(whole);
    tooLong.hidden = !fragment;
    const hide = hides.filter(({ checked }) => checked).map(({ value }) => value);
    const src = `${home}embed${at && `/${at}`}${query}${hide.length ? `&hide=${hide.join(",")}` : ""}${fragment}`;
    link.value = `${home}${at}${query}${fragment}`;
    const frame = `<iframe src="${escape(src)}" title="GRU Scope" loading="lazy" width="100%" height="720" style="border: 0"></iframe>`;
    embed.value = `${frame}\n${embed.dataset.link?.replace("{}", () => escape(link.value))}`;
    status.textContent = "";
  }

  /** @param {HTMLInputElement | HTMLTextAreaElement} field */
  async function take(field) {
    status.textContent = "";
    const copied = await copy(field.value, field);
    const what = field === link ? "Link" : "HTML";
    status.textContent = copied ? `${what} copied.` : `${what} selected. Copy it with your keyboard.`;
  }

  opener.addEventListener("click", async () => {
    await write();
    dialog.showModal();
    take(link);
  });
  for (const hide of hides) hide.addEventListener("change", write);
  for (const button of findAll(dialog, "[data-copy]"))
    button.addEventListener("click", () => take(button.dataset.copy === "share-link" ? link : embed));
}

/** Escape an address for use in an HTML attribute. @param {string} address */
const escape = (address) => address.replaceAll("&", "&amp;");

/** Return the path and the query of a lesson's current step. @param {string} name */
const stepOf = (name) => [`lessons/${name}`, `?step=${new URLSearchParams(location.search).get("step") ?? 1}`];
