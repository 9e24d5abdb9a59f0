/**
 * What the Lab, Compare and Train share: first runs, the header, the address, the lesson or room that the page is part of, and the
 * arrival of Plotly. The main.js of each page has the rest.
 */

/** @import { Scenario } from "./api.js" */
/** @import { Name } from "./facets.js" */
/** @import { PlotlyLibrary } from "./plot.js" */
/** @import { Focus, State } from "./state.js" */
/** @import { Store, StoreOf } from "./store.js" */
import { firstRun } from "./arrival.js";
import { boot, lesson, room } from "./boot.js";
import { begin } from "./changes.js";
import { finder } from "./elements.js";
import { announceHeight, home } from "./frame.js";
import { mountAddress } from "./history.js";
import { mountLesson } from "./lesson/lesson.js";
import { NO_PICTURES, plotly } from "./plot.js";
import { mountRoom } from "./rooms/room.js";
import { ROOT } from "./server.js";
import { focus, note } from "./state.js";
import { mountAppearance } from "./views/appearance.js";
import { mountHelp } from "./views/help.js";
import { mountLight } from "./views/light.js";
import { mountNext } from "./views/next.js";
import { mountShare } from "./views/share.js";

export const find = finder(document);
export const dialog = (/** @type {string} */ selector) => /** @type {HTMLDialogElement} */ (find(selector));

/** The element for messages about the sequence and the link; the page comes with a notice if the link could not be followed. */
export const error = find("#error");

/**
 * Return the view state of each cell of a page with several, with its first run.
 * @param {readonly Name[]} names
 * @param {(name: Name) => Scenario} scenarioOf
 * @param {string} notice
 * @param {Partial<Focus>} place where the cursor is
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
 * Complete a page whose views are mounted.
 * - `lead` has the state of the cell that was touched last; with one cell it is the `store`.
 * - `path` is the page's path on the server, `address` the query of what is looked at, and `show` follows such a query, with the
 *   run ending after the step `upto`.
 * - `liveAddress`: the same as the server would show it, if that differs in a saved page.
 * - `isBusy`: whether a link is on its way.
 * - `history` replaces the plain way of keeping the address, which waits while `isMoving`.
 * @template S
 * @param {{store: StoreOf<S>, lead: Store, path: string, address: () => string, liveAddress?: () => string,
 *          show: (query: string, upto: number | null) => void, upto?: () => number | null, isBusy?: () => boolean, isMoving?: () => boolean, history?: () => void,
 *          heatmaps: {arrive: (library: PlotlyLibrary) => void}[]}} page
 */
export function completePage({ store, lead, path, address, show, heatmaps, ...more }) {
  const { liveAddress = address, upto = () => null, isBusy, isMoving, history } = more;
  mountLight(find("main"));
  mountShare(find("#share-open"), dialog("#share"), home, path, address);
  mountHelp(find("#help-open"), dialog("#help"));
  mountAppearance(find("#theme"), lead);
  mountNext(document.querySelector("#next"), lead);
  mountLinks(store, path, address, liveAddress);
  announceHeight();
  const figure = { show, address, upto, subscribe: store.subscribe, busy: isBusy };
  mountRoom(figure, mountLesson(figure));
  if (!lesson && !room) (history ?? (() => mountAddress(store, address, isMoving)))();
  store.update((state) => ({ ...state })); // a new object, so that every view is drawn for the first time
  afterPaint(() =>
    plotly().then(
      (library) => heatmaps.forEach(({ arrive }) => arrive(library)),
      () => lead.update(note, NO_PICTURES),
    ),
  );
}

/**
 * Keep the links to the view up to date: to a file, and, in a frame or a saved page, to the server.
 * @template S
 * @param {StoreOf<S>} store @param {string} path @param {() => string} address @param {() => string} liveAddress
 */
function mountLinks(store, path, address, liveAddress) {
  const keep = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#keep"));
  if (keep) store.subscribe(() => (keep.href = `${ROOT}api/export/${path}.html${address()}`));
  const open = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#open-lab"));
  if (open) store.subscribe(() => (open.href = home + path + liveAddress()));
}

/** Wait until the page has been painted, which takes two frames: Plotly takes a second to start. @param {() => void} then */
const afterPaint = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
