/**
 * Code that the Lab, Compare and Train share: first runs, the header, the address, the page's lesson or room, and the loading of
 * Plotly. Everything else is in the main.js of each page.
 */

/** @import { Scenario } from "./api.js" */
/** @import { Cells, Name } from "./facets.js" */
/** @import { PlotlyLibrary } from "./plot.js" */
/** @import { Picture } from "./pictures.js" */
/** @import { Run } from "./run.js" */
/** @import { Focus, State } from "./state.js" */
/** @import { Store, StoreOf } from "./store.js" */
import { firstRun } from "./arrival.js";
import { boot, lesson, room } from "./boot.js";
import { begin } from "./changes.js";
import { mountDisplay } from "./display.js";
import { finder, withPeriod } from "./elements.js";
import { TITLES } from "./facets.js";
import { download, signalsPicture } from "./files.js";
import { compact } from "./fragment.js";
import { home } from "./frame.js";
import { mountAddress } from "./history.js";
import { announceHeight, followLinks } from "./host.js";
import { mountLesson } from "./lesson/lesson.js";
import { LONGEST } from "./link.js";
import { afterPaint } from "./paint.js";
import { NO_PICTURES, pictureOf, plotly } from "./plot.js";
import { mountRoom } from "./rooms/room.js";
import { drawingsIn, mountPictures } from "./pictures.js";
import { scenarioOf } from "./run.js";
import { ROOT, post } from "./server.js";
import { focus, note } from "./state.js";
import { mountAppearance } from "./views/appearance.js";
import { mountHelp } from "./views/help.js";
import { mountKeyboard } from "./views/keyboard.js";
import { mountLight } from "./views/light.js";
import { mountNext } from "./views/next.js";
import { mountShare } from "./views/share.js";

export const find = finder(document);
export const dialog = (/** @type {string} */ selector) => /** @type {HTMLDialogElement} */ (find(selector));

/** The element for messages about the sequence and the link. If the server could not follow the link, the element already has a notice. */
export const error = find("#error");

/**
 * Return the first view state of each cell on a page with several cells. Each state contains its first run.
 * @param {readonly Name[]} names
 * @param {(name: Name) => Scenario} scenarioOf
 * @param {string} notice the message beside the sequence box
 * @param {Partial<Focus>} place the place of the cursor
 * @returns {Promise<Record<Name, State>>}
 */
export async function firstStates(names, scenarioOf, notice, place) {
  const states = names.map(async (name) => {
    const first = await firstRun(error, find(`#first-run-${name}`), scenarioOf(name));
    const state = begin(boot.models, scenarioOf(name), first, notice);
    return [name, focus(state, { ...state, ...place })];
  });
  return Object.fromEntries(await Promise.all(states));
}

/**
 * Complete a page after its views are mounted.
 * - `lead` is the store of the cell that the visitor touched last. On a page with one cell it is `store`.
 * - `path` is the page's path on the server, and `address` the query of the view. `show` opens a query and ends the run after the
 *   step in its second argument; null means no limit. `upto` returns the current limit.
 * - `liveAddress`: the query of the view on the server, if it differs from `address` in a saved page.
 * - `isBusy`: whether a link is being loaded.
 * - `history` replaces the usual update of the address, which pauses while `isMoving`.
 * - `which`: names the network of a run in captions, if the page shows several networks with the same cell.
 * - `opening`: the promise of the requests that the page sends when it opens. Plotly loads after these requests. Until then the rows
 *   show pictures that do not need Plotly.
 * @template S
 * @param {{store: StoreOf<S>, lead: Store, path: string, address: () => string, liveAddress?: () => string,
 *          show: (query: string, upto: number | null) => void, upto?: () => number | null, isBusy?: () => boolean, isMoving?: () => boolean, history?: () => void, which?: (run: Run) => string, opening?: Promise<unknown>,
 *          heatmaps: {arrive: (library: PlotlyLibrary) => void}[]}} page
 */
export function completePage({ store, lead, path, address, show, heatmaps, ...more }) {
  const { liveAddress = address, upto = () => null, isBusy, isMoving, history, which, opening } = more;
  mountLight(find("main"));
  mountKeyboard(document);
  mountShare(find("#share-open"), dialog("#share"), home, path, address);
  mountHelp(find("#help-open"), dialog("#help"));
  mountAppearance(find("#theme"), lead);
  mountDisplay(find("#display"));
  mountNext(document.querySelector("#next"), lead);
  mountLinks(store, path, address, liveAddress);
  if (path) mountExport(store, lead, path, address, which);
  const figure = { show, address, upto, subscribe: store.subscribe, busy: isBusy };
  mountRoom(figure, mountLesson(figure));
  if (!lesson && !room) followLinks(figure);
  if (!lesson && !room) (history ?? (() => mountAddress(store, address, isMoving)))();
  store.update((state) => ({ ...state })); // a new object, so that every view is drawn for the first time
  if (parent !== window) store.flush(); // draw the open views before the height is announced, even if the frame is out of sight
  announceHeight();
  // Plotly takes a second to start and blocks the page during this time, so it starts last.
  Promise.resolve(opening)
    .then(afterPaint)
    .then(plotly)
    .then(
      (library) => heatmaps.forEach(({ arrive }) => arrive(library)),
      () => lead.update(note, NO_PICTURES),
    );
}

/**
 * Mount the Export dialog of a page with several cells: its pictures, and the link to a file of the view. If the address is too long
 * for a link, send it in a POST request.
 * @template S
 * @param {StoreOf<S>} store @param {Store} lead @param {string} path @param {() => string} address @param {(run: Run) => string} [which]
 */
function mountExport(store, lead, path, address, which) {
  const files = dialog("#export");
  const listPictures = mountPictures(files, () => `gruscope-${path}`);
  find("#export-open").addEventListener("click", () => {
    const { run, step } = lead.get();
    const task = /** @type {HTMLSelectElement} */ (find("[name=task]")).selectedOptions[0]?.text;
    const captionOf = (/** @type {Run} */ run) =>
      `${[task, which?.(run)].filter(Boolean).join(", ")}: ${scenarioOf(run).sequence}`;
    const { cells } = /** @type {Cells} */ (/** @type {unknown} */ (store.get()));
    listPictures([
      ...tapesIn(cells, captionOf),
      ...drawingsIn(find("main"), `${find("h1").textContent}, ${captionOf(run)}, t = ${step}`),
    ]);
    files.showModal();
  });
  const keep = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#keep"));
  if (!keep) return;
  const file = `api/export/${path}.html`;
  store.subscribe(() => (keep.href = ROOT + file + address()));
  keep.addEventListener("click", async (event) => {
    const link = address();
    if (link.length <= LONGEST) return;
    event.preventDefault();
    try {
      download(`gruscope-${path}.html`, await (await post(file, { link }, { signal: null })).blob());
    } catch (error) {
      lead.update(note, `The file could not be created: ${withPeriod(/** @type {Error} */ (error).message)}`);
    }
  });
}

/**
 * Return a picture of each visible tape, with all signals of the tape's cell.
 * @param {Record<Name, State>} cells @param {(run: Run) => string} captionOf returns the caption of a run
 * @returns {Picture[]}
 */
function tapesIn(cells, captionOf) {
  return Object.entries(cells)
    .filter(([name]) => document.querySelector(`#tape-${name}`)?.getClientRects().length)
    .map(([name, state]) => ({
      key: `signals-${name}`,
      words: `all signals of the ${TITLES[name]}`,
      caption: `${captionOf(state.run)}. All signals of the ${TITLES[name]}.`,
      draw: async (format) => {
        const skeleton = boot.pictures[name][state.theme].signals;
        return pictureOf(
          await plotly(),
          signalsPicture(skeleton, state, `${TITLES[name]}, ${captionOf(state.run)}`),
          format,
        );
      },
    }));
}

/**
 * Keep the link to the view on the server up to date, in a frame or a saved page.
 * @template S
 * @param {StoreOf<S>} store @param {string} path @param {() => string} address @param {() => string} liveAddress
 */
function mountLinks(store, path, address, liveAddress) {
  const open = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#open-app"));
  if (!open) return;
  store.subscribe(async () => {
    const live = liveAddress();
    const { query, fragment } = await compact(live);
    if (live === liveAddress()) open.href = home + path + query + fragment;
  });
}
