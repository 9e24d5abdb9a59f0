/** The composition root: reads what the page came with, makes the store, and joins the views to it. */

/** @import { ModelEntry, State, Theme } from "./state.js" */
/** @import { Scenario } from "./api.js" */
/** @import { Run, Start } from "./run.js" */
import * as api from "./api.js";
import { mountHistory } from "./history.js";
import { beyond, decode, encode } from "./link.js";
import { plotly } from "./plot.js";
import { finish, newRun, putStep } from "./run.js";
import { createRunner } from "./runner.js";
import { FOCUS, choose, fail, failSums, focus, follow, goBack, layerIndex, putSums, receive, setTheme, show, sumsAt, write } from "./state.js"; // prettier-ignore
import { createStore } from "./store.js";
import { currentTheme } from "./theme.js";
import { mountCell } from "./views/cell.js";
import { mountConvention } from "./views/convention.js";
import { mountEquations } from "./views/equations.js";
import { mountHeatmaps } from "./views/heatmaps.js";
import { mountInspector } from "./views/inspector.js";
import { mountLight } from "./views/light.js";
import { mountModel } from "./views/model.js";
import { mountRows } from "./views/rows.js";
import { mountSequence } from "./views/sequence.js";
import { mountShare } from "./views/share.js";
import { mountSum } from "./views/sum.js";
import { mountTable } from "./views/table.js";
import { mountTape } from "./views/tape.js";
import { mountTransport } from "./views/transport.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** @type {{models: ModelEntry[], figures: Record<Theme, any>, scenario: Scenario, stages: number[]}} */
const boot = JSON.parse(find("#boot").textContent ?? "");

/** What the tape can show is known from the first run on: it came with the page, or is fetched when it is long. */
const first = firstRun(find("#first-run").textContent || (await api.text(boot.scenario)));
const link = decode(location.search);
const store = createStore({
  ...FOCUS,
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
  sums: null,
  sumsError: "",
});

/**
 * A recorded stream, played at once.
 * @param {string} text
 */
function firstRun(text) {
  /** @type {Run | undefined} */
  let run;
  let received = 0;
  api.readEvents(text, {
    start: (start) => (run = newRun(start, boot.stages)),
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
  () => {
    /** @type {Run} */
    let run;
    return {
      start: (/** @type {Start} */ start) => (run = newRun(start, boot.stages)),
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
        store.update(receive, run.T);
        whole = store.get();
      },
      piece: store.flush,
    };
  },
  (error) => {
    if (store.get().run !== whole.run) store.update(goBack, whole);
    const refused = error instanceof api.Refusal;
    const text = refused ? error.message : `Something went wrong: ${error.message}`;
    store.update(fail, text, refused && Boolean(error.about?.startsWith("sequence")));
  },
  (busy) => find("#tape").setAttribute("aria-busy", String(busy)),
);

function ask() {
  const { model, text } = store.get();
  runner({ model, sequence: text });
}

/** Says which parts of a link could not be followed, beside what the server said of the rest. @param {string[]} parts */
function notice(parts) {
  if (parts.length === 0) return;
  const { error } = store.get();
  store.update(fail, `${error} This link could not be followed in all: ${parts.join("; ")}.`.trim(), false);
}

/** @param {ReturnType<typeof decode>} link */
function open({ model, sequence, focus, notices }) {
  const { run, received } = store.get();
  const there = run.model === model && run.tokens?.join(" ") === sequence && received === run.T;
  store.update(follow, { model: model ?? "", text: sequence ?? "", focus }, there);
  if (!there) ask();
  notice(notices);
}

let asking = false;
let refused = ""; // the cursor for which it did not work: asked again once that moves

/** Fetches the products behind the cell's open gate, a block of steps at a time: the run that came does not hold them. */
async function fetchSums() {
  const { zoom, run, received, step, unit } = store.get();
  const layer = layerIndex(store.get());
  const cursor = `${layer} ${unit} ${step}`;
  if (asking || zoom !== "gate" || received < run.T || sumsAt(store.get()) || cursor === refused) return;
  asking = true;
  refused = "";
  const block = { from: Math.max(1, step - 16), to: Math.min(run.T, step + 47) };
  const scenario = { model: run.model, sequence: (run.tokens ?? []).join(" ") };
  try {
    const sums = await api.sums({ ...scenario, ...block, layer: layer + 1, unit: unit + 1 });
    store.update(putSums, { ...sums, ...block, run, layer, unit });
  } catch (error) {
    refused = cursor;
    store.update(failSums, /** @type {Error} */ (error).message);
  } finally {
    asking = false;
  }
  fetchSums(); // the cursor may have gone on meanwhile
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
  async draw() {
    const { model, text } = store.get();
    // What was typed or chosen meanwhile is newer than the draw.
    const asked = () => store.get().model === model && store.get().text === text;
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    try {
      const drawn = await api.draw(model, seed);
      if (asked()) actions.write(drawn);
    } catch (error) {
      if (asked()) store.update(fail, /** @type {Error} */ (error).message, false);
    }
  },
};

const main = find("main");
mountModel(find(".intro"), store, actions);
mountSequence(find(".sequence"), store, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), store);
mountConvention(main, store);
mountRows(find("#tape"), store);
mountTape(find("#tape"), store);
mountInspector(main, store);
mountCell(find(".cell"), store, boot.figures);
mountSum(find(".sum"), store);
mountEquations(find(".equations"), store);
mountTable(find(".table"), store);
mountLight(main);
mountShare(find("#share-open"), /** @type {HTMLDialogElement} */ (find("#share")), store);
const heatmaps = mountHeatmaps(find("#tape"), store, boot.figures);
store.subscribe(fetchSums);
notice([...link.notices, ...beyond(link.focus, store.get())]);
store.update(focus, link.focus);
mountHistory(store, open);
store.update((/** @type {State} */ state) => ({ ...state })); // the first flush

if (document.body.classList.contains("embedded")) {
  const own = /** @type {HTMLAnchorElement} */ (find("#open-lab"));
  store.subscribe((state) => (own.href = `/${encode(state)}`));
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
      store.update(fail, "The pictures could not be loaded. The numbers and the steps are there all the same.", false),
    ),
  ),
);
