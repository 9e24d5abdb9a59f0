/**
 * One stream for all tabs of a browser: it opens at most six connections to a server, and a stream keeps one. One tab has the stream
 * and passes on what it hears; when it goes, another takes over.
 */

/** @import { Listener } from "./stream.js" */
/** @typedef {"ask" | "mine" | "bye" | "hear" | "lost" | "held"} Kind */
import { SILENT, listen } from "./stream.js";

const ANSWER = 300; // ms within which the tab that has the stream answers
const LOOK = 5_000; // ms between two looks whether it is still there

/**
 * As `listen` does; `url` names the stream.
 * @param {string} url
 * @param {() => Record<string, string>} headers
 * @param {Listener} listener
 */
export function listenTogether(url, headers, listener) {
  const channel = new BroadcastChannel(`gruscope ${url}`);
  const me = Math.random();
  /** What the stream brought last, by its name. @type {Map<string, any>} */
  const newest = new Map();
  /** The stream, in the tab that has it. @type {ReturnType<typeof listen> | null} */
  let stream = null;
  let heard = 0; // when the tab that has it was last heard of, by the wall clock
  let over = false;
  /** @type {number | undefined} */
  let waiting;

  const post = (/** @type {Kind} */ kind, /** @type {any[]} */ ...said) => channel.postMessage({ kind, from: me, said });

  function begin() {
    if (over || stream) return;
    stream = listen(url, headers, {
      hear(name, data) {
        if (name) newest.set(name, data);
        post("hear", name, data);
        if (name) listener.hear(name, data);
      },
      lost(...said) {
        post("lost", ...said);
        listener.lost(...said);
      },
      held(...said) {
        post("held", ...said);
        listener.held(...said);
      },
    });
    post("mine");
  }

  function yieldStream() {
    stream?.stop();
    stream = null;
  }

  /** Ask who has the stream, and take it if nobody answers. */
  function ask() {
    if (over || stream) return;
    post("ask");
    clearTimeout(waiting);
    const since = Date.now();
    waiting = setTimeout(() => heard < since && begin(), ANSWER * (1 + Math.random()));
  }

  channel.onmessage = ({ data: { kind, from, said } }) => {
    if (kind === "ask") {
      if (!stream) return;
      stream.check();
      post("mine");
      for (const [name, data] of newest) post("hear", name, data);
      return;
    }
    if (kind === "bye") {
      heard = 0;
      return ask();
    }
    if (stream) {
      if (from > me) return post("mine"); // two began at once: the first keeps it
      yieldStream();
    }
    heard = Date.now();
    if (kind === "hear" && said[0]) listener.hear(said[0], said[1]);
    else if (kind === "lost") listener.lost(said[0], said[1]);
    else if (kind === "held") listener.held(said[0]);
  };

  // A tab that is frozen passes nothing on.
  const leave = () => {
    if (!stream) return;
    yieldStream();
    post("bye");
  };
  const wake = () => {
    if (document.visibilityState !== "hidden" && !stream && Date.now() - heard > SILENT / 2) ask();
  };
  addEventListener("pagehide", leave);
  document.addEventListener("freeze", leave);
  for (const type of ["pageshow", "online"]) addEventListener(type, wake);
  for (const type of ["visibilitychange", "resume"]) document.addEventListener(type, wake);
  setInterval(() => heard && Date.now() - heard > SILENT && ask(), LOOK);
  ask();
  return {
    stop() {
      over = true;
      leave();
      channel.close();
    },
  };
}
