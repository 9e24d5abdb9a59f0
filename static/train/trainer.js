/** Start trainings, branch from a checkpoint with another learning rate, and stop trainings. */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
/** @import { StoreOf } from "../store.js" */
/** @import { Studio, Training } from "./studio.js" */
import * as api from "../api.js";
import { bodyOf, withRate } from "./recipe.js";
import {
  goToStep,
  isBusy,
  isGoing,
  longest,
  namesOf,
  newTraining,
  placeAt,
  put,
  setMessage,
  stepOf,
  trainingOf,
  watch,
} from "./studio.js";

/**
 * Return functions that start, branch and stop trainings.
 * @param {StoreOf<Studio>} store
 * @param {(name: Name) => void} follow receives the events of a cell's training
 * @param {() => Recipe[] | null} readRecipes reads the form
 */
export function createTrainer(store, follow, readRecipes) {
  /**
   * Start trainings with these recipes, one for each cell.
   * @param {Recipe[]} recipes
   * @param {(name: Name, id: string, recipe: Recipe) => Training} make
   */
  async function start(recipes, make) {
    store.update(setMessage, "");
    try {
      // One after the other: if the server refuses the second training, the first one still runs.
      for (const recipe of recipes) {
        const name = /** @type {Name} */ (recipe.cell);
        const { id } = await api.train(bodyOf(recipe));
        store.update(put, name, make(name, id, recipe));
        follow(name);
      }
      store.update(watch, true);
    } catch (error) {
      store.update(setMessage, /** @type {Error} */ (error).message);
    }
  }

  return {
    async train() {
      const recipes = readRecipes();
      if (!recipes) return;
      store.update(goToStep, 0);
      await start(recipes, (_, id, recipe) => newTraining(id, recipe));
    },
    /**
     * Branch from the shown checkpoint, with another learning rate.
     * @param {number} rate @param {boolean} fork whether the page also keeps the old curve
     */
    async change(rate, fork) {
      const studio = store.get();
      const step = stepOf(studio);
      if (!(rate >= 1e-4 && rate <= 10))
        return store.update(setMessage, "The learning rate must be a number from 0.0001 to 10.");
      const atEnd = step >= (longest(studio).reports.at(-1)?.step ?? 0) && !isBusy(studio);
      if (atEnd)
        return store.update(
          setMessage,
          "The training ends at this training step. Go to an earlier checkpoint and branch from there.",
        );
      const recipes = namesOf(studio).map((name) => withRate(trainingOf(studio, name).recipe, step, rate));
      await start(recipes, (name, id, recipe) => branch(trainingOf(studio, name), step, fork, newTraining(id, recipe)));
    },
    async stop() {
      for (const name of namesOf(store.get())) {
        const training = trainingOf(store.get(), name);
        if (!isGoing(training)) continue;
        try {
          const answer = await (await api.stopTraining(training.id)).json();
          if (isGoing(answer)) store.update(setMessage, "Someone else is watching this run, so it keeps going.");
        } catch (error) {
          store.update(setMessage, /** @type {Error} */ (error).message);
        }
      }
    },
  };
}

/**
 * Return the new `training` with the checkpoints of the training `before`, up to a training step.
 * @param {Training} before
 * @param {number} step
 * @param {boolean} fork whether the new training also keeps the curve of `before`
 * @param {Training} training
 * @returns {Training}
 */
function branch(before, step, fork, training) {
  const count = placeAt(before, step) + 1;
  const { start, read, tapes, reports } = before;
  const twin = fork ? reports : before.twin;
  return { ...training, twin, start, read, reports: reports.slice(0, count), tapes: tapes.slice(0, count) };
}
