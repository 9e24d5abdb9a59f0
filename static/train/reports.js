/** Views of a training's reports: its milestones, the changes since the first checkpoint, and the gradient flow. */

/** @import { StoreOf } from "../store.js" */
/** @import { Curve } from "../chart.js" */
/** @import { Move, Report, Studio } from "./studio.js" */
import { brief, mountChart } from "../chart.js";
import { finder, newElement, newRow, setLength, setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { fixed } from "../run.js";
import { joined, meanOf, tellKinds } from "../words.js";
import { goToPlace, longest, namesOf, placeAt, reportOf, stepOf, trainingOf, watch } from "./studio.js";

/**
 * Mount the sentences about a training. Each sentence links to the checkpoint that it describes.
 * @param {HTMLElement} section
 * @param {StoreOf<Studio>} store
 */
export function mountMilestones(section, store) {
  const [list, note] = ["ol", ".note"].map((part) => /** @type {HTMLElement} */ (section.querySelector(part)));

  store.subscribe((studio) => {
    const names = namesOf(studio);
    const all = names.flatMap((name) =>
      trainingOf(studio, name).reports.flatMap(({ step, sentences }) =>
        sentences.map((text) => ({ step, text: names.length > 1 ? `${TITLES[name]}: ${text}` : text })),
      ),
    );
    all.sort((a, b) => a.step - b.step);
    const gates = names.flatMap((name) => Object.keys(trainingOf(studio, name).reports.at(-1)?.gates ?? {}));
    setText(note, tellKinds(all.length ? gates : []));
    const shown = stepOf(studio);
    const last = all.findLastIndex(({ step }) => step <= shown);
    setLength(list, all.length, () => {
      const button = newElement("button", { type: "button", className: "quiet" });
      return newElement("li", {}, [button]);
    });
    all.forEach(({ step, text }, i) => {
      const button = /** @type {HTMLElement} */ (list.children[i].firstElementChild);
      setText(button, text);
      button.dataset.step = String(step);
      button.classList.toggle("ahead-of-us", step > shown);
      if ((button.ariaCurrent === "step") === (i === last)) return;
      button.ariaCurrent = i === last ? "step" : null;
      // Scroll only the list, not the page.
      if (i === last) list.scrollTop = button.offsetTop - list.offsetTop - list.clientHeight / 2;
    });
  });

  list.addEventListener("click", ({ target }) => {
    const { step } = /** @type {HTMLElement} */ (target).dataset;
    if (!step) return;
    store.update(watch, false);
    store.update(goToPlace, placeAt(longest(store.get()), Number(step)));
  });
}

/**
 * Mount the table with the mean of each gate and the weights that changed most, for the cell that the visitor touched last.
 * @param {HTMLElement} section
 * @param {StoreOf<Studio>} store
 */
export function mountMoved(section, store) {
  const body = /** @type {HTMLElement} */ (section.querySelector("tbody"));
  /** @type {Report | undefined} */
  let shown;

  store.subscribe((studio) => {
    const report = reportOf(studio, studio.at);
    if (!report || report === shown) return;
    shown = report;
    const [first] = trainingOf(studio, studio.at).reports;
    const gates = Object.entries(report.gates).map(([name, value]) => [
      meanOf(name),
      fixed(first.gates[name]),
      fixed(value),
    ]);
    const moved = report.moved.map((move) => [nameOf(move), fixed(move[4]), fixed(move[5])]);
    body.replaceChildren(...[...gates, ...moved].map((cells) => newRow(cells)));
  });
}

/** Return the name of a weight. @param {Move} move */
const nameOf = ([gate, part, meets, unit]) =>
  `${meets ? `weight of ${part === "U" ? meets.replace(" ", "") : meets}` : `bias ${part}`} in ${gate.replace("h_tilde", "h̃")} of unit ${unit}`;

/**
 * Mount the chart of the sensitivity of the last output to each input, at the shown checkpoint and before training.
 * @param {HTMLElement} section
 * @param {StoreOf<Studio>} store
 */
export function mountGradientFlow(section, store) {
  const says = finder(section)(".says");
  const chart = mountChart(section, () => show(store.get()));

  /** @param {Studio} studio */
  function show(studio) {
    const names = namesOf(studio).filter((name) => reportOf(studio, name));
    const reports = names.map((name) => /** @type {Report} */ (reportOf(studio, name)));
    if (!reports.length || !chart.isNew(...reports)) return;
    /** @type {Curve[]} */
    const curves = names.flatMap((name, i) => {
      const [first] = trainingOf(studio, name).reports;
      const shown = { name: `of-${name}`, label: TITLES[name], values: reports[i].lags.toReversed() };
      const before = {
        name: `of-${name} layer`,
        label: names.length > 1 ? `${TITLES[name]} before` : "before",
        head: `${TITLES[name]} before training`,
        values: first.lags.toReversed(),
      };
      return trainingOf(studio, name).reports.length > 1 ? [before, shown] : [shown];
    });
    const T = reports[0].lags.length;
    chart.draw(curves, T, T, null);
    const left = names.map((name, i) => {
      const [first, ...later] = trainingOf(studio, name).reports;
      return {
        name,
        shown: brief(reports[i].lags.at(-1) ?? 0),
        before: later.length ? brief(first.lags.at(-1) ?? 0) : "",
      };
    });
    const [{ shown, before }] = left;
    const start = `The relative gradient over ${T - 1} ${T === 2 ? "timestep" : "timesteps"} is`;
    const ratio = "It is the gradient at the first input, divided by the gradient at the last input.";
    const several = left.map(
      ({ name, shown, before }) => `${shown} in the ${TITLES[name]}${before && ` (before training ${before})`}`,
    );
    if (left.length > 1) setText(says, `${start} ${joined(several)}. ${ratio}`);
    else setText(says, `${start} ${shown}.${before && ` Before training it was ${before}.`} ${ratio}`);
  }

  store.subscribe(show);
}
