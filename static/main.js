/** The composition root: reads what the page came with, makes the store, and joins the views to it. */

/** @import { ModelEntry, State, Theme } from "./state.js" */
/** @import { Scenario } from "./api.js" */
/** @import { Link } from "./link.js" */
/** @import { Clamp, Run, Start, Step } from "./run.js" */
import * as api from "./api.js";
import { keepDetail } from "./details.js";
import { mountHistory } from "./history.js";
import { beyond, decode, encode, linkTo, writeScenario } from "./link.js";
import { plotly } from "./plot.js";
import { listensTo, writtenAt } from "./reading.js";
import { answer, finish, newRun, putStep, scenarioOf } from "./run.js";
import { createRunner } from "./runner.js";
import { FOCUS, LET_GO, addModel, choose, complete, fail, failDetail, focus, follow, goBack, isChanged, layerIndex, note, putCheck, putScore, receive, setTheme, show, stay, write } from "./state.js"; // prettier-ignore
import { createStore } from "./store.js";
import { currentTheme } from "./theme.js";
import { mountBring } from "./views/bring.js";
import { mountCell } from "./views/cell.js";
import { mountCheck } from "./views/check.js";
import { mountConvention } from "./views/convention.js";
import { mountEquations } from "./views/equations.js";
import { mountExplain } from "./views/explain.js";
import { mountExport } from "./views/export.js";
import { mountHeatmaps } from "./views/heatmaps.js";
import { mountInfluence } from "./views/influence.js";
import { mountInspector } from "./views/inspector.js";
import { mountLight } from "./views/light.js";
import { mountMemory } from "./views/memory.js";
import { mountModel } from "./views/model.js";
import { mountNext } from "./views/next.js";
import { mountRows } from "./views/rows.js";
import { mountSequence } from "./views/sequence.js";
import { mountShare } from "./views/share.js";
import { mountSum } from "./views/sum.js";
import { mountTable } from "./views/table.js";
import { mountTape } from "./views/tape.js";
import { mountTransport } from "./views/transport.js";
import { mountWhatIf } from "./views/whatif.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** What the page came with; of its scenario nothing is changed. @type {{models: ModelEntry[], figures: Record<Theme, any>, pictures: Record<Theme, any>, scenario: Scenario, stages: number[], shares: number, uploads: boolean}} */
const boot = JSON.parse(find("#boot").textContent ?? "");

/** What the tape can show is known from the first run on: it came with the page, or is fetched when it is long. */
const first = firstRun(find("#first-run").textContent || (await api.text(boot.scenario).catch(stop)));
/** What the address says; a file that was opened as it is says it itself. */
const address = () => location.search || (api.recording?.link ?? "");
const link = decode(address());
const store = createStore({
  ...FOCUS,
  ...LET_GO,
  models: boot.models,
  model: boot.scenario.model,
  text: boot.scenario.sequence,
  ...first,
  error: find("#error").textContent ?? "",
  invalid: false,
  playing: false,
  speed: 2,
  theme: currentTheme(),
  first: 0,
  awaited: null,
  details: {},
  score: null,
  refusals: {},
});

/** Without its first run there is nothing to mount: say so, and wait for good. @param {Error} error @returns {Promise<never>} */
function stop(error) {
  find("#error").textContent = `${error.message} Reload the page to ask again.`;
  return new Promise(() => {});
}

/**
 * A recorded stream, played at once.
 * @param {string} text
 */
function firstRun(text) {
  /** @type {Run | undefined} */
  let run;
  let received = 0;
  api.readEvents(text, {
    start: (start) => (run = newRun(start, boot.scenario, boot.stages)),
    step(step) {
      if (run) putStep(run, step);
      received = step.t;
    },
    done: (done) => run && finish(run, done),
  });
  if (!run) throw new Error("the page came without its first run");
  return { run, received };
}

let whole = store.get(); // the state when the last run was complete

/** Puts a run on the tape as it arrives; if it breaks off, the tape goes back to the last whole one. */
const runner = createRunner(
  api.trace,
  (changes) => {
    /** @type {Run} */
    let run;
    return {
      start: (/** @type {Start} */ start) => (run = newRun(start, changes, boot.stages)),
      step(step) {
        if (step.t === 1) {
          if (store.get().run === whole.run) whole = store.get();
          store.update(show, run);
        }
        putStep(run, step);
        if (step.t < run.T) store.update(receive, step.t);
      },
      done(done) {
        finish(run, done);
        store.update(complete);
        whole = store.get();
      },
      piece: store.flush,
    };
  },
  (error) => {
    if (store.get().run !== whole.run) store.update(goBack, whole);
    if (error instanceof api.Unrecorded) {
      store.update(stay, error.message);
      return;
    }
    const refused = error instanceof api.Refusal;
    let again = error instanceof api.Silence ? " Press Enter to ask again." : "";
    if (refused && error.about?.startsWith("clamps"))
      again = ". Change what is held, or let go of it, under “What if”.";
    const text = refused ? error.message + again : `Something went wrong: ${error.message}`;
    store.update(fail, text, refused && Boolean(error.about?.startsWith("sequence")));
  },
  (busy) => find("#tape").setAttribute("aria-busy", String(busy)),
);

function ask() {
  const { model, text, clamps, weights } = store.get();
  runner({ model, sequence: text, clamps, weights });
}

/** Which parts of a link could not be followed. @param {string[]} parts */
const unfollowed = (parts) => (parts.length ? ` This link could not be followed in all: ${parts.join("; ")}.` : "");

/** Follow a link; what it leaves out is as on the page that it would load. @param {Link} link */
async function open({ model, sequence, clamps, weights, focus, notices }) {
  if (model !== null && !store.get().models.some(({ id }) => id === model))
    await api.model(model).then(
      (entry) => store.update(addModel, entry),
      (error) => notices.push(error.message),
    );
  const { models, run, received } = store.get();
  const entry = models.find(({ id }) => id === model) ?? models[0];
  const text = sequence || entry.examples[0];
  const same = writeScenario(scenarioOf(run)) === writeScenario({ sequence: text, clamps, weights });
  const there = same && run.model === entry.id && received === run.T;
  store.update(follow, { model: entry.id, text, clamps, weights, focus, notice: unfollowed(notices).trim() }, there);
  if (!there) ask();
}

const actions = {
  /** @param {string} text */
  write(text) {
    store.update(write, text);
    ask();
  },
  /** @param {string} model */
  choose(model) {
    store.update(choose, model);
    ask();
  },
  /** Put a model that was brought on the page. @param {ModelEntry} entry */
  adopt(entry) {
    store.update(addModel, entry);
    actions.choose(entry.id);
  },
  /** Change something of the model, and run it so. @type {import("./store.js").Update} */
  alter(transition, ...args) {
    const { clamps, weights } = store.get();
    store.update(transition, ...args);
    if (store.get().clamps !== clamps || store.get().weights !== weights) ask();
  },
  /**
   * Run what is on the tape with something held besides, and keep what became of the cursor.
   * @param {"memory" | "influence"} by @param {number} step @param {Clamp} poke
   */
  async check(by, step, poke) {
    const state = store.get();
    const { run, unit } = state;
    const [layer, column] = [layerIndex(state), state.step - 1];
    const read = (/** @type {Run} */ of) => ({ h: of.layers[layer].rows.h[unit][column], y: answer(of, column).text });
    const scenario = scenarioOf(run);
    const poked = { ...scenario, clamps: [...scenario.clamps, poke] };
    /** @type {Run} */
    let other;
    const listener = {
      start: (/** @type {Start} */ start) => (other = newRun(start, poked, boot.stages)),
      step: (/** @type {Step} */ step) => putStep(other, step),
      done() {
        const [was, is] = [read(run), read(other)];
        const now = store.get();
        if (now.run !== run || now.step !== state.step || now.unit !== unit || layerIndex(now) !== layer) return;
        store.update(putCheck, by, { step, h: { was: was.h, is: is.h }, y: { was: was.y, is: is.y } });
      },
    };
    await api.trace(poked, listener, new AbortController().signal).catch((/** @type {Error} */ error) => {
      store.update(putCheck, by, { error: error.message });
    });
  },
  async score() {
    const { run } = store.get();
    try {
      store.update(putScore, { ...(await api.ask("score", scenarioOf(run))), run });
    } catch (error) {
      if (store.get().run === run) store.update(failDetail, "score", /** @type {Error} */ (error).message);
    }
  },
  /** Follow a link on the page, with z named as it is there. @param {string} query */
  follow(query) {
    const link = decode(query);
    const { convention } = store.get();
    return open({ ...link, focus: { ...link.focus, convention } });
  },
  async draw() {
    const { model, text } = store.get();
    // What was typed or chosen meanwhile is newer than the draw.
    const asked = () => store.get().model === model && store.get().text === text;
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    try {
      const drawn = await api.draw(model, seed);
      if (asked()) actions.write(drawn);
    } catch (error) {
      if (asked()) store.update(note, /** @type {Error} */ (error).message);
    }
  },
};

/** Where links lead: this server, or the one that a saved page came from, if it is known. */
const home = api.recording ? api.recording.live : `${location.origin}/`;

const main = find("main");
mountModel(find(".intro"), store, actions);
mountSequence(find(".sequence"), store, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), store);
mountConvention(main, store);
mountRows(find("#tape"), store);
mountTape(find("#tape"), store);
mountExplain(find("#tape"));
mountInspector(main, store);
mountCell(find(".cell"), store, boot.figures);
mountSum(find(".sum"), store, actions);
mountEquations(find(".equations"), store);
mountWhatIf(find(".whatif"), find("#tape"), store, actions);
mountMemory(find(".memory"), find("#tape"), store);
mountInfluence(find(".influence"), find("#tape"), store);
mountCheck(find(".memory .check"), writtenAt, store, actions);
mountCheck(find(".influence .check"), listensTo, store, actions);
mountTable(find(".table"), store);
mountLight(main);
mountShare(find("#share-open"), /** @type {HTMLDialogElement} */ (find("#share")), home, store);
mountExport(find("#export-open"), /** @type {HTMLDialogElement} */ (find("#export")), main, store, boot.pictures);
if (boot.uploads)
  mountBring(find("#bring-open"), /** @type {HTMLDialogElement} */ (find("#bring")), store, api, actions);
const heatmaps = mountHeatmaps(find("#tape"), store, boot.figures);
/** A block of steps that the cursor stands in. @param {State} state @param {number} before @param {number} after */
const around = ({ step, run }, before, after) => ({
  from: Math.max(1, step - before),
  to: Math.min(run.T, step + after),
});
/** All rows of the ledger where they can be had at once, else those around the cursor. @param {State} state */
function ledgerWanted(state) {
  if (!state.views.includes("memory")) return null;
  const rows = Math.floor(boot.shares / (state.run.T + 1));
  const half = rows >= state.run.T ? Infinity : Math.floor((rows - 1) / 2);
  return around(state, half, half);
}
keepDetail(store, "sums", (state) => (state.zoom === "gate" ? around(state, 16, 47) : null), api.ask);
keepDetail(store, "ledger", ledgerWanted, api.ask);
/** Of the output that the tape shows: the label that is answered, or the number. @param {State} state */
const sensitivityWanted = ({ views, step, run }) =>
  views.includes("influence") ? { t: step, output: run.y.kind === "linear" ? 1 : null } : null;
keepDetail(store, "sensitivity", sensitivityWanted, api.ask);
const notice = (store.get().error + unfollowed([...link.notices, ...beyond(link.focus, store.get())])).trim();
store.update(note, notice);
store.update(focus, link.focus);
if (isChanged(link)) {
  const { model, text } = store.get();
  store.update(follow, { ...link, model, text, notice }, false);
  ask();
}
mountHistory(store, address, open);
mountNext(document.querySelector("#next"), store);
store.update((/** @type {State} */ state) => ({ ...state })); // the first flush

const own = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#open-lab"));
// A text that a saved page cannot run goes along to where it can be.
const wanted = (/** @type {State} */ state) =>
  api.recording ? { ...linkTo(state), sequence: state.text } : linkTo(state);
if (own) store.subscribe((state) => (own.href = (api.recording?.live ?? "/") + encode(wanted(state))));

if (parent !== window) {
  // The page around the frame learns how tall it would like to be.
  const announce = () => parent.postMessage({ type: "gruscope", height: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(announce).observe(document.documentElement);
}

const help = /** @type {HTMLDialogElement} */ (find("#help"));
find("#help-open").addEventListener("click", () => help.showModal());
addEventListener("keydown", (event) => {
  const typing = /** @type {HTMLElement} */ (event.target).closest("input[type=text], textarea, dialog");
  if (event.key === "?" && !typing) help.showModal();
});

find("#theme").addEventListener("click", () => {
  const theme = store.get().theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
  store.update(setTheme, theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => store.update(setTheme, currentTheme()));

// Two frames: the page is painted before Plotly, which takes a second to read, gets its turn.
requestAnimationFrame(() =>
  requestAnimationFrame(() =>
    plotly().then(heatmaps.arrive, () =>
      store.update(note, "The pictures could not be loaded. The numbers and the steps are there all the same."),
    ),
  ),
);
