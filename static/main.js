/** The composition root: makes the store of what the page came with, and joins the views to it. */

import { createActions } from "./actions.js";
import * as api from "./api.js";
import { firstRun, keepArriving } from "./arrival.js";
import { boot, lesson, room } from "./boot.js";
import { pageCell } from "./cells.js";
import { begin } from "./changes.js";
import { keepDetails } from "./details.js";
import { createFollower, followAddress } from "./follow.js";
import { address, announceHeight, home } from "./frame.js";
import { mountHistory } from "./history.js";
import { mountLesson } from "./lesson/lesson.js";
import { decode, encode, linkTo } from "./link.js";
import { NO_PICTURES, plotly } from "./plot.js";
import { listensTo, writtenAt } from "./reading.js";
import { mountRoom } from "./rooms/room.js";
import { note } from "./state.js";
import { createStore } from "./store.js";
import { mountAgainst } from "./views/against.js";
import { mountAlike } from "./views/alike.js";
import { mountAppearance } from "./views/appearance.js";
import { mountBring } from "./views/bring.js";
import { mountCell } from "./views/cell.js";
import { mountCheck } from "./views/check.js";
import { mountConvention } from "./views/convention.js";
import { mountEquations } from "./views/equations.js";
import { mountExplain } from "./views/explain.js";
import { mountExport } from "./views/export.js";
import { mountHeatmaps } from "./views/heatmaps.js";
import { mountHelp } from "./views/help.js";
import { mountInfluence } from "./views/influence.js";
import { mountInspector } from "./views/inspector.js";
import { mountLight } from "./views/light.js";
import { mountMemory } from "./views/memory.js";
import { mountModel } from "./views/model.js";
import { mountNarration } from "./views/narration.js";
import { mountNext } from "./views/next.js";
import { mountRows } from "./views/rows.js";
import { mountSequence } from "./views/sequence.js";
import { mountOpenLab, mountShare } from "./views/share.js";
import { mountSum } from "./views/sum.js";
import { mountTable } from "./views/table.js";
import { mountTape } from "./views/tape.js";
import { mountTransport } from "./views/transport.js";
import { mountWhatIf } from "./views/whatif.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const dialog = (/** @type {string} */ selector) => /** @type {HTMLDialogElement} */ (find(selector));
const [main, tape] = ["main", "#tape"].map(find);

const first = await firstRun(find("#error"), find("#first-run"), boot.scenario);
const upto = room ? room.upto : (lesson?.steps[lesson.step - 1].upto ?? null);
const store = createStore({ ...begin(boot.models, boot.scenario, first, find("#error").textContent ?? ""), upto });
const ask = keepArriving(tape, store);
const open = createFollower(store, ask);
const actions = createActions(store, ask, open);

mountModel(find(".intro"), store, actions);
mountSequence(find(".sequence"), store, actions);
mountAgainst(find("#against-open"), /** @type {HTMLFormElement} */ (find("form.against")), store, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), store);
mountConvention(main, store);
mountRows(tape, store);
mountTape(tape, store);
mountExplain(tape);
mountInspector(main, store);
mountNarration(find(".words"), store);
mountCell(find(".cell"), store, boot.figures[pageCell.cell]);
mountSum(find(".sum"), store, actions);
mountEquations(find(".equations"), store);
mountWhatIf(find(".whatif"), tape, store, actions);
if (find(".memory .ledger")) {
  mountMemory(find(".memory"), tape, store);
  mountCheck(find(".memory .check"), writtenAt, store, actions);
}
mountInfluence(find(".influence"), tape, store);
mountCheck(find(".influence .check"), listensTo, store, actions);
mountAlike(find(".alike"), store, actions);
mountTable(find(".table"), tape, store);
mountLight(main);
mountShare(find("#share-open"), dialog("#share"), home, "", () => encode(linkTo(store.get())));
mountExport(find("#export-open"), dialog("#export"), main, store, boot.pictures);
if (boot.uploads) mountBring(find("#bring-open"), dialog("#bring"), store, api, actions);
mountHelp(find("#help-open"), dialog("#help"));
mountAppearance(find("#theme"), store);
mountOpenLab(document.querySelector("#open-lab"), store);
const heatmaps = mountHeatmaps(tape, store, boot.figures[pageCell.cell]);
keepDetails(store);
followAddress(store, ask);
const figure = {
  show: (/** @type {string} */ query, /** @type {number | null} */ upto) => open(decode(query), upto),
  address: () => encode(linkTo(store.get())),
  upto: () => store.get().upto,
  subscribe: store.subscribe,
  busy: () => store.get().awaited !== null,
};
mountRoom(figure, mountLesson(figure));
if (!lesson && !room) mountHistory(store, address, open);
announceHeight();
mountNext(document.querySelector("#next"), store);
store.update((state) => ({ ...state })); // a new object, so that every view is told for the first time

// After two frames the page has been painted. Only then comes Plotly, which takes a second to start.
requestAnimationFrame(() =>
  requestAnimationFrame(() =>
    plotly().then(heatmaps.arrive, () => store.update(note, NO_PICTURES)),
  ),
);
