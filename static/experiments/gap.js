/**
 * The experiment “Gradient reach”: how far the gradient reaches with the initial weights that the sliders set, and whether training
 * then succeeds.
 */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
/** @import { Studio } from "../train/studio.js" */
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
  newTraining,
  put,
  setMessage,
  trainingOf,
} from "../train/studio.js";
import { mountMilestones, mountGradientFlow } from "../train/reports.js";
import { createControls } from "./controls.js";
import { mountExperiment } from "./page.js";

const find = finder(document);
const form = /** @type {HTMLFormElement} */ (find("main form"));
const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
const boxes = /** @type {HTMLInputElement[]} */ (findAll(form, "[name=cells]"));
const chosen = () => boxes.filter(({ checked }) => checked).map(({ value }) => value);

const controls = createControls(form);
const store = createStore(
  /** @type {Studio} */ (
    /** @type {unknown} */ ({
      cells: {},
      at: "gru",
      trainings: {},
      place: 0,
      linear: false,
      goal: Infinity,
      watching: false,
      pace: 10,
      message: "",
    })
  ),
);
const streams = createStreams(store, null);

/** Return the question that the controls describe. */
function question() {
  const { gap, units, first, b } = controls.values();
  return { gap: Number(gap), units: Number(units), first, b: first === "plain" ? Number(b) : 0 };
}

/** Whether the page is waiting for a response. It sends one request at a time. */
let asking = false;
let answered = "";
/** @type {Record<Name, {lags: number[], recipe: Recipe}> | null} */
let answer = null;

async function requestAnswer() {
  const body = question();
  for (const name of ["gap", "units"]) setText(field(`${name}-out`), field(name).value);
  setText(field("b-out"), fixed(Number(field("b").value)));
  /** @type {HTMLElement} */ (form.querySelector(".bias")).hidden = body.first !== "plain";
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

/** Show the chosen cells before training. */
function show() {
  if (!answer) return;
  store.update((studio) => ({ ...studio, trainings: {}, place: 0, goal: Infinity }));
  for (const name of chosen()) {
    const { lags, recipe } = answer[name];
    const first = { step: 0, losses: [], rate: 0, score: NaN, good_at: null, lags, gates: {}, moved: [], said: [] };
    store.update(put, name, { ...newTraining("", recipe), state: "done", reports: [first] });
  }
}

async function train() {
  const current = answer;
  if (!current) return;
  store.update(setMessage, "");
  store.update(goToStep, Infinity);
  try {
    for (const name of chosen()) {
      const { id } = await api.train(bodyOf(current[name].recipe));
      store.update(put, name, newTraining(id, current[name].recipe));
      streams.follow(name);
    }
  } catch (error) {
    store.update(setMessage, /** @type {Error} */ (error).message);
  }
}

/** Stop all trainings that this page started. @param {RequestInit} [init] */
function stop(init) {
  const studio = store.get();
  for (const name of namesOf(studio)) {
    const training = trainingOf(studio, name);
    if (isGoing(training)) api.stopTraining(training.id, init).catch(() => {});
  }
}

controls.subscribe((name) => (name === "cells" ? show() : requestAnswer()));
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-try]")))
  button.addEventListener("click", () => controls.set(Object.fromEntries(new URLSearchParams(button.dataset.try))));
find("[data-do=train]").addEventListener("click", train);
find("[data-do=stop]").addEventListener("click", () => stop());
addEventListener("pagehide", () => stop({ keepalive: true }));

const slider = /** @type {HTMLInputElement} */ (find(".curves [type=range]"));
slider.addEventListener("input", () => store.update(goToPlace, Number(slider.value)));
mountGradientFlow(find(".gradient"), store);
mountCurves(find(".course"), store);
mountMilestones(find(".told"), store);
store.subscribe((studio) => {
  if (namesOf(studio).length === 0) return;
  slider.max = String(Math.max(0, longest(studio).reports.length - 1));
  slider.value = String(studio.place);
  const trained = longest(studio).reports.length > 1 || isBusy(studio);
  find(".course .curves").hidden = find(".course .as-table").hidden = find(".told").hidden = !trained;
  find("[data-do=stop]").hidden = !isBusy(studio);
  setText(find(".course .status"), trained ? tellStatus(studio) : "");
  setText(find(".course [role=status]"), trained ? tellNews(studio) : "");
  setText(find("#training-error"), studio.message);
});
mountExperiment(controls, () => []);
