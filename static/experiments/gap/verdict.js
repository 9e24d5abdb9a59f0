/** The sentences that “Gradient reach” shows after the trainings: the result, and what the result means. */

/** @import { Training } from "../../train/studio.js" */
/** @import { Name } from "../../facets.js" */
/** @import { Counterpart } from "./map.js" */
import { TITLES } from "../../facets.js";
import { joined } from "../../words.js";

/**
 * Describe the result of the trainings, and what the result means.
 * @param {Training[]} trainings @param {Counterpart[]} counterparts the stored results for the same settings
 */
export function tellGap(trainings, counterparts) {
  const ended = trainings.filter(({ state }) => state === "done");
  const solved = ended.filter((training) => reachedAt(training) !== null);
  const failed = ended.filter((training) => reachedAt(training) === null);
  const unfinished = trainings.filter(({ state }) => state !== "done");
  const most = trainings[0].recipe.schedule.most.toLocaleString("en");
  const steps = joined(solved.map((training) => String(reachedAt(training)?.toLocaleString("en"))));
  const stored = joined(counterparts.map(({ cell, seeds }) => `${seeds} seeds (${cell})`));
  const sentences = [
    solved.length && `${cellsOf(solved)} learned the task, in ${steps} training steps.`,
    failed.length && `${cellsOf(failed)} did not learn the task within ${most} training steps.`,
    unfinished.length &&
      `${cellsOf(unfinished)} did not finish, so nothing is known about ${unfinished.length > 1 ? "them" : "it"}.`,
    ended.length && meaning(solved.length, failed.length),
    counterparts.length && `In the stored result, with these settings, the target is reached by ${stored}.`,
  ];
  return sentences.filter(Boolean).join(" ");
}

/** Return the training step at which a training reached the target, or null. @param {Training} training */
const reachedAt = ({ reports }) => reports.at(-1)?.good_at ?? null;

/** List the cells of trainings, at the start of a sentence. @param {Training[]} trainings */
function cellsOf(trainings) {
  const text = joined(trainings.map(({ recipe }) => `the ${TITLES[/** @type {Name} */ (recipe.cell)]}`));
  return text[0].toUpperCase() + text.slice(1);
}

/** Describe what the numbers of solved and failed trainings mean. @param {number} solved @param {number} failed */
function meaning(solved, failed) {
  if (!failed) return "One seed is only one sample.";
  if (!solved)
    return "Compare the gradient over the gap before training, and try a lower bias of z, chrono, or another learning rate. One seed is only one sample.";
  return "The cells differ in this sample of one seed. Train other seeds before you call it a difference.";
}
