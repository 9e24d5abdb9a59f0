/** The composition root: reads what the page came with, makes the store, and joins the views to it. */

/** @import { ModelEntry, State, Theme } from "./state.js" */
/** @import { Scenario } from "./api.js" */
/** @import { Run, Start } from "./run.js" */
import * as api from "./api.js";
import { plotly } from "./plot.js";
import { newRun, putStep } from "./run.js";
import { createRunner } from "./runner.js";
import { choose, fail, plotted, receive, setTheme, show, write } from "./state.js";
import { createStore } from "./store.js";
import { currentTheme } from "./theme.js";
import { mountHeatmaps } from "./views/heatmaps.js";
import { mountModel } from "./views/model.js";
import { mountReadout } from "./views/readout.js";
import { mountSequence } from "./views/sequence.js";
import { mountTape } from "./views/tape.js";
import { mountTransport } from "./views/transport.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** @type {{models: ModelEntry[], figures: Record<Theme, any>, scenario: Scenario}} */
const boot = JSON.parse(find("#boot").textContent ?? "");

const store = createStore({
  models: boot.models,
  model: boot.scenario.model,
  text: boot.scenario.sequence,
  ...firstRun(find("#first-run").textContent ?? ""),
  error: find("#error").textContent ?? "",
  step: 1,
  unit: 0,
  playing: false,
  speed: 2,
  theme: currentTheme(),
  plotted: false,
});

/**
 * The run that the page arrived with: a recorded stream.
 * @param {string} text
 */
function firstRun(text) {
  /** @type {Run | undefined} */
  let run;
  let received = 0;
  api.readEvents(text, {
    start: (start) => (run = newRun(start)),
    step(step) {
      if (run) putStep(run, step);
      received = step.t;
    },
  });
  if (!run) throw new Error("the page came without its first run");
  return { run, received };
}

/**
 * Puts a run on the tape as it arrives; if it breaks off, the tape goes back to the last whole one.
 */
const runner = createRunner(
  api.trace,
  () => {
    /** @type {Run} */
    let run;
    return {
      start(/** @type {Start} */ start) {
        store.update(show, (run = newRun(start)));
      },
      step(step) {
        putStep(run, step);
        store.update(receive, step.t);
        if (step.t === run.T) whole = run;
      },
      piece: store.flush,
    };
  },
  (error) => {
    if (store.get().run !== whole) {
      store.update(show, whole);
      store.update(receive, whole.T);
    }
    store.update(fail, error instanceof api.Refusal ? error.message : `Something went wrong: ${error.message}`);
  },
);
let whole = store.get().run;

function ask() {
  const { model, text } = store.get();
  runner({ model, sequence: text });
  remember();
}

/** @type {number | undefined} */
let remembering;

/** The address names the scenario, so that a reload or a copied address shows it again. */
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const { model, text } = store.get();
    history.replaceState(null, "", `?${new URLSearchParams({ model, sequence: text })}`);
  }, 300);
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
    const { model } = store.get();
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    try {
      const text = await api.draw(model, seed);
      if (store.get().model === model) actions.write(text);
    } catch (error) {
      store.update(fail, /** @type {Error} */ (error).message);
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
  requestAnimationFrame(async () => {
    const library = await plotly();
    heatmaps.arrive(library);
    store.update(plotted);
  }),
);
