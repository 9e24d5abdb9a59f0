/** The recorded responses in a saved page. They replace the server. */

/** @import { Scenario } from "./api.js" */
/** @import { StoredModel } from "./engine/model.js" */
import { bytesOf, doublesOf } from "./base64.js";
import { writeScenario } from "./link.js";

/**
 * The recorded responses. `link` is the query of the view. `live` is the address of a server that can answer more, or "". Each run
 * has its event stream in `trace`, and in `answers` the responses about units, by layer and unit ("1.2"), each for a range of steps.
 * `gaps` has the requests and the responses of the experiment "Gradient reach". `models` has the models that the page can run itself:
 * see offline.js. `reveals` has the answers to the questions of a lesson, in base64.
 * @typedef {{from: number, to: number}} Stretch
 * @typedef {{equations?: Record<string, Stretch>, sums?: Record<string, Stretch>, ledger?: Record<string, Stretch>,
 *            sensitivity: Record<string, Stretch & {at: object[]}>, rows?: Record<string, Stretch>}} RecordedAnswers
 * @typedef {{scenario: Scenario, trace: string, answers: RecordedAnswers}} RecordedRun
 * @typedef {{link: string, live: string, runs: RecordedRun[], models?: Record<string, StoredModel>, trainings?: Record<string, {events: string, sequence: string, tapes: object}>, reveals?: Record<string, string>, gaps?: {question: object, answer: object}[]}} Recording
 */

/** @type {Recording | null} */
export const recording = JSON.parse(document.querySelector("#record")?.textContent ?? "null");

/** The error for a response that a saved page has not recorded and cannot compute. */
export class NotRecorded extends Error {
  constructor() {
    const how = recording?.live ? "follow the link to GRU Scope at the top" : "open GRU Scope";
    const limits = Object.keys(recording?.models ?? {}).length
      ? "This exported page has no server. It runs its own network, but it cannot compute gradients or scores, or open other models."
      : "This exported page has no server, so it shows only what it recorded.";
    super(`${limits} To see more, ${how}.`);
  }
}

/** Return the recorded run of a scenario, if there is one. @param {Scenario} scenario */
export const recordedRun = (scenario) => recording?.runs.find((run) => keyOf(run.scenario) === keyOf(scenario));

/**
 * Return the recorded response to a question about a unit, or null.
 * @param {string} route @param {Scenario & {layer?: number, unit?: number}} question @param {number} step a step that the response must cover
 */
export function recordedAnswer(route, question, step) {
  if (route === "experiments/gap") {
    const wanted = JSON.stringify(question);
    return recording?.gaps?.find((gap) => JSON.stringify(gap.question) === wanted)?.answer ?? null;
  }
  const answers = recordedRun(question)?.answers;
  const kind = /** @type {keyof RecordedAnswers} */ (route);
  const place = `${question.layer}.${question.unit}`;
  const answer = answers?.[kind]?.[place];
  if (!answers || !answer || step < answer.from || step > answer.to) return null;
  return kind === "sensitivity" ? unpacked(answers[kind][place].at[step - answer.from]) : answer;
}

/** Return a response with its arrays decoded from base64. Infinite numbers and NaN become null, as in JSON. @param {object} answer */
const unpacked = (answer) =>
  Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [
      name,
      typeof value === "string"
        ? Array.from(doublesOf(value), (number) => (Number.isFinite(number) ? number : null))
        : value,
    ]),
  );

/**
 * Return the recorded tapes of a training. Throws NotRecorded if they were recorded for another sequence.
 * @param {string} id @param {string} sequence
 */
export function recordedTapes(id, sequence) {
  const training = recording?.trainings?.[id];
  if (training?.sequence !== spaced(sequence)) throw new NotRecorded();
  return training.tapes;
}

/** Return the recorded answer and explanation of a lesson's question. @param {string} question */
export function recordedReveal(question) {
  return JSON.parse(new TextDecoder().decode(bytesOf(recording?.reveals?.[question] ?? "")));
}

/** Return a string that is the same for equal scenarios. Extra white space in a sequence does not matter. @param {Scenario} scenario */
const keyOf = ({ model, sequence, clamps, weights, against, h0, write }) =>
  `${model}&${writeScenario({ sequence: spaced(sequence), clamps, weights, against: against && spaced(against), h0, write })}`;

/** @param {string} sequence */
const spaced = (sequence) => sequence.trim().replaceAll(/\s+/g, " ");
