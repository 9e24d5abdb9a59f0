/** The composition root: reads what the page came with, makes the store, and joins the views to it. */

/** @import { ModelEntry, State, Theme } from "./state.js" */
/** @import { Scenario } from "./api.js" */
/** @import { Run, Start } from "./run.js" */
import * as api from "./api.js";
import { plotly } from "./plot.js";
import { newRun, putStep } from "./run.js";
import { createRunner } from "./runner.js";
import { choose, fail, goBack, receive, setTheme, show, write } from "./state.js";
import { createStore } from "./store.js";
import { currentTheme } from "./theme.js";
import { mountHeatmaps } from "./views/heatmaps.js";
import { mountModel } from "./views/model.js";
import { mountReadout } from "./views/readout.js";
import { mountSequence } from "./views/sequence.js";
import { mountTape } from "./views/tape.js";
import { mountTransport } from "./views/transport.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** @type {{models: ModelEntry[], figures: Record<Theme, any>, scenario: Scenario, stages: number[]}} */
const boot = JSON.parse(find("#boot").textContent ?? "");

/** What the tape can show is known from the first run on: it came with the page, or is fetched when it is long. */
const first = firstRun(find("#first-run").textContent || (await api.text(boot.scenario)));
const store = createStore({
  models: boot.models,
  model: boot.scenario.model,
  text: boot.scenario.sequence,
  ...first,
  error: find("#error").textContent ?? "",
  invalid: false,
  step: 1,
  unit: 0,
  playing: false,
  speed: 2,
  theme: currentTheme(),
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
        store.update(receive, step.t);
        if (step.t < run.T) return;
        whole = store.get();
        remember(whole.run.model, (whole.run.tokens ?? []).join(" "));
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

/** @type {number | undefined} */
let remembering;

/**
 * The address names what is on the tape, so that a reload or a copied address shows it again; an address that no
 * server would take stays as it was.
 * @param {string} model
 * @param {string} sequence
 */
function remember(model, sequence) {
  clearTimeout(remembering);
  const query = `?${new URLSearchParams({ model, sequence })}`;
  if (query.length < 8000) remembering = setTimeout(() => history.replaceState(null, "", query), 300);
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

mountModel(find(".intro"), store, actions);
mountSequence(find(".sequence"), store, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), store);
mountTape(find("#tape"), store);
mountReadout(find("#readout"), store);
const heatmaps = mountHeatmaps(find("#tape"), store, boot.figures);
store.update((/** @type {State} */ state) => ({ ...state })); // the first flush

const help = /** @type {HTMLDialogElement} */ (find("#help"));
find("#help-open").addEventListener("click", () => help.showModal());
addEventListener("keydown", (event) => {
  const typing = /** @type {HTMLElement} */ (event.target).closest("input:not([type=range]), textarea");
  if (event.key === "?" && !typing && !help.open) help.showModal();
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
