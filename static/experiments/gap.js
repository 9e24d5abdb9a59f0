/**
 * The experiment “Gradient reach”: how far the gradient reaches with the initial weights that the controls set, and whether training
 * then succeeds. A map shows the stored result over learning rates, sizes and gaps.
 */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
/** @import { Studio, Training } from "../train/studio.js" */
import * as api from "../api.js";
import { findAll, finder, setText } from "../elements.js";
import { fixed } from "../run.js";
import { createStore } from "../store.js";
import { tellNews, tellStatus } from "../train/course.js";
import { mountCurves } from "../train/curves.js";
import { bodyOf } from "../train/recipe.js";
import { createStreams } from "../train/stream.js";
import {
  goToPlace,
  goToStep,
  isBusy,
  isGoing,
  longest,
  namesOf,
  newStudio,
  newTraining,
  put,
  setMessage,
  trainingOf,
} from "../train/studio.js";
import { mountMilestones, mountGradientFlow } from "../train/reports.js";
import { createControls } from "./controls.js";
import { tellGap } from "./gap/verdict.js";
import { mountHere } from "./here.js";
import { mountMap } from "./gap/map.js";
import { mountExperiment } from "./page.js";

const find = finder(document);
const form = /** @type {HTMLFormElement} */ (find("main form"));
const controls = createControls(form);
const chosen = () => /** @type {Name[]} */ (controls.values().cells.split(","));

const store = createStore(
  newStudio({ cells: /** @type {Studio["cells"]} */ ({}), at: "gru", trainings: {}, linear: false, goal: Infinity }),
);
const streams = createStreams(store, null);
const here = mountHere(find(".here"), { start: train, stop: () => stop() });
const map = mountMap(find(".map"), controls);
/** The results of the trainings on this page. @type {Record<string, string | number | null>[]} */
const rows = [];

/** Return the request that the controls describe, in the format of GapBody in app/schemas.py. */
function question() {
  const { gap, units, first, b, seed } = controls.values();
  return { gap: Number(gap), units: Number(units), first, b: first === "plain" ? Number(b) : 0, seed: Number(seed) };
}

/** Whether the page is waiting for a response. The page sends only one request at a time. */
let asking = false;
let answered = "";
/** @type {Record<Name, {lags: number[], recipe: Recipe}> | null} */
let answer = null;

async function requestAnswer() {
  const body = question();
  if (asking) return;
  asking = JSON.stringify(body) !== answered;
  find(".gradient").ariaBusy = String(asking);
  if (!asking) return;
  answered = JSON.stringify(body);
  try {
    answer = await api.fetchAnswer("experiments/gap", /** @type {any} */ (body));
    store.update(setMessage, "");
    show();
  } catch (error) {
    store.update(setMessage, /** @type {Error} */ (error).message);
  }
  asking = false;
  requestAnswer();
}

/** Show the values of the sliders next to them. */
function label() {
  const { gap, units, first, b } = controls.values();
  for (const [name, text] of Object.entries({ gap, units, b: fixed(Number(b)) }))
    setText(find(`[name=${name}-out]`), text);
  /** @type {HTMLElement} */ (form.querySelector(".bias")).hidden = first !== "plain";
}

/** Show the chosen cells before training. */
function show() {
  if (!answer) return;
  stop();
  turn += 1;
  [starting, running] = [false, false];
  here.end("");
  store.update((studio) => ({ ...studio, trainings: {}, place: 0, goal: Infinity }));
  for (const name of chosen()) {
    const { lags, recipe } = answer[name];
    const first = {
      step: 0,
      losses: [],
      rate: 0,
      score: NaN,
      good_at: null,
      lags,
      gates: {},
      moved: [],
      sentences: [],
    };
    store.update(put, name, { ...newTraining("", recipe), state: "done", reports: [first] });
  }
}

/** Whether a run is starting, whether a run is in progress, and a number that changes with each run and each change of a setting. */
let [starting, running, turn] = [false, false, 0];

async function train() {
  const current = answer;
  if (!current) return;
  const rate = Number(controls.values().rate);
  store.update(setMessage, "");
  store.update(goToStep, Infinity);
  [starting, running, turn] = [true, true, turn + 1];
  const own = turn;
  try {
    for (const name of chosen()) {
      const { recipe } = current[name];
      const ownRate = { ...recipe, schedule: { ...recipe.schedule, rate } };
      const { id } = await api.train(bodyOf(ownRate));
      if (own !== turn) {
        api.stopTraining(id).catch(() => {});
        return;
      }
      store.update(put, name, newTraining(id, ownRate));
      streams.follow(name);
    }
  } catch (error) {
    if (own === turn) store.update(setMessage, /** @type {Error} */ (error).message);
  }
  if (own !== turn) return;
  starting = false;
  store.update((studio) => ({ ...studio }));
}

/** Stop all trainings that this page started. @param {RequestInit} [init] */
function stop(init) {
  const studio = store.get();
  for (const name of namesOf(studio)) {
    const training = trainingOf(studio, name);
    if (isGoing(training)) api.stopTraining(training.id, init).catch(() => {});
  }
}

/** Return the finished share of a training, from 0 to 1. @param {Training} training */
const shareOf = (training) =>
  isGoing(training) ? (training.reports.at(-1)?.step ?? 0) / training.recipe.schedule.most : 1;

/** Show the progress of the trainings and, after the last one, the verdict. @param {Studio} studio */
function showProgress(studio) {
  const trainings = namesOf(studio).map((name) => trainingOf(studio, name));
  if (isBusy(studio)) {
    const share = trainings.reduce((sum, training) => sum + shareOf(training), 0) / trainings.length;
    here.show({ total: trainings.length, done: trainings.filter((training) => !isGoing(training)).length, share });
  } else if (running && !starting) {
    running = false;
    const ended = trainings.filter(({ id }) => id);
    here.end(ended.length ? tellGap(ended, map.counterparts()) : "", studio.message);
    rows.push(...ended.map(rowOf));
  } else setText(find(".here .error"), studio.message);
}

/** Return the result of a training as a row of the export. @param {Training} training */
function rowOf({ recipe, reports, state }) {
  const [first, last] = [reports[0], reports[reports.length - 1]];
  const biases = Object.fromEntries(Object.entries(recipe.biases).map(([gate, b]) => [`b_${gate}`, b]));
  const { cell, units, seed, first: initial, schedule } = recipe;
  return {
    ...{ cell, units, seed, first: initial, T: schedule.T, rate: schedule.rate, ended: state },
    ...{ steps: last?.step ?? 0, good_at: last?.good_at ?? null, score: last?.score ?? null },
    ...{ gradient_before: first?.lags.at(-1) ?? null, gradient: last?.lags.at(-1) ?? null },
    ...biases,
  };
}

const slider = /** @type {HTMLInputElement} */ (find(".curves [type=range]"));
slider.addEventListener("input", () => store.update(goToPlace, Number(slider.value)));
addEventListener("pagehide", () => stop({ keepalive: true }));
mountGradientFlow(find(".gradient"), store);
mountCurves(find(".course"), store);
mountMilestones(find(".milestones"), store);
store.subscribe((studio) => {
  showProgress(studio);
  if (namesOf(studio).length === 0) return;
  slider.max = String(Math.max(0, longest(studio).reports.length - 1));
  slider.value = String(studio.place);
  const trained = longest(studio).reports.length > 1 || isBusy(studio);
  for (const part of [...findAll(find(".course"), ".curves, .as-table"), find(".milestones")]) part.hidden = !trained;
  setText(find(".course .status"), trained ? tellStatus(studio) : "");
  setText(find(".course .unseen"), trained ? tellNews(studio) : "");
});
controls.subscribe(() => {
  label();
  show();
  requestAnswer();
});
mountExperiment(controls, () => rows);
