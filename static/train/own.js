/** The dialog for the visitor's own data: a table or a series, pasted or from a file. The training opens on a new page. */

import * as api from "../api.js";
import { setText } from "../elements.js";

const MOST_BYTES = 131072; // as in gru_core/training/table.py

/**
 * Mount the dialog for the visitor's own data.
 * @param {HTMLDialogElement} dialog
 * @param {(id: string) => void} open goes to the page of the training with this id
 */
export function mountOwn(dialog, open) {
  const find = (/** @type {string} */ selector) => /** @type {any} */ (dialog.querySelector(selector));
  const [form, area, file, error] = ["form", "textarea", "[type=file]", ".error"].map(find);

  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    if (chosen.size > MOST_BYTES) setText(error, `This file is too large: at most ${MOST_BYTES / 1024} KiB.`);
    else area.value = await chosen.text();
    file.value = "";
  });
  area.addEventListener("input", () => setText(error, ""));
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const { id } = await api.train({ task: "own", table: area.value });
      open(id);
    } catch (problem) {
      setText(error, /** @type {Error} */ (problem).message);
      area.focus();
    }
  });
  find("[data-do=close]").addEventListener("click", () => dialog.close());
}
