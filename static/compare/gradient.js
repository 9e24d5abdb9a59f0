/** The gradient from state to state: how much of a small change of each earlier state reaches h, for all cells on one logarithmic axis. */

/** @import { StoreOf } from "../store.js" */
/** @import { Curve } from "../chart.js" */
/** @import { Name } from "../facets.js" */
/** @import { Contest, When } from "./contest.js" */
import { fetchAnswer } from "../api.js";
import { brief, mountChart } from "../chart.js";
import { finder, mountChoice, setSentence, setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { deferred } from "../paint.js";
import { scenarioOf } from "../run.js";
import { joined } from "../words.js";
import { setWhen } from "./contest.js";

/**
 * For each timestep, the factor with which a small change of h (and, in an LSTM, of c) reaches h at the cursor.
 * @typedef {{h_gain: number[], c_gain?: number[]}} Gains
 */
const MOST_STORED = 600; // answers

/**
 * Mount the chart of the gradient, and the choice between the weights before and after training.
 * @param {HTMLElement} section
 * @param {StoreOf<Contest>} store
 */
export function mountGradient(section, store) {
  const [says, waiting] = [".says", ".waiting"].map(finder(section));
  const showWhen = mountChoice(section, "[name=when]", (when) => store.update(setWhen, when));
  const chart = mountChart(section, () => show(store.get()));
  /** @type {Map<string, Gains | string>} the answer or the error message, by request */
  const answers = new Map();
  let asking = false;

  /** Return the request for the gradient of a cell. @param {Contest} contest @param {Name} name */
  function questionOf({ cells, when }, name) {
    const { run, step } = cells[name];
    const scenario = scenarioOf(run);
    const model = when === "before" ? `${run.model}@0` : run.model;
    // The clamps are for the trained weights only.
    return {
      ...scenario,
      ...(when === "before" ? { clamps: [] } : {}),
      model,
      layer: 1,
      unit: 1,
      t: step,
      output: null,
    };
  }

  /** Fetch the missing answers, one after the other. */
  async function fetch() {
    const contest = store.get();
    const { cells, shown } = contest;
    if (asking || shown.some((name) => cells[name].received < cells[name].run.T)) return;
    const missing = shown
      .map((name) => questionOf(contest, name))
      .find((question) => !answers.has(JSON.stringify(question)));
    if (!missing) return;
    asking = true;
    const answer = await fetchAnswer("sensitivity", missing, missing.t).catch(
      (/** @type {Error} */ error) => error.message,
    );
    if (answers.size > MOST_STORED) answers.clear();
    answers.set(JSON.stringify(missing), /** @type {Gains} */ (answer));
    asking = false;
    show(store.get());
  }

  /** @param {Contest} contest */
  function show(contest) {
    const { shown, when, cells } = contest;
    showWhen(when);
    const current = shown.map((name) => answers.get(JSON.stringify(questionOf(contest, name))));
    const refused = /** @type {string | undefined} */ (current.find((answer) => typeof answer === "string"));
    section.classList.toggle("late", !refused && current.includes(undefined));
    section.classList.toggle("unavailable", Boolean(refused));
    setText(waiting, refused ?? "");
    fetch();
    if (!current.every((answer) => typeof answer === "object") || !chart.isNew(...current, when)) return;
    const curves = shown.flatMap((name, i) => curvesOf(name, /** @type {Gains} */ (current[i])));
    const { run, step } = cells[shown[0]];
    // The table has every curve. The chart leaves out the curve of h in an LSTM, which is small even if c passes on everything.
    const drawn = curves.filter(({ name }) => !name.endsWith(" layer"));
    chart.draw(drawn, run.T, step, run.tokens, curves);
    setSentence(says, describe(drawn, step, when));
  }

  store.subscribe(deferred(show));
}

/**
 * Return the curves of a cell. In an LSTM, the main curve is the curve of c, the cell's memory.
 * @param {Name} name @param {Gains} gains @returns {Curve[]}
 */
function curvesOf(name, { h_gain, c_gain }) {
  const curve = { name: `of-${name}`, label: TITLES[name], values: h_gain };
  return c_gain
    ? [
        { ...curve, label: `${TITLES[name]} (c)`, values: c_gain },
        { ...curve, label: `${TITLES[name]} (h)`, name: `of-${name} layer` },
      ]
    : [curve];
}

/** Describe how much of a change of the first state reaches the cursor. @param {Curve[]} curves @param {number} step @param {When} when */
function describe(curves, step, when) {
  if (step === 1) return "At t = 1 there is no earlier timestep. Move the cursor to a later timestep.";
  const left = curves.map(({ label, values }) => `${brief(values[0])} in the ${label}`);
  return `${when === "before" ? "Before" : "After"} training, a small change of the state at t = 1 reaches h at t = ${step} with the factor ${joined(left)}.`;
}
