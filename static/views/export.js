/** The dialog that exports the view as files: the page itself, a picture, or the numbers. */

/** @import { Store } from "../store.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure } from "../plot.js" */
/** @import { Run } from "../run.js" */
import { cellOf } from "../cells.js";
import { findAll, withPeriod } from "../elements.js";
import { csv, download, ledgerPicture, png, signalsPicture, standaloneSvg, titleOf } from "../files.js";
import { LONGEST, encode, linkTo } from "../link.js";
import { pictureOf, plotly } from "../plot.js";
import { printPicture } from "../print.js";
import { recording } from "../recording.js";
import { getJson, post, postJson } from "../server.js";
import { detailAt, layerOf } from "../state.js";

const HOW_MANY = ["no", "one", "two", "three", "four", "five", "six"];

/** Write a size in bytes for people. @param {number | undefined} bytes */
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
 * Return the pictures of a page: whether the page now shows the content of each, and a function that draws one.
 * @param {HTMLElement} main @param {Store} store @param {Record<Theme, Record<string, Figure>>} skeletons
 */
function createPictures(main, store, skeletons) {
  const drawings = {
    cell: /** @type {SVGSVGElement} */ (main.querySelector(".cell .figure")),
    influence: /** @type {SVGSVGElement} */ (main.querySelector(".influence svg")),
  };
  return {
    /** @param {string} name @param {State} state */
    isShown(name, state) {
      if (name === "cell" || name === "influence") return drawings[name].getClientRects().length > 0;
      return name !== "ledger" || Boolean(state.views.includes("memory") && detailAt(state, "ledger"));
    },
    /** @param {string} name @param {"svg" | "png"} format @returns {Promise<Blob | string>} */
    async draw(name, format) {
      const state = store.get();
      if (name === "cell" || name === "influence") {
        const svg = standaloneSvg(drawings[name], `${name === "cell" ? "" : "Influence: "}${titleOf(state).here}`);
        return format === "png" ? png(svg) : new Blob([svg.text], { type: "image/svg+xml" });
      }
      const skeleton = skeletons[state.theme][name];
      const figure = name === "ledger" ? ledgerPicture(skeleton, state) : signalsPicture(skeleton, state);
      return pictureOf(await plotly(), figure, format);
    },
  };
}

/** Return the name of a file of the run. @param {State} state @param {string} ending */
const fileName = ({ run }, ending) => `gruscope-${run.model.replaceAll(/[^\w.-]+/g, "-")}${ending}`;

/** Return the caption of the chosen picture: the run or the place of the cursor, and what the picture shows. @param {HTMLSelectElement} picture @param {State} state */
function captionOf(picture, state) {
  const { run, here } = titleOf(state);
  const place = ["cell", "influence"].includes(picture.value) ? here : run;
  return `${place}. Picture of ${picture.selectedOptions[0].text}.`;
}

/** Give a list other options, each with its value and its text. The choice stays if it is still an option. @param {HTMLSelectElement} list @param {[string, string][]} options */
function setOptions(list, options) {
  const chosen = list.value;
  list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === chosen)) list.value = chosen;
}

/**
 * Do some work, and report that it is done or why it failed.
 * @param {HTMLElement} status @param {string} done @param {string} failed @param {() => Promise<void>} work
 */
async function perform(status, done, failed, work) {
  status.textContent = "";
  try {
    await work();
    status.textContent = done;
  } catch (error) {
    status.textContent = `${failed}: ${withPeriod(/** @type {Error} */ (error).message)}`;
  }
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
  const caption = /** @type {HTMLElement} */ (dialog.querySelector(".caption"));
  const links = /** @type {HTMLAnchorElement[]} */ (findAll(dialog, "a[data-file]"));
  const content = /** @type {HTMLSelectElement | null} */ (dialog.querySelector("[name=content]"));
  let query = "";
  let wasLarge = false; // when the dialog was last open
  /** The bytes of each file by its content, as the server estimates them. @type {Record<string, Record<string, number>>} */
  let sizes = {};
  const pictures = createPictures(main, store, skeletons);

  /** Write the addresses and the sizes of the files. */
  function describe() {
    for (const link of links) link.href = addressOf(link.dataset.file ?? "");
    for (const size of findAll(dialog, "[data-size]")) {
      const file = size.dataset.size ?? "";
      size.textContent = tellSize(sizes[file]?.[contentOf(file) ?? "all"]);
    }
  }

  /** Return what is chosen for files of numbers; null for a page, and without a choice. @param {string} file */
  const contentOf = (file) => (file.endsWith(".html") ? null : (content?.value ?? null));

  /** @param {string} file */
  const addressOf = (file) => `api/export/${file}${query}${contentOf(file) ? `&content=${contentOf(file)}` : ""}`;

  /** Fetch the sizes that the files will have. The dialog works without them. */
  async function fetchSizes() {
    const link = query;
    const request = () => (isLong() ? postJson("api/export/sizes", { link }) : getJson(`api/export/sizes${link}`));
    const response = recording ? {} : await request().catch(() => ({}));
    if (link === query) sizes = response;
    describe();
  }

  /** Whether the link of the view is too long for the address of a request. */
  const isLong = () => query.length > LONGEST;

  /** Return a file of a view with a long link. @param {string} file */
  const posted = async (file) =>
    (await post(`api/export/${file}`, { link: query, content: contentOf(file) }, { signal: null })).blob();

  /** @param {string} name @param {() => Promise<Blob | string>} make */
  const save = (name, make) =>
    perform(status, `Downloaded ${name}.`, "The file could not be created", async () => download(name, await make()));

  /** @param {string} name */
  const printed = (name) =>
    perform(status, "", "The picture could not be printed", async () =>
      printPicture(nameOf(`-${name}`), await pictures.draw(name, "svg")),
    );

  const nameOf = (/** @type {string} */ ending) => fileName(store.get(), ending);

  for (const link of links)
    link.addEventListener("click", (event) => {
      const file = link.dataset.file ?? "";
      if (!isLong()) return;
      event.preventDefault();
      save(nameOf(file.slice(file.lastIndexOf("."))), () => posted(file));
    });
  content?.addEventListener("change", describe);

  const writeCaption = () => (caption.textContent = captionOf(picture, store.get()));
  picture.addEventListener("change", writeCaption);

  /** Return the run as CSV. The server writes a part of a run, and a large run, which the page has in float32 only. @param {Run} run */
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
    const shown = picturesOf(state).filter(([name]) => pictures.isShown(name, state));
    setOptions(picture, shown);
    writeCaption();
    status.textContent = "";
    dialog.showModal();
  });

  // A frame of another page may not open the print dialog.
  for (const button of findAll(dialog, "[data-format=pdf]")) button.hidden = self !== top;
  for (const button of findAll(dialog, "[data-format]"))
    button.addEventListener("click", () => {
      const format = /** @type {"svg" | "png" | "pdf" | "csv"} */ (button.dataset.format);
      if (format === "csv") return save(nameOf(".csv"), () => numbersOf(store.get().run));
      if (format === "pdf") return printed(picture.value);
      return save(nameOf(`-${picture.value}.${format}`), () => pictures.draw(picture.value, format));
    });
}
