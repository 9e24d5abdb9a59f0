/** The dialog that exports the view as files: the page itself, a picture, or the numbers. */

/** @import { Store } from "../store.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure } from "../plot.js" */
/** @import { Run } from "../run.js" */
/** @import { Format, Picture } from "../pictures.js" */
import { cellOf } from "../cells.js";
import { findAll, finder } from "../elements.js";
import { csv, ledgerPicture, signalsPicture, titleOf } from "../files.js";
import { LONGEST, encode, linkTo } from "../link.js";
import { drawingsIn, figuresIn, fileOf, mountPictures, save } from "../pictures.js";
import { pictureOf, plotly } from "../plot.js";
import { recording } from "../recording.js";
import { getJson, post, postJson } from "../server.js";
import { detailAt, layerOf } from "../state.js";

const HOW_MANY = ["no", "one", "two", "three", "four", "five", "six"];

/** Format a size in bytes as kB or MB, or return "" if it is unknown. @param {number | undefined} bytes */
const tellSize = (bytes) =>
  bytes === undefined
    ? ""
    : bytes >= 1e6
      ? `about ${(bytes / 1e6).toFixed(1)} MB`
      : `about ${Math.ceil(bytes / 1e3)} kB`;

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
 * Return a function that lists the pictures of the page. Each caption names the run, or the position of the cursor.
 * @param {HTMLElement} main @param {Store} store @param {Record<Theme, Record<string, Figure>>} skeletons
 * @returns {(state: State) => Picture[]}
 */
function createPictures(main, store, skeletons) {
  const drawings = {
    cell: /** @type {SVGSVGElement} */ (main.querySelector(".cell .figure")),
    influence: /** @type {SVGSVGElement} */ (main.querySelector(".influence svg")),
  };
  const [card, overview] = [".intro", ".overview"].map((part) => finder(main)(part));
  /** Return whether the page now shows the content of a picture. @param {string} name @param {State} state */
  function isShown(name, state) {
    if (name === "cell" || name === "influence") return drawings[name].getClientRects().length > 0;
    return name !== "ledger" || Boolean(state.views.includes("memory") && detailAt(state, "ledger"));
  }

  /** @param {string} name @param {Format} format @returns {Promise<Blob | string>} */
  async function draw(name, format) {
    const state = store.get();
    if (name === "cell" || name === "influence")
      return fileOf(drawings[name], `${name === "cell" ? "" : "Influence: "}${titleOf(state).here}`, format);
    const skeleton = skeletons[state.theme][name];
    const figure = name === "ledger" ? ledgerPicture(skeleton, state) : signalsPicture(skeleton, state);
    return pictureOf(await plotly(), figure, format);
  }

  return (state) => {
    const { model, run, here } = titleOf(state);
    const pictures = picturesOf(state)
      .filter(([key]) => isShown(key, state))
      .map(([key, words]) => ({
        key,
        words,
        caption: `${key in drawings ? here : run}. Picture of ${words}.`,
        draw: (/** @type {Format} */ format) => draw(key, format),
      }));
    return [...pictures, ...drawingsIn(overview, run), ...drawingsIn(card, model), ...figuresIn(main, model)];
  };
}

/** Return the file name for an export of the run. @param {State} state @param {string} ending */
const fileName = ({ run }, ending) => `gruscope-${run.model.replaceAll(/[^\w.-]+/g, "-")}${ending}`;

/**
 * Mount the dialog that exports the view.
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} main the part of the page with the cell and the curves, which can also be exported
 * @param {Store} store
 * @param {Record<Theme, Record<string, Figure>>} skeletons the empty figures from Python, by theme and picture
 */
export function mountExport(opener, dialog, main, store, skeletons) {
  const status = /** @type {HTMLElement} */ (dialog.querySelector(".done"));
  const links = /** @type {HTMLAnchorElement[]} */ (findAll(dialog, "a[data-file]"));
  const content = /** @type {HTMLSelectElement | null} */ (dialog.querySelector("[name=content]"));
  let query = "";
  let wasLarge = false; // whether the run was large when the dialog was last opened
  /** The server's estimate of each file's size in bytes, by file and by chosen content. @type {Record<string, Record<string, number>>} */
  let sizes = {};
  const pictures = createPictures(main, store, skeletons);
  const nameOf = (/** @type {string} */ ending) => fileName(store.get(), ending);
  const listPictures = mountPictures(dialog, () => nameOf(""));

  /** Write the addresses and the sizes of the files. */
  function describe() {
    for (const link of links) link.href = addressOf(link.dataset.file ?? "");
    for (const size of findAll(dialog, "[data-size]")) {
      const file = size.dataset.size ?? "";
      size.textContent = tellSize(sizes[file]?.[contentOf(file) ?? "all"]);
    }
  }

  /**
   * Return the content that the visitor chose for `file`, or null if the file is an HTML page or the dialog does not offer the choice.
   * @param {string} file
   */
  const contentOf = (file) => (file.endsWith(".html") ? null : (content?.value ?? null));

  /** @param {string} file */
  const addressOf = (file) => `api/export/${file}${query}${contentOf(file) ? `&content=${contentOf(file)}` : ""}`;

  /** Fetch the estimated sizes of the files. The dialog also works without the sizes. */
  async function fetchSizes() {
    const link = query;
    const request = () => (isLong() ? postJson("api/export/sizes", { link }) : getJson(`api/export/sizes${link}`));
    const response = recording ? {} : await request().catch(() => ({}));
    if (link === query) sizes = response;
    describe();
  }

  /** Return whether the link of the view is too long for a URL. */
  const isLong = () => query.length > LONGEST;

  /** Fetch a file with a POST request, which also allows long links. @param {string} file */
  const posted = async (file) =>
    (await post(`api/export/${file}`, { link: query, content: contentOf(file) }, { signal: null })).blob();

  for (const link of links)
    link.addEventListener("click", (event) => {
      const file = link.dataset.file ?? "";
      if (!isLong()) return;
      event.preventDefault();
      save(status, nameOf(file.slice(file.lastIndexOf("."))), () => posted(file));
    });
  content?.addEventListener("change", describe);

  /**
   * Return the run as CSV: a Blob, or the address of a file that the server writes. The server writes the file if only the signals are
   * chosen, or if the run is large, because the page has a large run in float32 only.
   * @param {Run} run
   */
  async function numbersOf(run) {
    if (!run.exact && content?.value !== "signals") return new Blob([csv(run)], { type: "text/csv" });
    if (recording) throw new Error("this page has the numbers of a large run in single precision only");
    return isLong() ? posted("trace.csv") : addressOf("trace.csv");
  }

  opener.addEventListener("click", () => {
    const state = store.get();
    query = encode(linkTo(state));
    sizes = {};
    const large = Boolean(state.run.exact);
    if (content && large !== wasLarge) content.value = large ? "signals" : "all";
    wasLarge = large;
    describe();
    fetchSizes();
    listPictures(pictures(state));
    dialog.showModal();
  });

  dialog
    .querySelector("[data-format=csv]")
    ?.addEventListener("click", () => save(status, nameOf(".csv"), () => numbersOf(store.get().run)));
}
