/**
 * The responses in a saved page: recorded responses, and responses that the page computes itself from the models in its file.
 * Gradients, scores and other models need a server.
 */

/** @import { Listener, Scenario } from "./api.js" */
/** @import { Answered, Place } from "./engine/answers.js" */
/** @import { Engine } from "./engine/main.js" */
/** @import { Model } from "./engine/model.js" */
/** @import { Done } from "./run.js" */
import { sentence } from "./elements.js";
import { NotRecorded, recordedAnswer, recordedRun, recording } from "./recording.js";
import { RequestError } from "./server.js";

/** @type {Record<string, Model>} */
const models = {};

/** The latest computed run, stored for later questions about its units. @type {{key: string, answered: Answered} | null} */
let latest = null;

/**
 * Return the engine, with the scenario's model loaded. Throws NotRecorded if the page does not have the engine or the model.
 * @param {Scenario} scenario
 */
function engineFor({ model }) {
  const engine = /** @type {{engine?: Engine} | null} */ (document.querySelector("#record"))?.engine;
  const stored = recording?.models?.[model];
  if (!engine || !stored) throw new NotRecorded();
  models[model] ??= engine.readModel(stored);
  return engine;
}

/**
 * Run a scenario, or return the latest run if it has the same scenario. Throws NotRecorded or RequestError.
 * @param {Scenario} scenario @returns {Answered}
 */
function computed(scenario) {
  const engine = engineFor(scenario);
  const { model, sequence, clamps, weights, against, h0, write } = scenario;
  const key = JSON.stringify([model, sequence, clamps, weights, against, h0, write]);
  if (latest?.key === key) return latest.answered;
  try {
    const answered = engine.run(models[model], scenario);
    latest = { key, answered };
    return answered;
  } catch (error) {
    const { message, step, where } = /** @type {Error & {step?: number | null, where?: string}} */ (error);
    const place = error instanceof engine.SequenceError ? `sequence${step ? `.${step}` : ""}` : where;
    if (!place) throw error;
    throw new RequestError(sentence(message), place, 422);
  }
}

/**
 * Return whether the page must not use the recorded numbers of a scenario. The page computes some of the numbers itself, and in a
 * chaotic network the recorded and the computed numbers would not match.
 * @param {Scenario} scenario
 */
function isChaotic(scenario) {
  if (!recording?.models?.[scenario.model] || recordedRun(scenario)?.answers?.sums) return false;
  return computed(scenario).growth >= engineFor(scenario).CHAOTIC;
}

/**
 * Deliver the recorded events of a run, or compute the run and call the listener with the events.
 * @param {Scenario} scenario @param {Listener} listener @param {(text: string) => void} replay delivers a recorded stream to the listener
 */
export function offlineRun(scenario, listener, replay) {
  const recorded = recordedRun(scenario);
  if (recorded && !isChaotic(scenario)) return replay(recorded.trace);
  const { tell, CHAOTIC } = engineFor(scenario);
  const answered = computed(scenario);
  const done = (/** @type {Done} */ done) => listener.done({ ...done, chaotic: answered.growth >= CHAOTIC });
  tell(answered, scenario, { ...listener, done });
}

/**
 * Return the response to a question about a unit, recorded or computed. Throws NotRecorded if neither is possible.
 * @param {string} route @param {Scenario & Partial<Place>} question @param {number} step a step that the response must cover
 */
export function offlineAnswer(route, question, step) {
  const recorded = recordedAnswer(route, question, step);
  if (recorded && !isChaotic(question)) return recorded;
  if (!["sums", "ledger", "equations"].includes(route)) throw new NotRecorded();
  const { answers } = engineFor(question);
  const place = /** @type {Place} */ (question);
  return answers[/** @type {keyof typeof answers} */ (route)](computed(question), { ...question, ...place });
}
