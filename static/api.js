/** The page's requests to the server. A saved page sends no requests: it has recorded responses, or computes them (see offline.js). */

/** @import { ServerEvent } from "./events.js" */
/** @import { Changes, Done, Start, Step, UnitPlace } from "./run.js" */
/**
 * The model, the sequence and the changes for a run. `equations` is the unit for which the response includes equations, if any.
 * @typedef {Changes & {model: string, sequence: string, equations?: UnitPlace | null}} Scenario
 */
/**
 * The callbacks for the events of a run. `piece` is called after each piece of the stream.
 * @typedef {{start: (start: Start) => void, step: (step: Step) => void, done: (done: Done) => void,
 *            piece?: () => void}} Listener
 */
import { StreamError, parseEvents, readEvents } from "./events.js";
import { offlineAnswer, offlineRun } from "./offline.js";
import { NotRecorded, recordedReveal, recordedTapes, recording } from "./recording.js";
import { DEADLINE, NoAnswer, ROOT, RequestError, getJson, post, postFile, postJson, request } from "./server.js";
import { readStored, writeStored } from "./storage.js";

/**
 * Call the listener's callback for each event of a run.
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
 * Return a function like `trace` for runs that are shown together. Calls in the same tick share one request. If the server
 * rejects this request, send each scenario again in a separate request, because one wrong scenario must not stop the others.
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
 * Post a request, and read the stream of the response. Throws NoAnswer if the stream ends before all `runs` runs are complete.
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
 * Fetch details of a scenario from /api/`route`, for example /api/sums. The response says which steps it covers.
 * @param {string} route
 * @param {Scenario & {layer?: number, unit?: number}} question
 * @param {number} [step] a step that the response must cover
 * @returns {Promise<any>}
 */
export const fetchAnswer = async (route, question, step = 0) =>
  recording ? offlineAnswer(route, question, step) : postJson(`api/${route}`, question);

const KEY = "gruscope-visitor";

/** A random id of this tab. It lets the server check whether another tab is still watching a training. */
const token = (() => {
  const created = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
  const stored = readStored(KEY, "sessionStorage");
  if (!stored) writeStored(KEY, created, "sessionStorage");
  return stored ?? created;
})();

/** The requests to start a training that have no response yet. @type {Set<Promise<any>>} */
const starting = new Set();

/**
 * Start a training from a recipe, unless the server already has this training. Return the training's id.
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
 * Stop a training, unless someone else is watching it. Pending start requests are awaited first, because a start request that
 * arrived after the stop request would start the training again.
 * @param {string} id @param {RequestInit} [init]
 */
export async function stopTraining(id, init) {
  if (starting.size) await Promise.allSettled(starting);
  return request(`${trainingUrl(id)}?token=${token}`, { method: "DELETE", ...init });
}

/** @param {string} id */
const trainingUrl = (id) => `api/trainings/${encodeURIComponent(id)}`;

/** Return the download address of a checkpoint's model, as a .safetensors file. @param {string} id @param {number} step */
export const checkpointUrl = (id, step) =>
  `${ROOT}api/export/model.safetensors?model=${encodeURIComponent(`${id}@${step}`)}`;

/**
 * Run a sequence through the checkpoints of a training. Skip the checkpoints before index `first`.
 * @param {string} id @param {string} sequence @param {number} first
 * @returns {Promise<any>}
 */
export async function fetchTapes(id, sequence, first) {
  if (!recording) return postJson(`${trainingUrl(id)}/tapes`, { sequence, first });
  if (first > 0) throw new NotRecorded();
  return recordedTapes(id, sequence);
}

/**
 * Call `receive` with every event of a training, from the first event on. The browser reconnects after a lost connection.
 * @param {string} id
 * @param {(name: string, data: any) => void} receive
 * @param {(forGood: boolean) => void} lost called when the connection is lost, temporarily or for good
 * @returns {() => void} a function that stops following
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

/** Fetch a model's entry in the list of models. @param {string} id @returns {Promise<any>} */
export const fetchModel = (id) => getJson(modelUrl(id));

/** Measure how long one timestep of a model takes on the server. @param {string} id @returns {Promise<any>} */
export const measureTime = (id) => getJson(`api/timing/${encodeURIComponent(id)}`);

/** Upload a model. @param {File} file @param {(share: number) => void} report receives the share of the file that has been sent */
export const uploadModel = (file, report) => postFile(`api/models?name=${encodeURIComponent(file.name)}`, file, report);

/**
 * Convert a file of vectors to a sequence for a model.
 * @param {string} id @param {File} file @returns {Promise<{sequence: string, note: string}>}
 */
export const fetchSequence = (id, file) =>
  postFile(`${modelUrl(id)}/sequence?name=${encodeURIComponent(file.name)}`, file);

/** Compare an uploaded model with a reference, or with the file of a second model. @param {string} id @param {File} file */
export const checkParity = (id, file) => postFile(`${modelUrl(id)}/check`, file);

/** Send the visitor's answers to the questions about an uploaded file. @param {string} id @param {object} answers @returns {Promise<any>} */
export const answerQuestions = (id, answers) => postJson(`${modelUrl(id)}/answers`, answers, { signal: null }); // no timeout: reading a large file takes long

/**
 * Fetch the correct answer to a lesson's question, and its explanation. The page shows them after the visitor answers.
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
 * Fetch numbers from the run that a link to the Lab shows. `what` lists the numbers in the notation of lessons.
 * @param {string} link
 * @param {string[]} what
 * @returns {Promise<(string | null)[]>}
 */
export const fetchNumbers = (link, what) => postJson("api/numbers", { link, what });

/**
 * Fetch statistics of each unit over many sequences: the sequences in `file`, or held-out sequences of the model's task.
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

/** Fetch a random sequence of the model's task. @param {string} model @param {number} seed @returns {Promise<string>} */
export const drawSequence = async (model, seed) => (await getJson(`${modelUrl(model)}/draw?seed=${seed}`)).sequence;
