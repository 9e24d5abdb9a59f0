/** Start the Lab: create the store from the page's data, and mount the views. */

import { createActions } from "./actions.js";
import { firstRun, keepArriving } from "./arrival.js";
import { boot, lesson, room } from "./boot.js";
import { pageCell } from "./cells.js";
import { begin } from "./changes.js";
import { keepDetails } from "./details.js";
import { createLinkOpener, followAddress } from "./follow.js";
import { wholeAddress } from "./frame.js";
import { mountHistory } from "./history.js";
import { decode, encode, linkTo } from "./link.js";
import { completePage, dialog, error, find } from "./page.js";
import { afterPaint } from "./paint.js";
import { recording } from "./recording.js";
import { listensTo, writtenAt } from "./reading.js";
import { createStore } from "./store.js";
import { mountAgainst } from "./views/against.js";
import { mountInitial } from "./views/initial.js";
import { mountAlike } from "./views/alike.js";
import { mountCensus } from "./views/census.js";
import { mountCell } from "./views/cell.js";
import { mountChaotic } from "./views/chaotic.js";
import { mountCheck } from "./views/check.js";
import { mountConfusion } from "./views/confusion.js";
import { mountConvention } from "./views/convention.js";
import { mountEquations } from "./views/equations.js";
import { mountExplain } from "./views/explain.js";
import { mountExport } from "./views/export.js";
import { mountForecast } from "./views/forecast.js";
import { mountHeatmaps } from "./views/heatmaps.js";
import { mountInfluence } from "./views/influence.js";
import { mountDirections } from "./views/directions.js";
import { mountInspector } from "./views/inspector.js";
import { mountMemory } from "./views/memory.js";
import { mountModel } from "./views/model.js";
import { mountNarration } from "./views/narration.js";
import { mountNewcomer } from "./views/newcomer.js";
import { mountOverview } from "./views/overview.js";
import { mountRows } from "./views/rows.js";
import { mountSequence } from "./views/sequence.js";
import { mountSum } from "./views/sum.js";
import { mountTask } from "./views/task.js";
import { mountTable } from "./views/table.js";
import { mountTape } from "./views/tape.js";
import { mountTransport } from "./views/transport.js";
import { mountUpload } from "./views/upload.js";
import { mountWhatIf } from "./views/whatif.js";
import { mountVectors } from "./views/vectors.js";
import { mountWriting } from "./views/writing.js";

const [main, tape] = ["main", "#tape"].map(find);
const arrived = await wholeAddress();

const first = await firstRun(error, find("#first-run"), boot.scenario);
const upto = room ? room.upto : (lesson?.steps[lesson.step - 1].upto ?? null);
const store = createStore({ ...begin(boot.models, boot.scenario, first, error.textContent ?? ""), upto });
const requestRun = keepArriving(tape, store);
const open = createLinkOpener(store, requestRun);
const actions = createActions(store, requestRun, open);
const opening = followAddress(store, arrived, requestRun);

mountModel(find(".intro"), store, actions);
mountSequence(find(".sequence"), store, actions);
mountChaotic(find(".chaotic"), store);
mountInitial(find("#initial-open"), /** @type {HTMLFormElement} */ (find("form.initial")), store, actions);
mountWriting(find("#write-on"), /** @type {HTMLFormElement} */ (find("form.writing")), store, actions);
mountAgainst(
  find("#against-open"),
  /** @type {HTMLFormElement} */ (find("form.against:not(.initial, .writing)")),
  store,
  actions,
);
if (!recording) mountVectors(find(".sequence"), tape, dialog("#vector"), store, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), store);
mountConvention(main, store);
mountRows(tape, store);
mountOverview(tape, store, boot.figures[pageCell.cell]);
mountTape(tape, store);
mountExplain(tape);
mountInspector(main, store);
mountDirections(main, tape, store);
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
if (!recording) mountCensus(find("#census-open"), dialog("#census"), store, actions);
mountTable(find(".table"), tape, store);
mountExport(find("#export-open"), dialog("#export"), main, store, boot.pictures[pageCell.cell]);
if (boot.uploads) mountUpload(find("#bring-open"), dialog("#bring"), actions);
const heatmaps = mountHeatmaps(tape, store, boot.figures[pageCell.cell]);
const forecast = boot.forecast && mountForecast(tape, store, boot.forecast);
const confusion = boot.confusion && mountConfusion(find(".confusion"), store, boot.confusion);
const answered = keepDetails(store);
mountTask(document.querySelector("#after-gate"), store, actions.alter);
mountNewcomer(document.querySelector("#newcomer"), /** @type {HTMLInputElement} */ (find("#sequence")), store);

completePage({
  store,
  lead: store,
  path: "",
  address: () => encode(linkTo(store.get())),
  // A saved page cannot run every sequence. The link passes the sequence in the box on to the server, which can.
  liveAddress: () => encode({ ...linkTo(store.get()), ...(recording ? { sequence: store.get().text } : {}) }),
  show: (query, upto) => open(decode(query), upto),
  upto: () => store.get().upto,
  isBusy: () => store.get().awaited !== null,
  history: () => mountHistory(store, wholeAddress, open),
  opening: opening.then(afterPaint).then(answered),
  heatmaps: [heatmaps, ...(forecast ? [forecast] : []), ...(confusion ? [confusion] : [])],
});
