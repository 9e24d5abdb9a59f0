/** The root of the Compare page: a store of all cells, a facet of the store for each cell, and the Lab's views on these facets. */

/** @import { Scenario } from "../api.js" */
/** @import { Picture } from "../plot.js" */
/** @import { Theme } from "../state.js" */
/** @import { Name } from "../facets.js" */
/** @import { Contest } from "./contest.js" */
import { createActions } from "../actions.js";
import * as api from "../api.js";
import { keepArriving } from "../arrival.js";
import { boot } from "../boot.js";
import { follow, setClamps } from "../changes.js";
import { keepDetails } from "../details.js";
import { findAll } from "../elements.js";
import { facet } from "../facets.js";
import { home, isPartlyHere, wholeAddress } from "../frame.js";
import { unfollowed, writeScenario } from "../link.js";
import { completePage, error, find, firstStates } from "../page.js";
import { seenFirst } from "../paint.js";
import { scenarioOf } from "../run.js";
import { createStore } from "../store.js";
import { mountCell } from "../views/cell.js";
import { mountChaotic } from "../views/chaotic.js";
import { mountConvention } from "../views/convention.js";
import { mountEquations } from "../views/equations.js";
import { mountExplain } from "../views/explain.js";
import { mountHeatmaps } from "../views/heatmaps.js";
import { mountNarration } from "../views/narration.js";
import { mountSequence } from "../views/sequence.js";
import { mountTable } from "../views/table.js";
import { mountTape } from "../views/tape.js";
import { mountTransport } from "../views/transport.js";
import { PRESENT } from "./contest.js";
import { mountCosts } from "./costs.js";
import { mountFinding } from "./finding.js";
import { mountGradient } from "./gradient.js";
import { addressOf, read } from "./link.js";
import { mountShown } from "./shown.js";
import { mountTies } from "./ties.js";

const main = find("main");
const arrived = await wholeAddress();
const link = read(arrived);
const notice = `${error.textContent} ${unfollowed(link.notices)}`.trim();
const views = /** @type {const} */ (["tape", "words", "cell", "equations"]);
const scenarios = /** @type {Record<Name, Scenario>} */ (boot.scenarios);
const { step, unit, convention } = link.focus;

const store = createStore(
  /** @type {Contest} */ ({
    cells: await firstStates(PRESENT, (name) => scenarios[name], notice, { views, step, unit, convention }),
    shown: link.shown,
    at: link.shown[link.shown.length - 1],
    when: link.when,
  }),
);
const lead = facet(store, () => store.get().at);
const facets = PRESENT.map((name) => ({ name, store: facet(store, () => name), tape: find(`#tape-${name}`) }));
const trace = api.traceTogether();
const requests = Object.fromEntries(facets.map(({ name, store, tape }) => [name, keepArriving(tape, store, trace)]));
const askAll = () => Object.values(requests).forEach((requestRun) => requestRun());
const gru = facet(store, () => "gru");
const actions = createActions(lead, askAll, async () => {}); // no link is followed on this page
const ofGru = createActions(gru, requests.gru, async () => {});

mountSequence(find(".sequence"), lead, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), lead);
mountTape(find("#clock-tape"), lead);
mountConvention(main, lead);

/** Return the figures of a cell by theme. The factor of the old state, `keep`, gets the colors of the LSTM's f. @param {Name} name */
function figuresOf(name) {
  const themes = Object.entries(boot.figures[name]).map(([theme, figure]) => {
    const { data } = boot.figures.lstm[/** @type {Theme} */ (theme)];
    const f = /** @type {Picture} */ (data.find((picture) => picture.name === "f"));
    return [theme, { ...figure, data: [...figure.data, { ...f, name: "keep" }] }];
  });
  return Object.fromEntries(themes);
}

const heatmaps = facets.map(({ name, store, tape }) => {
  const part = find(`.contender[data-cell=${name}]`);
  mountTape(tape, store);
  mountExplain(tape);
  mountNarration(find(`.words[data-cell=${name}]`), store);
  mountChaotic(find(`.words[data-cell=${name}] .chaotic`), store);
  const partStore = seenFirst(store, part); // below the tapes, where most screens do not show it at first
  mountCell(/** @type {HTMLElement} */ (part.querySelector(".cell")), partStore, figuresOf(name));
  mountEquations(/** @type {HTMLElement} */ (part.querySelector(".equations")), partStore);
  mountTable(/** @type {HTMLElement} */ (part.querySelector(".table")), tape, store);
  keepDetails(store);
  store.subscribe(({ views }) => {
    /** @type {HTMLElement} */ (part.querySelector(".table")).hidden = !views.includes("table");
  });
  return mountHeatmaps(tape, store, boot.figures[name]);
});
mountTies(
  find(".ties"),
  facet(store, () => "lstm"),
  gru,
  ofGru,
);
mountFinding(find("#finding"), store);
mountGradient(find(".gradient"), store);
const measureTimes = mountCosts(find(".costs"), api.measureTime);
mountShown(main, store, lead, addressOf, home);
// All tapes that are wider than their frames scroll together.
const scrollers = findAll(main, ".scroller");
for (const scroller of scrollers)
  scroller.addEventListener("scroll", () => scrollers.forEach((other) => (other.scrollLeft = scroller.scrollLeft)), {
    passive: true,
  });

/** Show the view of a link. The link has the `task` and the `by` of this page. @param {string} query */
function show(query) {
  const link = read(query);
  store.update((contest) => ({
    ...contest,
    shown: link.shown,
    at: link.shown[link.shown.length - 1],
    when: link.when,
  }));
  for (const { name, store: cell } of facets) {
    const { model, run, received, views, table } = cell.get();
    const text = link.sequence || String(scenarios[name].sequence);
    const clamps = name === "gru" ? link.clamps : [];
    const same = writeScenario(scenarioOf(run)) === writeScenario({ sequence: text, clamps, weights: [] });
    const onTape = same && received === run.T;
    cell.update(
      follow,
      { model, text, clamps, weights: [], focus: { ...link.focus, views, table }, notice: "" },
      onTape,
    );
    if (!onTape) requests[name]();
  }
  if (link.times) measureTimes();
}
if (link.times) measureTimes();
if (isPartlyHere()) show(arrived);
else if (link.clamps.length) ofGru.alter(setClamps, link.clamps, null);

completePage({ store, lead, path: "compare", address: () => addressOf(store.get()), show, heatmaps });
