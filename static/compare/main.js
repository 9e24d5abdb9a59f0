/** The compare page's root: a store of all cells, a facet of it for each, and the lab's own views joined to these. */

/** @import { Scenario } from "../api.js" */
/** @import { Picture } from "../plot.js" */
/** @import { Theme } from "../state.js" */
/** @import { Name } from "../facets.js" */
/** @import { Contest } from "./contest.js" */
import { createActions } from "../actions.js";
import * as api from "../api.js";
import { firstRun, keepArriving } from "../arrival.js";
import { boot, lesson, room } from "../boot.js";
import { begin, follow, hold } from "../changes.js";
import { facet } from "../facets.js";
import { address, announceHeight, frameKeys, home } from "../frame.js";
import { mountLesson } from "../lesson/lesson.js";
import { LONGEST, unfollowed, writeScenario } from "../link.js";
import { NO_PICTURES, plotly } from "../plot.js";
import { mountRoom } from "../rooms/room.js";
import { scenarioOf } from "../run.js";
import { focus, note } from "../state.js";
import { createStore } from "../store.js";
import { mountAppearance } from "../views/appearance.js";
import { mountCell } from "../views/cell.js";
import { mountConvention } from "../views/convention.js";
import { mountEquations } from "../views/equations.js";
import { mountExplain } from "../views/explain.js";
import { mountHeatmaps } from "../views/heatmaps.js";
import { mountHelp } from "../views/help.js";
import { mountLight } from "../views/light.js";
import { mountNarration } from "../views/narration.js";
import { mountNext } from "../views/next.js";
import { mountSequence } from "../views/sequence.js";
import { mountShare } from "../views/share.js";
import { mountTable } from "../views/table.js";
import { mountTape } from "../views/tape.js";
import { mountTransport } from "../views/transport.js";
import { PRESENT } from "./contest.js";
import { mountCosts } from "./costs.js";
import { mountGradient } from "./gradient.js";
import { addressOf, read } from "./link.js";
import { mountShown } from "./shown.js";
import { mountTies } from "./ties.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const dialog = (/** @type {string} */ selector) => /** @type {HTMLDialogElement} */ (find(selector));
const main = find("main");
const error = find("#error");


const link = read(address());
const notice = `${error.textContent} ${unfollowed(link.notices)}`;
const views = /** @type {const} */ (["tape", "words", "cell", "equations"]);
const scenarios = /** @type {Record<Name, Scenario>} */ (boot.scenarios);

/** @param {Name} name */
async function start(name) {
  const first = await firstRun(error, find(`#first-run-${name}`), scenarios[name]);
  const { step, unit, convention } = link.focus;
  const state = begin(boot.models, scenarios[name], first, notice.trim());
  return focus(state, { ...state, views, step, unit, convention });
}

const store = createStore(
  /** @type {Contest} */ ({
    cells: Object.fromEntries(await Promise.all(PRESENT.map(async (name) => [name, await start(name)]))),
    shown: link.shown,
    at: link.shown[link.shown.length - 1],
    when: link.when,
  }),
);
const lead = facet(store, () => store.get().at);
const facets = PRESENT.map((name) => ({ name, store: facet(store, () => name), tape: find(`#tape-${name}`) }));
const asks = Object.fromEntries(facets.map(({ name, store, tape }) => [name, keepArriving(tape, store)]));
const askAll = () => Object.values(asks).forEach((ask) => ask());
const gru = facet(store, () => "gru");
const actions = createActions(lead, askAll, async () => {}); // no link is followed on this page
const ofGru = createActions(gru, asks.gru, async () => {});

mountSequence(find(".sequence"), lead, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), lead);
mountTape(find("#clock-tape"), lead);
mountConvention(main, lead);

/** What keeps the old state has the colours of the LSTM's f in the other figures too. @param {Name} name */
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
  mountCell(/** @type {HTMLElement} */ (part.querySelector(".cell")), store, figuresOf(name));
  mountEquations(/** @type {HTMLElement} */ (part.querySelector(".equations")), store);
  mountTable(/** @type {HTMLElement} */ (part.querySelector(".table")), tape, store);
  store.subscribe(({ views }) => {
    /** @type {HTMLElement} */ (part.querySelector(".table")).hidden = !views.includes("table");
  });
  return mountHeatmaps(tape, store, boot.figures[name]);
});
mountTies(find(".ties"), facet(store, () => "lstm"), gru, ofGru);
mountGradient(find(".gradient"), store);
mountCosts(find(".costs"), api.timing);
mountShown(main, store, addressOf, home);
mountLight(main);
mountNext(document.querySelector("#next"), lead);
mountShare(find("#share-open"), dialog("#share"), home, "compare", () => addressOf(store.get()));
mountHelp(find("#help-open"), dialog("#help"));
mountAppearance(find("#theme"), lead);
announceHeight();
const keep = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#keep"));
if (keep) store.subscribe((contest) => (keep.href = `${api.UP}api/export/compare.html${addressOf(contest)}`));
const open = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#open-lab"));
if (open) store.subscribe((contest) => (open.href = `${home}compare${addressOf(contest)}`));

// Every tape that is wider than its frame scrolls with the others.
const scrollers = /** @type {HTMLElement[]} */ ([...main.querySelectorAll(".scroller")]);
for (const one of scrollers)
  one.addEventListener("scroll", () => scrollers.forEach((other) => (other.scrollLeft = one.scrollLeft)), { passive: true }); // prettier-ignore

/** Show what a link says, which is of the same task and matched by the same. @param {string} query */
function show(query) {
  const link = read(query);
  store.update((contest) => ({ ...contest, shown: link.shown, at: link.shown[link.shown.length - 1], when: link.when }));
  for (const { name, store: cell } of facets) {
    const { model, models, run, received, views, table } = cell.get();
    const text = link.sequence || models.find(({ id }) => id === model)?.examples[0] || "";
    const clamps = name === "gru" ? link.clamps : [];
    const same = writeScenario(scenarioOf(run)) === writeScenario({ sequence: text, clamps, weights: [] });
    const there = same && received === run.T;
    cell.update(follow, { model, text, clamps, weights: [], focus: { ...link.focus, views, table }, notice: "" }, there);
    if (!there) asks[name]();
  }
}
const figure = { show, address: () => addressOf(store.get()), upto: () => null, subscribe: store.subscribe };
mountRoom(figure, mountLesson(figure));

/** @type {number | undefined} */
let timer;
store.subscribe((contest) => {
  clearTimeout(timer);
  if (lesson || room) return;
  timer = setTimeout(() => {
    const address = addressOf(contest);
    if (address.length > LONGEST || location.protocol === "file:") return;
    history.replaceState(null, "", address + frameKeys);
  }, 300);
});
if (link.clamps.length) ofGru.alter(hold, link.clamps, null);
store.update((contest) => ({ ...contest })); // a new object, so that every view is told for the first time

// After two frames the page has been painted. Only then comes Plotly, which takes a second to start.
requestAnimationFrame(() =>
  requestAnimationFrame(() =>
    plotly().then(
      (library) => heatmaps.forEach(({ arrive }) => arrive(library)),
      () => lead.update(note, NO_PICTURES),
    ),
  ),
);
