/** The dialog that exports the stored result and the results of the runs on this page. */

import { findAll } from "../elements.js";
import { csvOf } from "../csv.js";
import { download } from "../files.js";
import { drawingsIn, mountPictures } from "../pictures.js";
import { recording } from "../recording.js";

/** @typedef {Record<string, string | number | null>} Row */

/**
 * Mount the dialog that exports the results.
 * @param {HTMLElement | null} opener missing in a saved page, which has no server that could send the stored result
 * @param {HTMLDialogElement} dialog
 * @param {string} name of the experiment
 * @param {() => Row[]} rows returns the results of the runs on this page
 */
export function mountExport(opener, dialog, name, rows) {
  if (!opener || recording) return;
  const [none, some] = [".none", ".some"].map((part) => /** @type {HTMLElement} */ (dialog.querySelector(part)));
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const listPictures = mountPictures(dialog, () => `gruscope-${name}`);
  opener.addEventListener("click", () => {
    listPictures(drawingsIn(main, document.querySelector("h1")?.textContent ?? name));
    none.hidden = rows().length > 0;
    some.hidden = !none.hidden;
    dialog.showModal();
  });
  for (const button of findAll(some, "[data-format]"))
    button.addEventListener("click", () => {
      const format = /** @type {"csv" | "json"} */ (button.dataset.format);
      const [text, type] =
        format === "csv" ? [tableOf(rows()), "text/csv"] : [JSON.stringify(rows(), null, 1), "application/json"];
      download(`gruscope-${name}-here.${format}`, new Blob([text], { type }));
    });
}

/** Format rows as CSV, with a column for each key. @param {Row[]} rows */
function tableOf(rows) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  return csvOf([columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? "")))]);
}
