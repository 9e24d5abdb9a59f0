/**
 * The view of the training page as an address. Each key is optional, and a value equal to the task's preset is left out.
 *
 *     train?task=flip-flop&cells=rnn,gru&units=2&seed=3&sequence=A+m+m&t=3&unit=1&v=1&step=400
 *
 * `step` is a training step. With `start=1`, opening the link trains the cells that have no stored training; without it, they are
 * shown untrained. The visitor's own table is too long for a link, so the address of its training has only an id.
 */

/** @import { Name } from "../facets.js" */
/** @import { Studio } from "./studio.js" */
import { decode, encode } from "../link.js";
import { initial, keysOf } from "./recipe.js";
import { longest, namesOf, stepOf, trainingOf } from "./studio.js";

/** The task of a page that trains on the visitor's own table. */
export const OWN = "own";

/** Return the training step in an address, or Infinity for the last one if the address has no `step`. @param {string} address */
export function stepIn(address) {
  const step = Number(new URLSearchParams(address).get("step") ?? Infinity);
  return Number.isNaN(step) ? Infinity : step;
}

/** The keys of a link that only describe the view of the task's preset. Every other key names a training. */
const OF_VIEW = ["task", "cells", "sequence", "t", "unit", "step", "v", "theme", "hide", "back"];

/** Return whether a link names a training: with an id, with a recipe, or with `start` for the preset's recipe. @param {string} address */
export const namesTraining = (address) =>
  [...new URLSearchParams(address).keys()].some((key) => !OF_VIEW.includes(key));

/** Return the address of a training. @param {string} id */
export const addressOfTraining = (id) => `?training=${id}`;

/**
 * Return the recipe of a cell's training or, if the page does not train this cell, another cell's recipe adapted to this cell.
 * @param {Studio} studio @param {Name} cell
 */
export function recipeFor(studio, cell) {
  const recipes = namesOf(studio).map((name) => trainingOf(studio, name).recipe);
  const recipe = recipes.find((recipe) => recipe.cell === cell);
  return recipe ?? { ...recipes[recipes.length - 1], cell, biases: {}, penalties: initial.preset.penalties };
}

/** Return the address of the view, or of the same view with other cells. @param {Studio} studio @param {Name[]} [cells] */
export function addressOf(studio, cells = namesOf(studio)) {
  const { run, step, unit } = studio.cells[studio.at];
  const focus = { ...decode("").focus, step, unit };
  const rest = encode({
    model: null,
    sequence: (run.tokens ?? []).join(" "),
    clamps: [],
    weights: [],
    focus,
    notices: [],
  });
  const atEnd = studio.place >= longest(studio).reports.length - 1;
  const [first] = namesOf(studio);
  const isSame = String(cells) === String(namesOf(studio));
  const isStarted = cells.some((name) => studio.trainings[name]?.id.startsWith("t-"));
  const isNew = cells.some((name) => studio.trainings[name]?.state === "new");
  const start = initial.task !== OWN && isSame && isStarted && !isNew ? "&start=1" : "";
  const which =
    initial.task === OWN
      ? addressOfTraining(trainingOf(studio, first).id)
      : `?${keysOf(cells.map((cell) => recipeFor(studio, cell)))}`;
  return `${which}&${rest.slice(1)}${start}${atEnd ? "" : `&step=${stepOf(studio)}`}`;
}
