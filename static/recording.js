/** What a saved page has in place of a server: the answers that were recorded when it was saved. */

/** @import { Scenario } from "./api.js" */
import { writeScenario } from "./link.js";

/**
 * `link` says what is looked at, `live` is the address of a server that can answer more, "" if none is known. Each run has its
 * stream and the answers about it, by layer and unit ("1.2"), each over some of its steps. `gap` is what the experiment "Gradient
 * reach" asks first, `reveals` are those of a lesson, in base64.
 * @typedef {{from: number, to: number}} Stretch
 * @typedef {{equations: Record<string, Stretch>, sums: Record<string, Stretch>, ledger: Record<string, Stretch>,
 *            sensitivity: Record<string, Stretch & {at: object[]}>}} RecordedAnswers
 * @typedef {{scenario: Scenario, trace: string, answers: RecordedAnswers}} RecordedRun
 * @typedef {{link: string, live: string, runs: RecordedRun[], trainings?: Record<string, {events: string, sequence: string, tapes: object}>, reveals?: Record<string, string>, gap?: {question: object, answer: object}}} Recording
 */

/** @type {Recording | null} */
export const recording = JSON.parse(document.querySelector("#record")?.textContent ?? "null");

/** The answer was not recorded, and there is no server. */
export class NotRecorded extends Error {
  constructor() {
    const how = recording?.live ? "follow the link to GRU Scope at the top" : "open GRU Scope";
    super(`This exported page has no server, so it shows only what it recorded. To see more, ${how}.`);
  }
}

/** Find the run of a scenario. Throws NotRecorded. @param {Scenario} scenario */
export function recordedRun(scenario) {
  const run = recording?.runs.find((run) => keyOf(run.scenario) === keyOf(scenario));
  if (!run) throw new NotRecorded();
  return run;
}

/**
 * Find the answer to a question about a unit. Throws NotRecorded.
 * @param {string} route @param {Scenario & {layer?: number, unit?: number}} question @param {number} step which it must cover
 */
export function recordedAnswer(route, question, step) {
  const { gap } = recording ?? {};
  if (gap && route === "experiments/gap" && JSON.stringify(gap.question) === JSON.stringify(question))
    return gap.answer;
  const { answers } = recordedRun(question);
  const kind = /** @type {keyof RecordedAnswers} */ (route);
  const place = `${question.layer}.${question.unit}`;
  const answer = answers[kind]?.[place];
  if (!answer || step < answer.from || step > answer.to) throw new NotRecorded();
  return kind === "sensitivity" ? answers[kind][place].at[step - answer.from] : answer;
}

/** Find a training by its id. Throws NotRecorded if it was recorded with another sequence. @param {string} id @param {string} sequence */
export function recordedTapes(id, sequence) {
  const training = recording?.trainings?.[id];
  if (training?.sequence !== spaced(sequence)) throw new NotRecorded();
  return training.tapes;
}

/** Find what is revealed once a question of a lesson is answered. @param {string} question */
export function recordedReveal(question) {
  const bytes = Uint8Array.from(atob(recording?.reveals?.[question] ?? ""), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Return a text to compare scenarios by; how their steps are spaced does not matter. @param {Scenario} scenario */
const keyOf = ({ model, sequence, clamps, weights, against }) =>
  `${model}&${writeScenario({ sequence: spaced(sequence), clamps, weights, against: against && spaced(against) })}`;

/** @param {string} sequence */
const spaced = (sequence) => sequence.trim().replaceAll(/\s+/g, " ");
