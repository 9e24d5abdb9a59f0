/** The gradient's way back: how much each state would move with those before it, for all cells on one logarithmic axis. */

/** @import { StoreOf } from "../store.js" */
/** @import { Curve } from "../chart.js" */
/** @import { Name } from "../facets.js" */
/** @import { Contest, When } from "./contest.js" */
import { fetchAnswer } from "../api.js";
import { brief, drawCurves, listCurves } from "../chart.js";
import { setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { scenarioOf } from "../run.js";
import { joined } from "../words.js";
import { setWhen } from "./contest.js";

/** The norms of ∂h_t/∂h_k and, of an LSTM, of ∂h_t/∂c_k, by k. @typedef {{h_norm: number[], c_norm?: number[]}} Norms */
const MOST_KEPT = 600; // answers

/**
 * @param {HTMLElement} section
 * @param {StoreOf<Contest>} store
 */
export function mountGradient(section, store) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const [svg, says, waiting, table] = ["svg", ".says", ".waiting", "table"].map(find);
  const whens = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll("[name=when]")]);
  const details = /** @type {HTMLDetailsElement} */ (find("details"));
  /** @type {Map<string, Norms | string>} an answer, or why there is none, by what was asked */
  const known = new Map();
  let asking = false;
  let [width, height] = [0, 0];
  /** @type {unknown[]} */
  let drawn = [];

  /** What is to be asked about a cell. @param {Contest} contest @param {Name} name */
  function question({ cells, when }, name) {
    const { run, step } = cells[name];
    const scenario = scenarioOf(run);
    const model = when === "before" ? `${run.model}@0` : run.model;
    // Weights that training has not touched have nothing held in them.
    return { ...scenario, ...(when === "before" ? { clamps: [] } : {}), model, layer: 1, unit: 1, t: step, output: null };
  }

  /** Ask for one answer that is missing, then for the next. */
  async function fetch() {
    const contest = store.get();
    const { cells, shown } = contest;
    if (asking || shown.some((name) => cells[name].received < cells[name].run.T)) return;
    const wanted = shown.map((name) => question(contest, name)).find((one) => !known.has(JSON.stringify(one)));
    if (!wanted) return;
    asking = true;
    const found = await fetchAnswer("sensitivity", wanted, wanted.t).catch((/** @type {Error} */ error) => error.message);
    if (known.size > MOST_KEPT) known.clear();
    known.set(JSON.stringify(wanted), /** @type {Norms} */ (found));
    asking = false;
    show(store.get());
  }

  /** @param {Contest} contest */
  function show(contest) {
    const { shown, when, cells } = contest;
    for (const input of whens) input.checked = input.value === when;
    const found = shown.map((name) => known.get(JSON.stringify(question(contest, name))));
    section.classList.toggle("late", found.includes(undefined));
    setText(waiting, /** @type {string} */ (found.find((one) => typeof one === "string")) ?? "");
    fetch();
    const wanted = [...found, when, width, height, details.open];
    if (!found.every((one) => typeof one === "object") || wanted.every((one, i) => one === drawn[i])) return;
    drawn = wanted;
    const curves = shown.flatMap((name, i) => curvesOf(name, /** @type {Norms} */ (found[i])));
    const { run, step } = cells[shown[0]];
    svg.innerHTML = drawCurves(curves, run.T, step, width, height);
    setText(says, tell(curves, step, when));
    if (details.open) listCurves(table, curves, run.tokens);
    else table.replaceChildren();
  }

  for (const input of whens)
    input.addEventListener("change", () => store.update(setWhen, /** @type {When} */ (input.value)));
  details.addEventListener("toggle", () => show(store.get()));
  new ResizeObserver(([{ contentRect }]) => {
    [width, height] = [contentRect.width, contentRect.height].map(Math.round);
    show(store.get());
  }).observe(svg);
  store.subscribe(show);
}

/** @param {Name} name @param {Norms} norms @returns {Curve[]} */
function curvesOf(name, { h_norm, c_norm }) {
  const curve = { name: `of-${name}`, label: TITLES[name], values: h_norm };
  return c_norm ? [{ ...curve, label: `${TITLES[name]} (h)` }, { name: `of-${name} layer`, label: `${TITLES[name]} (c)`, values: c_norm }] : [curve]; // prettier-ignore
}

/** How much is left of each at the first step. @param {Curve[]} curves @param {number} step @param {When} when */
function tell(curves, step, when) {
  if (step === 1) return "At t = 1 there is no earlier timestep. Move the cursor to a later timestep.";
  const left = curves.map(({ label, values }) => `${brief(values[0])} for the ${label}`);
  return `${when === "before" ? "Before" : "After"} training, the norm of the gradient of h at t = ${step} with respect to the state at t = 1 is ${joined(left)}.`;
}
