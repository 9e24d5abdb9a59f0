/** The only place that talks to the server, at addresses below the page's own folder, or, in a page that was saved without one, looks into what was recorded. */

/** @import { Changes, Done, Start, Step, UnitPlace } from "./run.js" */
/** `equations`: the unit whose equations come with the run. @typedef {Changes & {model: string, sequence: string, equations?: UnitPlace | null}} Scenario */
/** @typedef {{start: (start: Start) => void, step: (step: Step) => void, done: (done: Done) => void,
 *             piece?: () => void}} Listener */
/**
 * What a room shows: a page by its path, the query of its link, a lesson's step, and the step after which the run ends. `by` is
 * the window that said so; a page can show all views of one `shape`.
 * @typedef {{page: string, link: string, step: number | null, upto: number | null, by?: string, shape?: string}} View
 */
/** @import { ServerEvent } from "./events.js" */
import { sentence } from "./elements.js";
import { StreamError, parseEvents, readEvents } from "./events.js";
import { writeScenario } from "./link.js";

/**
 * What a saved page has in place of a server. `link` says what is looked at, `live` is the address of a server that can
 * answer more, "" where none is known. Each run has its stream and the answers about it, by layer and unit ("1.2"), each
 * over some of its steps. `gap` is what the gap laboratory asks first, `reveals` are those of a lesson, in base64.
 * @typedef {{from: number, to: number}} Stretch
 * @typedef {{scenario: Scenario, trace: string, answers: {equations: Record<string, Stretch>, sums: Record<string, Stretch>, ledger: Record<string, Stretch>,
 *            sensitivity: Record<string, Stretch & {at: object[]}>}}} RecordedRun
 * @typedef {{link: string, live: string, runs: RecordedRun[], trainings?: Record<string, {events: string, sequence: string, tapes: object}>, reveals?: Record<string, string>, gap?: {question: object, answer: object}}} Recording
 */

/** @type {Recording | null} */
export const recording = JSON.parse(document.querySelector("#record")?.textContent ?? "null");

const DEADLINE = 30_000; // ms

/**
 * Why there is no answer, in words for the person at the page; `about` is the part of the scenario to blame. `status` is the
 * server's, 0 where it did not answer; it may be asked again after so many seconds.
 */
export class Refusal extends Error {
  /** @param {string} message @param {string | null} [about] @param {number} [status] @param {number} [retryAfter] */
  constructor(message, about = null, status = 0, retryAfter = 0) {
    super(message);
    this.about = about;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** There is no answer yet; there may be one another time. */
export class Silence extends Refusal {}

/** It was not recorded, and there is no server to ask. */
export class Unrecorded extends Refusal {
  constructor() {
    const how = recording?.live ? "follow the link to GRU Scope at the top" : "open GRU Scope";
    super(`This exported page has no server, so it shows only what it recorded. To see more, ${how}.`);
  }
}

/** @param {Scenario} scenario */
function recorded(scenario) {
  const run = recording?.runs.find((one) => written(one.scenario) === written(scenario));
  if (!run) throw new Unrecorded();
  return run;
}

/** A scenario in one piece; how its steps are spaced does not matter. @param {Scenario} scenario */
const written = ({ model, sequence, clamps, weights, against }) =>
  `${model}&${writeScenario({ sequence: sequence.trim().replaceAll(/\s+/g, " "), clamps, weights, against: against?.trim().replaceAll(/\s+/g, " ") })}`; // prettier-ignore

const silent = () => new Silence("The server did not answer.");

/**
 * Hand the events of a run to its listener.
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
 * Run a scenario; resolves when the last step has been handed over.
 * @param {Scenario} scenario
 * @param {Listener} listener
 * @param {AbortSignal} signal
 */
export async function trace(scenario, listener, signal) {
  if (recording) return deliver(parseEvents(recorded(scenario).trace), listener);
  const response = await run(scenario, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE)]));
  let done = false;
  const receive = (/** @type {ServerEvent[]} */ events) => {
    deliver(events, listener);
    done ||= events.some(({ name }) => name === "done");
    listener.piece?.();
  };
  await readEvents(response, receive).catch((error) => {
    throw error instanceof StreamError && !signal.aborted ? silent() : error;
  });
  if (!done) throw new Silence("The run stopped before its last step.");
}

/**
 * The whole stream of a scenario, as text.
 * @param {Scenario} scenario
 */
export const text = async (scenario) =>
  recording ? recorded(scenario).trace : (await run(scenario, AbortSignal.timeout(DEADLINE))).text();

/**
 * @param {Scenario} scenario
 * @param {AbortSignal} signal
 */
const run = (scenario, signal) =>
  request("api/trace", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify(scenario),
    signal,
  });

/**
 * The answer to a question about a scenario; `about` "sums" asks /api/sums. The answer says which steps it covers.
 * @param {string} about
 * @param {Scenario & {layer?: number, unit?: number}} question
 * @param {number} [step] which it must cover
 * @returns {Promise<any>}
 */
export async function ask(about, question, step = 0) {
  const { gap } = recording ?? {};
  if (gap && about === "labs/gap" && JSON.stringify(gap.question) === JSON.stringify(question)) return gap.answer;
  if (recording) return recordedAnswer(about, question, step);
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question) };
  return (await request(`api/${about}`, { ...init, signal: AbortSignal.timeout(DEADLINE) })).json();
}

/** @param {string} about @param {Scenario & {layer?: number, unit?: number}} question @param {number} step */
function recordedAnswer(about, question, step) {
  const { answers } = recorded(question);
  const kind = /** @type {keyof RecordedRun["answers"]} */ (about);
  const answer = answers[kind]?.[`${question.layer}.${question.unit}`];
  if (!answer || step < answer.from || step > answer.to) throw new Unrecorded();
  return kind === "sensitivity" ? answers[kind][`${question.layer}.${question.unit}`].at[step - answer.from] : answer;
}

const KEY = "gruscope-visitor";

/** Tells the requests of this tab from other visitors': a training that they want as well is not ended from here. */
const token = (() => {
  const made = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
  try {
    const found = sessionStorage.getItem(KEY);
    if (!found) sessionStorage.setItem(KEY, made);
    return found ?? made;
  } catch {
    return made; // Nothing can be kept: it is that of this page alone.
  }
})();

/** Train a recipe, or find it trained: its id. @param {object} recipe @returns {Promise<{id: string}>} */
export async function train(recipe) {
  if (recording) throw new Unrecorded();
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(recipe) };
  return (await request(`api/trainings?token=${token}`, { ...init, signal: AbortSignal.timeout(DEADLINE) })).json();
}

/** End a training where it is, if nobody else follows it. @param {string} id @param {RequestInit} [init] */
export const stopTraining = (id, init) => request(`${trainingAt(id)}?token=${token}`, { method: "DELETE", ...init });

/** @param {string} id */
const trainingAt = (id) => `api/trainings/${encodeURIComponent(id)}`;

/** Where a checkpoint's model is, as a file. @param {string} id @param {number} step */
export const checkpointFile = (id, step) => `${UP}api/export/model.safetensors?model=${encodeURIComponent(`${id}@${step}`)}`;

/**
 * What each checkpoint of a training from the place `first` on makes of a sequence.
 * @param {string} id @param {string} sequence @param {number} first
 * @returns {Promise<any>}
 */
export async function tapes(id, sequence, first) {
  if (recording) {
    const kept = recording.trainings?.[id];
    if (!kept || first > 0 || kept.sequence !== sequence.trim().replaceAll(/\s+/g, " ")) throw new Unrecorded();
    return kept.tapes;
  }
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ sequence, first }) };
  return (await request(`${trainingAt(id)}/tapes`, { ...init, signal: AbortSignal.timeout(DEADLINE) })).json();
}

/**
 * Hear of a training from its start on, again and again where the connection is lost; what is given back ends it. `lost` is
 * told when the connection is lost for now, or for good.
 * @param {string} id
 * @param {(name: string, data: any) => void} hear
 * @param {(forGood: boolean) => void} lost
 * @returns {() => void}
 */
export function followTraining(id, hear, lost) {
  if (recording) {
    for (const { name, data } of parseEvents(recording.trainings?.[id]?.events ?? "")) hear(name, data);
    return () => {};
  }
  const source = new EventSource(`${UP}${trainingAt(id)}/events?token=${token}`);
  for (const name of ["start", "place", "checkpoint", "end"])
    source.addEventListener(name, (event) => {
      if (name === "end") source.close();
      hear(name, JSON.parse(/** @type {MessageEvent} */ (event).data));
    });
  source.onerror = () => lost(source.readyState === EventSource.CLOSED);
  return () => source.close();
}

/**
 * Send a file, and hear how much of it has gone. `fetch` cannot tell that, XMLHttpRequest can.
 * @param {string} url
 * @param {File} file
 * @param {(share: number) => void} [progress]
 * @returns {Promise<any>}
 */
const send = (url, file, progress) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => progress?.(loaded / total);
    request.onerror = () => reject(silent());
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(refusal(request.status, request.response));
    };
    request.send(file);
  });

/** @param {string} id */
const modelAt = (id) => `api/models/${encodeURIComponent(id)}`;

/** What is known of a model. @param {string} id @returns {Promise<any>} */
export async function model(id) {
  if (recording) throw new Unrecorded();
  return (await request(modelAt(id), {})).json();
}

/** What a GET answers. @param {string} url @returns {Promise<any>} */
export const fetched = async (url) => (await request(url, {})).json();

/** What a step of a model costs on the server. @param {string} id @returns {Promise<any>} */
export async function timing(id) {
  if (recording) throw new Unrecorded();
  return (await request(`api/timing/${encodeURIComponent(id)}`, {})).json();
}

/** Bring a model. @param {File} file @param {(share: number) => void} progress */
export const upload = (file, progress) => send(`api/models?name=${encodeURIComponent(file.name)}`, file, progress);

/** Hold a brought model to what its own library made of an input. @param {string} id @param {File} file */
export const check = (id, file) => send(`${modelAt(id)}/check`, file);

/** Say of a brought model what its file does not. @param {string} id @param {object} answers @returns {Promise<any>} */
export async function answer(id, answers) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(answers) };
  return (await request(`${modelAt(id)}/answers`, init)).json();
}

/** What is revealed once a question of a lesson is answered. @param {string} lesson @param {string} question @param {Record<string, string>} headers @returns {Promise<import("./lesson/verdict.js").Revealed>} */
export async function reveal(lesson, question, headers) {
  if (recording) return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(recording.reveals?.[question] ?? ""), (c) => c.charCodeAt(0)))); // prettier-ignore
  return (await request(`api/lessons/${encodeURIComponent(lesson)}/reveal?question=${question}`, { headers })).json();
}

/** Numbers of what a link to the lab shows, as lessons write them. @param {string} link @param {string[]} what @returns {Promise<(string | null)[]>} */
export async function numbers(link, what) {
  if (recording) throw new Unrecorded();
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ link, what }) };
  return (await request("api/numbers", { ...init, signal: AbortSignal.timeout(DEADLINE) })).json();
}

/**
 * A sequence of the model's task, drawn at random.
 * @param {string} model
 * @param {number} seed
 * @returns {Promise<string>}
 */
export async function draw(model, seed) {
  if (recording) throw new Unrecorded();
  const response = await request(`${modelAt(model)}/draw?seed=${seed}`, {});
  return (await response.json()).sequence;
}

/**
 * Open a room that shows a view, or the one of a secret, which has been lost.
 * @param {View} view @param {string} [secret] @returns {Promise<{code: string, secret: string, address: string}>}
 */
export async function openRoom(view, secret) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ view, ...(secret ? { secret } : {}) }) };
  return (await request("api/rooms", { ...init, signal: AbortSignal.timeout(DEADLINE) })).json();
}

/** @param {string} code @param {string} [part] */
export const roomAt = (code, part = "") => `api/rooms/${encodeURIComponent(code)}${part && `/${part}`}`;

/** Say something to a room. @param {string} code @param {string} part @param {Record<string, string>} headers @param {object} body @param {RequestInit} [init] */
export const say = (code, part, headers, body, init) =>
  request(roomAt(code, part), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE),
    ...init,
  });

/**
 * The way from the page's folder to the server's own: embedded pages, laboratories, lessons and rooms lie further down. It is a
 * whole path, since the address may change while the page stays.
 */
export const UP = recording ? "" : new URL(ups() || "./", location.href).pathname;

function ups() {
  const folders = /(\/embed)?(\/compare|\/lessons|\/rooms(?:\/[^/]+)?)?\/[^/]*$/.exec(location.pathname) ?? [];
  return "../".repeat(folders.slice(1).join("").split("/").length - 1);
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
export async function request(url, init) {
  if (recording) throw new Unrecorded();
  let response;
  try {
    response = await fetch(UP + url, init);
  } catch (error) {
    const letGo = init.signal?.aborted && init.signal.reason?.name !== "TimeoutError";
    throw letGo ? error : silent();
  }
  if (response.ok) return response;
  const wait = Number(response.headers.get("retry-after") ?? 0);
  throw refusal(response.status, await response.json().catch(() => null), wait);
}

/** @param {number} status @param {any} body @param {number} [wait] in seconds */
const refusal = (status, body, wait) =>
  new Refusal(
    sentence(body?.error?.message ?? `The server returned an error (${status}).`),
    body?.error?.where,
    status,
    wait,
  );
