/** The training page's root: a store of trainings and their checkpoints, and the lab's own views of each joined to it. */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
/** @import { Store } from "../store.js" */
/** @import { Studio, Training } from "./studio.js" */
import * as api from "../api.js";
import { createActions } from "../actions.js";
import { firstRun } from "../arrival.js";
import { boot, lesson, room } from "../boot.js";
import { begin } from "../changes.js";
import { write } from "../elements.js";
import { NAMES, attend, facet } from "../facets.js";
import { address, announceHeight, frameKeys, home } from "../frame.js";
import { mountLesson } from "../lesson/lesson.js";
import { LONGEST, decode, encode } from "../link.js";
import { NO_PICTURES, plotly } from "../plot.js";
import { mountRoom } from "../rooms/room.js";
import { focus, goTo, lookAt, note } from "../state.js";
import { createStore } from "../store.js";
import { mountAppearance } from "../views/appearance.js";
import { mountExplain } from "../views/explain.js";
import { mountHeatmaps } from "../views/heatmaps.js";
import { mountHelp } from "../views/help.js";
import { mountLight } from "../views/light.js";
import { mountNext } from "../views/next.js";
import { mountSequence } from "../views/sequence.js";
import { mountShare } from "../views/share.js";
import { mountTable } from "../views/table.js";
import { mountTape } from "../views/tape.js";
import { mountTransport } from "../views/transport.js";
import { mountBirth } from "./birth.js";
import { mountCourse } from "./course.js";
import { mountCurves } from "./curves.js";
import { mountOwn } from "./own.js";
import { bodyOf, changed, chosenOf, keysOf, mountRecipe, training } from "./recipe.js";
import { createStreams } from "./stream.js";
import { goToStep, isBusy, longest, newTraining, placeAt, put, say, stepOf, trainingOf, watch } from "./studio.js"; // prettier-ignore
import { mountMoved, mountTold, mountWayBack } from "./told.js";

const OWN = "own";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const dialog = (/** @type {string} */ selector) => /** @type {HTMLDialogElement} */ (find(selector));
const main = find("main");
const error = find("#error");

const link = decode(address());
const goal = Number(new URLSearchParams(address()).get("step") ?? Infinity);
const names = NAMES.filter((name) => training.ids[name]);

/** @param {Name} name */
async function start(name) {
  const first = await firstRun(error, find(`#first-run-${name}`), boot.scenario);
  const state = begin(boot.models, boot.scenario, first, error.textContent ?? "");
  return focus(state, { ...state, step: link.focus.step, unit: link.focus.unit });
}

const firsts = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await start(name)])));
const store = createStore(
  /** @type {Studio} */ ({
    cells: firsts,
    at: names[names.length - 1],
    trainings: Object.fromEntries(names.map((name) => [name, newTraining(training.ids[name], training.recipes[name])])),
    place: 0,
    linear: firsts[names[0]].run.y.kind === "linear",
    goal: Number.isFinite(goal) ? goal : Infinity,
    watching: false,
    pace: 10,
    said: "",
  }),
);
const lead = facet(store, () => store.get().at);
const streams = createStreams(store, lead);
const actions = createActions(lead, () => streams.write(lead.get().text), async () => {}); // prettier-ignore

const recipe = mountRecipe(/** @type {HTMLDetailsElement} */ (find("details.recipe")), names, train);

/** Train recipes, one for each cell, in place of what is there. @param {Recipe[]} recipes @param {(name: Name, id: string, recipe: Recipe) => Training} make */
async function begun(recipes, make) {
  store.update(say, "");
  try {
    // One after the other: where the second is turned away, the first is there.
    for (const one of recipes) {
      const name = /** @type {Name} */ (one.cell);
      const { id } = await api.train(bodyOf(one));
      store.update(put, name, make(name, id, one));
      streams.follow(name);
    }
    store.update(watch, true);
  } catch (problem) {
    store.update(say, /** @type {Error} */ (problem).message);
  }
}

async function train() {
  const recipes = recipe.read();
  if (!recipes) return;
  store.update(goToStep, 0);
  await begun(recipes, (_, id, one) => newTraining(id, one));
}

/** Train on from the checkpoint that is shown with another rate. @param {number} rate @param {boolean} fork whether the curve as it was stays beside it */
async function change(rate, fork) {
  const studio = store.get();
  const step = stepOf(studio);
  if (!(rate >= 1e-4 && rate <= 10)) return store.update(say, "The learning rate must be a number from 0.0001 to 10.");
  const over = step >= (longest(studio).reports.at(-1)?.step ?? 0) && !isBusy(studio);
  if (over) return store.update(say, "The training ends at this step. Go to an earlier checkpoint and branch from there."); // prettier-ignore
  const recipes = names.map((name) => changed(trainingOf(studio, name).recipe, step, rate));
  await begun(recipes, (name, id, one) => {
    const before = trainingOf(studio, name);
    const kept = placeAt(before, step) + 1;
    const twin = fork ? before.reports : before.twin;
    const { start, read, tapes, reports } = before;
    return { ...newTraining(id, one, twin), start, read, reports: reports.slice(0, kept), tapes: tapes.slice(0, kept) };
  });
}

async function stop() {
  for (const name of names) {
    const { id, state } = trainingOf(store.get(), name);
    if (!["waiting", "running"].includes(state)) continue;
    try {
      const answer = await (await api.stopTraining(id)).json();
      if (["waiting", "running"].includes(answer.state)) store.update(say, "Someone else is watching this run, so it keeps going.");
    } catch (problem) {
      store.update(say, /** @type {Error} */ (problem).message);
    }
  }
}

mountSequence(find(".sequence"), lead, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), lead);
mountTape(find("#clock-tape"), lead);
mountCourse(find(".course"), store, { train, stop, change });
mountCurves(find(".course"), store);
mountTold(find(".told"), store);
mountBirth(find(".birth"), store);
mountWayBack(find(".gradient"), store);
mountMoved(find(".moved"), store);

/**
 * A store whose listener is told some frames later, so that the pictures of several cells are not drawn all in one.
 * @param {Store} store @param {number} frames
 * @returns {Store}
 */
function inTurn(store, frames) {
  /** @param {() => void} then @param {number} left */
  const after = (then, left) => (left ? requestAnimationFrame(() => after(then, left - 1)) : then());
  return {
    ...store,
    subscribe(listener) {
      let waiting = false;
      store.subscribe(() => {
        if (waiting) return;
        waiting = true;
        after(() => {
          waiting = false;
          listener(store.get());
        }, frames);
      });
    },
  };
}

const heatmaps = names.map((name) => {
  const tape = find(`#tape-${name}`);
  const own = facet(store, () => name);
  mountTape(tape, own, "untrained");
  mountExplain(tape);
  const table = /** @type {HTMLElement} */ (tape.querySelector(".table"));
  mountTable(table, tape, own);
  own.subscribe(({ views }) => (table.hidden = !views.includes("table")));
  const part = (/** @type {string} */ selector) => /** @type {HTMLAnchorElement} */ (tape.querySelector(selector));
  const [lab, keep, at] = [".to-lab", ".to-keep", ".at-step"].map(part);
  store.subscribe((studio) => {
    const { run, step, unit } = studio.cells[name];
    const [id, of] = run.model.split("@");
    lab.hidden = home === "";
    keep.hidden = api.recording !== null;
    lab.href = `${home}?${new URLSearchParams({ model: run.model, sequence: (run.tokens ?? []).join(" "), t: String(step), unit: String(unit + 1) })}`; // prettier-ignore
    keep.href = api.checkpointFile(id, Number(of));
    write(at, `training step ${Number(of).toLocaleString("en")}`);
  });
  for (const type of ["pointerdown", "focusin"])
    tape.addEventListener(type, () => store.update(attend, name), { capture: true });
  return mountHeatmaps(tape, inTurn(own, names.indexOf(name)), boot.figures[name]);
});

// On a phone one tape is in sight at a time.
const tabs = /** @type {HTMLInputElement[]} */ ([...main.querySelectorAll("[name=at]")]);
store.subscribe(({ at }) => {
  main.dataset.at = at;
  for (const name of names) find(`#tape-${name}`).classList.toggle("at", name === at);
  for (const tab of tabs) tab.checked = tab.value === at;
});
for (const tab of tabs)
  tab.addEventListener("change", () => store.update(attend, /** @type {Name} */ (tab.value)));

// Another task, or other cells, are another page.
const boxes = /** @type {HTMLInputElement[]} */ ([...main.querySelectorAll("[name=cells]")]);
for (const box of boxes)
  box.addEventListener("change", () => {
    const chosen = chosenOf(boxes);
    if (chosen.length === 0) box.checked = true;
    else if (training.task === OWN) other(/** @type {Name} */ (box.checked ? box.value : chosen[0]));
    else location.assign(addressOf(store.get(), chosen) + frameKeys);
  });
find("[name=task]").addEventListener("change", ({ target }) => {
  const select = /** @type {HTMLSelectElement} */ (target);
  const task = select.value;
  if (task === OWN) {
    select.value = training.task;
    dialog("#own").showModal();
    return;
  }
  location.assign(`?task=${task}${names.length === 1 && names[0] === "gru" ? "" : `&cells=${names.join(",")}`}${frameKeys}`);
});

mountOwn(dialog("#own"), (id) => location.assign(`?training=${id}${frameKeys}`));

/** A table is too long for a link: each of its trainings has a page of its own. @param {Name} cell */
async function other(cell) {
  try {
    const { recipe } = trainingOf(store.get(), names[0]);
    const { id } = await api.train(bodyOf({ ...recipe, cell, biases: {}, penalties: training.preset.penalties }));
    location.assign(`?training=${id}${frameKeys}`);
  } catch (problem) {
    store.update(say, /** @type {Error} */ (problem).message);
  }
}

/** The address of what is looked at, or of the same with other cells. @param {Studio} studio @param {Name[]} [cells] */
function addressOf(studio, cells = names) {
  const known = names.map((name) => trainingOf(studio, name).recipe);
  const recipes = cells.map((cell) => known.find((one) => one.cell === cell) ?? { ...known[known.length - 1], cell, biases: {}, penalties: training.preset.penalties }); // prettier-ignore
  const { run, step, unit } = lead.get();
  const { focus } = decode("");
  const rest = encode({ model: null, sequence: (run.tokens ?? []).join(" "), clamps: [], weights: [], focus: { ...focus, step, unit }, notices: [] }); // prettier-ignore
  const shown = studio.place < longest(studio).reports.length - 1 ? `&step=${stepOf(studio)}` : "";
  const which = training.task === OWN ? `training=${trainingOf(studio, names[0]).id}` : keysOf(recipes);
  return `?${which}&${rest.slice(1)}${shown}`;
}

mountLight(main);
mountNext(document.querySelector("#next"), lead);
mountShare(find("#share-open"), dialog("#share"), home, "train", () => addressOf(store.get()));
mountHelp(find("#help-open"), dialog("#help"));
mountAppearance(find("#theme"), lead);
announceHeight();
const keep = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#keep"));
if (keep) store.subscribe((studio) => (keep.href = `${api.UP}api/export/train.html${addressOf(studio)}`));
const open = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#open-lab"));
if (open) store.subscribe((studio) => (open.href = `${home}train${addressOf(studio)}`));

/** Show what a link says, which is of the same recipe. @param {string} query */
function show(query) {
  const { sequence, focus } = decode(query);
  store.update(goToStep, Number(new URLSearchParams(query).get("step") ?? Infinity));
  for (const name of names) {
    const own = facet(store, () => name);
    own.update(goTo, focus.step);
    own.update(lookAt, focus.unit);
  }
  const { text } = lead.get();
  if (sequence && sequence !== text) actions.write(sequence);
}
const figure = { show, address: () => addressOf(store.get()), upto: () => null, subscribe: store.subscribe };
mountRoom(figure, mountLesson(figure));

/** @type {number | undefined} */
let timer;
store.subscribe((studio) => {
  clearTimeout(timer);
  if (studio.watching || lesson || room) return;
  timer = setTimeout(() => {
    const query = addressOf(store.get());
    if (query.length <= LONGEST && location.protocol !== "file:") history.replaceState(null, "", query + frameKeys);
  }, 300);
});

// A training that ships is there; that of another recipe begins now, or is found where it was begun before.
for (const name of names) {
  if (api.recording || !training.ids[name].startsWith("t-")) streams.follow(name);
  else
    api.train(bodyOf(training.recipes[name])).then(
      () => streams.follow(name),
      (problem) => store.update(say, problem.message),
    );
}
store.update((studio) => ({ ...studio })); // a new object, so that every view is told for the first time

// After two frames the page has been painted. Only then comes Plotly, which takes a second to start.
requestAnimationFrame(() =>
  requestAnimationFrame(() =>
    plotly().then(
      (library) => heatmaps.forEach(({ arrive }) => arrive(library)),
      () => lead.update(note, NO_PICTURES),
    ),
  ),
);
