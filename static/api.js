/** The page's requests to the server. A page that was saved as a file looks up recorded answers, or computes them: see offline.js. */

/** @import { ServerEvent } from "./events.js" */
/** @import { Changes, Done, Start, Step, UnitPlace } from "./run.js" */
/**
 * A scenario. `equations` is the unit with equations in the response, if there is one.
 * @typedef {Changes & {model: string, sequence: string, equations?: UnitPlace | null}} Scenario
 */
/** @typedef {{start: (start: Start) => void, step: (step: Step) => void, done: (done: Done) => void,
 *             piece?: () => void}} Listener */
import { StreamError, parseEvents, readEvents } from "./events.js";
import { offlineAnswer, offlineRun } from "./offline.js";
import { NotRecorded, recordedReveal, recordedTapes, recording } from "./recording.js";
import { DEADLINE, NoAnswer, ROOT, RequestError, getJson, post, postFile, postJson, request } from "./server.js";
import { readStored, writeStored } from "./storage.js";

/**
 * Call the listener with each event of a run.
 * @param {ServerEvent[]} events
 * @param {Listener} listener
 */
export function deliver(events, listener) {
  for (const { name, data } of events) {
    if (name === "start") listener.start(data);
    else if (name === "step") listener.step(data);
    else if (name === "done") listener.done(data);
  }
}

/**
 * Run a scenario. The promise resolves after the listener has received the last step.
 * @param {Scenario} scenario
 * @param {Listener} listener
 * @param {AbortSignal} signal
 */
export async function trace(scenario, listener, signal) {
  if (recording) return offlineRun(scenario, listener, (text) => deliver(parseEvents(text), listener));
  await readRuns("trace", { ...scenario, brief: true }, signal, 1, (events) => {
    deliver(events, listener);
    listener.piece?.();
  });
}

/**
 * Return a function like `trace` for runs that are shown together: all scenarios of one moment are one request. If the server
 * refuses one of them, each is a request of its own, so that each has its own error.
 * @returns {typeof trace}
 */
export function traceTogether() {
  /** @typedef {{scenario: Scenario, listener: Listener, signal: AbortSignal}} Asked */
  /** @type {Asked[]} */
  let gathered = [];
  /** @type {Promise<boolean> | null} */
  let request = null;

  /** Run all scenarios, and return whether the server accepted them. @param {Asked[]} all */
  async function runAll(all) {
    const controller = new AbortController();
    const given = () => all.every(({ signal }) => signal.aborted) && controller.abort();
    for (const { signal } of all) signal.addEventListener("abort", given);
    const scenarios = all.map(({ scenario }) => ({ ...scenario, brief: true }));
    let place = -1;
    try {
      await readRuns("traces", { scenarios }, controller.signal, all.length, (events) => {
        for (const event of events) {
          if (event.name === "start") place++;
          if (!all[place].signal.aborted) deliver([event], all[place].listener);
        }
        for (const { listener } of all) listener.piece?.();
      });
    } catch (error) {
      if (error instanceof RequestError && error.status === 422) return false;
      throw error;
    }
    return true;
  }

  return async (scenario, listener, signal) => {
    if (recording) return trace(scenario, listener, signal);
    gathered.push({ scenario, listener, signal });
    request ??= Promise.resolve().then(() => {
      const all = gathered;
      [gathered, request] = [[], null];
      return all.length > 1 ? runAll(all) : false;
    });
    if (!(await request)) await trace(scenario, listener, signal);
  };
}

/**
 * Read the stream of a number of runs. Throws NoAnswer if it ends before the last of them.
 * @param {string} route @param {object} body @param {AbortSignal} signal @param {number} runs
 * @param {(events: ServerEvent[]) => void} receive
 */
async function readRuns(route, body, signal, runs, receive) {
  const either = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE)]);
  const response = await post(`api/${route}`, body, { headers: { accept: "text/event-stream" }, signal: either });
  let done = 0;
  const count = (/** @type {ServerEvent[]} */ events) => {
    done += events.filter(({ name }) => name === "done").length;
    receive(events);
  };
  await readEvents(response, count).catch((error) => {
    throw error instanceof StreamError && !signal.aborted ? new NoAnswer() : error;
  });
  if (done < runs) throw new NoAnswer("The run stopped before its last timestep.");
}

/**
 * Ask the server about a scenario, for example at /api/sums. The answer names the steps that it covers.
 * @param {string} route
 * @param {Scenario & {layer?: number, unit?: number}} question
 * @param {number} [step] that the answer must cover
 * @returns {Promise<any>}
 */
export const fetchAnswer = async (route, question, step = 0) =>
  recording ? offlineAnswer(route, question, step) : postJson(`api/${route}`, question);

const KEY = "gruscope-visitor";

/** Identifies this tab to the server, so that this tab does not stop a training that another tab is watching. */
const token = (() => {
  const created = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
  const stored = readStored(KEY, "sessionStorage");
  if (!stored) writeStored(KEY, created, "sessionStorage");
  return stored ?? created;
})();

/** Starts of trainings that the server has not answered yet. @type {Set<Promise<any>>} */
const starting = new Set();

/**
 * Start a training by a recipe, unless the server already has this training. Return its id.
 * @param {object} recipe
 * @returns {Promise<{id: string}>}
 */
export async function train(recipe) {
  const answer = postJson(`api/trainings?token=${token}`, recipe);
  starting.add(answer);
  try {
    return await answer;
  } finally {
    starting.delete(answer);
  }
}

/**
 * Stop a training, unless somebody else is watching it. A start that arrived after the stop would start it again.
 * @param {string} id @param {RequestInit} [init]
 */
export async function stopTraining(id, init) {
  if (starting.size) await Promise.allSettled(starting);
  return request(`${trainingUrl(id)}?token=${token}`, { method: "DELETE", ...init });
}

/** @param {string} id */
const trainingUrl = (id) => `api/trainings/${encodeURIComponent(id)}`;

/** Return the address of a checkpoint's model as a file. @param {string} id @param {number} step */
export const checkpointUrl = (id, step) =>
  `${ROOT}api/export/model.safetensors?model=${encodeURIComponent(`${id}@${step}`)}`;

/**
 * Run a sequence through the checkpoints of a training, from the checkpoint with the index `first`.
 * @param {string} id @param {string} sequence @param {number} first
 * @returns {Promise<any>}
 */
export async function fetchTapes(id, sequence, first) {
  if (!recording) return postJson(`${trainingUrl(id)}/tapes`, { sequence, first });
  if (first > 0) throw new NotRecorded();
  return recordedTapes(id, sequence);
}

/**
 * Receive the events of a training from its start. If the connection is lost, it is made again.
 * @param {string} id
 * @param {(name: string, data: any) => void} receive
 * @param {(forGood: boolean) => void} lost is called when the connection is lost, for now or for good
 * @returns {() => void} stops following
 */
export function followTraining(id, receive, lost) {
  if (recording) {
    for (const { name, data } of parseEvents(recording.trainings?.[id]?.events ?? "")) receive(name, data);
    return () => {};
  }
  const source = new EventSource(`${ROOT}${trainingUrl(id)}/events?token=${token}`);
  for (const name of ["start", "place", "checkpoint", "end"])
    source.addEventListener(name, (event) => {
      if (name === "end") source.close();
      receive(name, JSON.parse(/** @type {MessageEvent} */ (event).data));
    });
  source.onerror = () => lost(source.readyState === EventSource.CLOSED);
  return () => source.close();
}

/** @param {string} id */
const modelUrl = (id) => `api/models/${encodeURIComponent(id)}`;

/** Get the entry of a model. @param {string} id @returns {Promise<any>} */
export const fetchModel = (id) => getJson(modelUrl(id));

/** Measure how long one timestep of a model takes on the server. @param {string} id @returns {Promise<any>} */
export const measureTime = (id) => getJson(`api/timing/${encodeURIComponent(id)}`);

/** Upload a model. @param {File} file @param {(share: number) => void} report receives the share of the file that has been sent */
export const uploadModel = (file, report) => postFile(`api/models?name=${encodeURIComponent(file.name)}`, file, report);

/** Read a file of vectors as the sequence of a model. @param {string} id @param {File} file @returns {Promise<{sequence: string, note: string}>} */
export const fetchSequence = (id, file) =>
  postFile(`${modelUrl(id)}/sequence?name=${encodeURIComponent(file.name)}`, file);

/** Compare an uploaded model with a reference, or with the file of a second model. @param {string} id @param {File} file */
export const checkParity = (id, file) => postFile(`${modelUrl(id)}/check`, file);

/** Answer the questions that an uploaded file leaves open. @param {string} id @param {object} answers @returns {Promise<any>} */
export const answerQuestions = (id, answers) => postJson(`${modelUrl(id)}/answers`, answers, { signal: null }); // reading the file again takes as long as it takes

/**
 * Get the answer and the explanation of a lesson's question, which the page shows after an answer.
 * @param {string} lesson
 * @param {string} question
 * @param {Record<string, string>} headers
 * @returns {Promise<import("./lesson/questions.js").Revealed>}
 */
export const fetchReveal = async (lesson, question, headers) =>
  recording
    ? recordedReveal(question)
    : getJson(`api/lessons/${encodeURIComponent(lesson)}/reveal?question=${question}`, { headers });

/**
 * Get numbers from the run that a link to the Lab shows, in the notation of lessons.
 * @param {string} link
 * @param {string[]} what
 * @returns {Promise<(string | null)[]>}
 */
export const fetchNumbers = (link, what) => postJson("api/numbers", { link, what });

/**
 * Count what each unit does over many sequences: those in a file, or held-out ones of the model's task.
 * @param {string} model
 * @param {File | null} file text, CSV or .npz
 * @param {string[] | null} between the two labels to separate
 * @returns {Promise<any>}
 */
export async function fetchCensus(model, file, between) {
  const name = file?.name.toLowerCase() ?? "";
  if (file && name.endsWith(".npz")) {
    const query = new URLSearchParams([["model", model], ...(between ?? []).map((label) => ["between", label])]);
    return postFile(`api/census/arrays?${query}`, file);
  }
  return postJson("api/census", { model, text: file && (await file.text()), table: name.endsWith(".csv"), between });
}

/** Draw a sequence of the model's task at random. @param {string} model @param {number} seed @returns {Promise<string>} */
export const drawSequence = async (model, seed) => (await getJson(`${modelUrl(model)}/draw?seed=${seed}`)).sequence;
