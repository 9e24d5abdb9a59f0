/** The root of the training page: a store of trainings and their checkpoints, and the Lab's views of each training. */

import * as api from "../api.js";
import { createActions } from "../actions.js";
import { boot } from "../boot.js";
import { NAMES, facet } from "../facets.js";
import { isPartlyHere, wholeAddress } from "../frame.js";
import { decode } from "../link.js";
import { recording } from "../recording.js";
import { completePage, dialog, error, find, firstStates } from "../page.js";
import { goTo, lookAt } from "../state.js";
import { createStore } from "../store.js";
import { mountSequence } from "../views/sequence.js";
import { mountTape } from "../views/tape.js";
import { mountTransport } from "../views/transport.js";
import { mountEvolution } from "./evolution.js";
import { mountChoices, mountTabs } from "./choices.js";
import { mountCourse } from "./course.js";
import { mountCurves } from "./curves.js";
import { mountRecipe } from "./form.js";
import { addressOf, namesTraining, stepIn } from "./link.js";
import { mountPanel, stepInWords } from "./panel.js";
import { bodyOf, initial } from "./recipe.js";
import { createStreams } from "./stream.js";
import { goToStep, newStudio, newTraining, put, setMessage, trainingOf } from "./studio.js";
import { mountMoved, mountMilestones, mountGradientFlow } from "./reports.js";
import { createTrainer } from "./trainer.js";

const main = find("main");
const arrived = await wholeAddress();
const { step, unit } = decode(arrived).focus;
const names = NAMES.filter((name) => initial.ids[name]);
const cells = await firstStates(names, () => boot.scenario, error.textContent ?? "", { step, unit });

const store = createStore(
  newStudio({
    cells,
    at: names[names.length - 1],
    trainings: Object.fromEntries(names.map((name) => [name, newTraining(initial.ids[name], initial.recipes[name])])),
    linear: cells[names[0]].run.y.kind === "linear",
    goal: stepIn(arrived),
  }),
);
const lead = facet(store, () => store.get().at);
const streams = createStreams(store, lead);
const actions = createActions(
  lead,
  () => streams.write(lead.get().text),
  async () => {},
);
const form = mountRecipe(/** @type {HTMLDetailsElement} */ (find("details.recipe")), names, () => trainer.train());
const trainer = createTrainer(store, streams.follow, form.read);

mountSequence(find(".sequence"), lead, actions);
mountTransport(find(".transport"), /** @type {HTMLInputElement} */ (find("#step")), lead);
mountTape(find("#clock-tape"), lead);
mountCourse(find(".course"), store, trainer);
mountCurves(find(".course"), store);
mountMilestones(find(".milestones"), store);
mountEvolution(find(".birth"), store);
mountGradientFlow(find(".gradient"), store);
mountMoved(find(".moved"), store);
const heatmaps = names.map((name) => mountPanel(find(`#tape-${name}`), name, store));
mountTabs(main, store);
mountChoices(main, dialog("#own"), store);

/** Show the view of a link that has the page's recipe. @param {string} query */
function show(query) {
  const { sequence, focus } = decode(query);
  store.update(goToStep, stepIn(query));
  for (const name of names) {
    const cell = facet(store, () => name);
    cell.update(goTo, focus.step);
    cell.update(lookAt, focus.unit);
  }
  if (sequence && sequence !== lead.get().text) actions.write(sequence);
}

// The training of a preset is stored. If the link names another training, the page starts this training, or follows it if it has
// already started. A cell that the visitor has only added is shown untrained until “Start training” is pressed.
for (const name of names) {
  const isStored = !initial.ids[name].startsWith("t-") || !cells[name].run.model.endsWith("@0");
  if (recording || isStored) streams.follow(name);
  else if (!namesTraining(arrived)) store.update(put, name, { ...trainingOf(store.get(), name), state: "new" });
  else
    api.train(bodyOf(initial.recipes[name])).then(
      () => streams.follow(name),
      (error) => store.update(setMessage, error.message),
    );
}

if (isPartlyHere()) show(arrived);

const isMoving = () => store.get().watching;
const address = () => addressOf(store.get());
completePage({ store, lead, path: "train", address, show, isMoving, which: stepInWords, heatmaps });
