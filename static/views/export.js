/** The dialog that exports the view as files: the page itself, a picture, or the numbers. */

/** @import { Store } from "../store.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure } from "../plot.js" */
import { cellOf } from "../cells.js";
import { findAll, withPeriod } from "../elements.js";
import { csv, download, ledgerPicture, png, signalsPicture, standaloneSvg, titleOf } from "../files.js";
import { encode, linkTo } from "../link.js";
import { pictureOf, plotly } from "../plot.js";
import { detailAt, layerOf } from "../state.js";

const HOW_MANY = ["no", "one", "two", "three", "four", "five", "six"];

/** Return all pictures that can be exported, each with its key and its name in words. @param {State} state @returns {[string, string][]} */
function picturesOf(state) {
  const { signals } = cellOf(layerOf(state));
  return [
    ["signals", signals.length > 1 ? `all ${HOW_MANY[signals.length]} signals` : "all signals"],
    ...signals.map(
      ({ name, words, symbol }) => /** @type {[string, string]} */ ([name, `${words.toLowerCase()} ${symbol}`]),
    ),
    ["cell", "the cell"],
    ["ledger", "memory: the contribution of each timestep"],
    ["influence", "influence: sensitivity of the output"],
  ];
}

/**
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} main the part of the page with the cell and the curves, which can also be exported
 * @param {Store} store
 * @param {Record<Theme, Record<string, Figure>>} skeletons the empty figures from Python, by picture
 */
export function mountExport(opener, dialog, main, store, skeletons) {
  const picture = /** @type {HTMLSelectElement} */ (dialog.querySelector("[name=picture]"));
  const status = /** @type {HTMLElement} */ (dialog.querySelector(".done"));
  const links = /** @type {HTMLAnchorElement[]} */ (findAll(dialog, "a[data-file]"));
  const drawings = {
    cell: /** @type {SVGSVGElement} */ (main.querySelector(".cell .figure")),
    influence: /** @type {SVGSVGElement} */ (main.querySelector(".influence svg")),
  };

  /** Return whether the page now shows the content of a picture. @param {string} name @param {State} state */
  function isShown(name, state) {
    if (name === "cell" || name === "influence") return drawings[name].getClientRects().length > 0;
    return name !== "ledger" || Boolean(state.views.includes("memory") && detailAt(state, "ledger"));
  }

  /** @param {string} name @param {"svg" | "png"} format @returns {Promise<Blob | string>} */
  async function drawn(name, format) {
    const state = store.get();
    if (name === "cell" || name === "influence") {
      const svg = standaloneSvg(drawings[name], `${name === "cell" ? "" : "Influence: "}${titleOf(state).here}`);
      return format === "png" ? png(svg) : new Blob([svg.text], { type: "image/svg+xml" });
    }
    const skeleton = skeletons[state.theme][name];
    const figure = name === "ledger" ? ledgerPicture(skeleton, state) : signalsPicture(skeleton, state);
    return pictureOf(await plotly(), figure, format);
  }

  opener.addEventListener("click", () => {
    const state = store.get();
    const query = encode(linkTo(state));
    for (const link of links) link.href = `api/export/${link.dataset.file}${query}`;
    const chosen = picture.value;
    picture.replaceChildren(
      ...picturesOf(state)
        .filter(([name]) => isShown(name, state))
        .map(([name, words]) => new Option(words, name)),
    );
    if ([...picture.options].some(({ value }) => value === chosen)) picture.value = chosen;
    status.textContent = "";
    dialog.showModal();
  });

  for (const button of findAll(dialog, "[data-format]"))
    button.addEventListener("click", async () => {
      const format = /** @type {"svg" | "png" | "csv"} */ (button.dataset.format);
      const { run } = store.get();
      const suffix = format === "csv" ? "" : `-${picture.value}`;
      const name = `gruscope-${run.model.replaceAll(/[^\w.-]+/g, "-")}${suffix}.${format}`;
      status.textContent = "";
      try {
        download(
          name,
          format === "csv" ? new Blob([csv(run)], { type: "text/csv" }) : await drawn(picture.value, format),
        );
        status.textContent = `Downloaded ${name}.`;
      } catch (error) {
        status.textContent = `The file could not be created: ${withPeriod(/** @type {Error} */ (error).message)}`;
      }
    });
}
