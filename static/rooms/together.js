/**
 * One stream for all tabs of a browser, because a browser opens at most six connections to a server. One tab has the stream and
 * sends its events to the other tabs. When this tab is closed, another tab opens the stream.
 */

/** @import { Listener } from "./stream.js" */
/** @typedef {"ask" | "mine" | "bye" | "receive" | "lost" | "delayed"} Kind of a message between tabs */
import { SILENT, listen } from "./stream.js";

const ANSWER = 300; // ms within which the tab that has the stream answers
const LOOK = 5_000; // ms between two checks that the tab with the stream still sends events

/**
 * Listen to a stream as `listen` does. All tabs with the same `url` share one stream.
 * @param {string} url
 * @param {() => Record<string, string>} headers
 * @param {Listener} listener
 */
export function listenTogether(url, headers, listener) {
  const channel = new BroadcastChannel(`gruscope ${url}`);
  const me = Math.random();
  /** The last data of each event, by its name. @type {Map<string, any>} */
  const newest = new Map();
  /** The stream, in the tab that has it. @type {ReturnType<typeof listen> | null} */
  let stream = null;
  let heardAt = 0; // time of the last message from the tab that has the stream
  let stopped = false;
  /** @type {number | undefined} */
  let waiting;

  const post = (/** @type {Kind} */ kind, /** @type {any[]} */ ...args) =>
    channel.postMessage({ kind, from: me, args });

  function takeStream() {
    if (stopped || stream) return;
    stream = listen(url, headers, {
      receive(name, data) {
        if (name) newest.set(name, data);
        post("receive", name, data);
        if (name) listener.receive(name, data);
      },
      lost(...args) {
        post("lost", ...args);
        listener.lost(...args);
      },
      delayed(...args) {
        post("delayed", ...args);
        listener.delayed(...args);
      },
    });
    post("mine");
  }

  function dropStream() {
    stream?.stop();
    stream = null;
  }

  /** Ask the other tabs for the stream, and open it in this tab if no other tab has it. */
  function seekStream() {
    if (stopped || stream) return;
    post("ask");
    clearTimeout(waiting);
    const since = Date.now();
    waiting = setTimeout(() => heardAt < since && takeStream(), ANSWER * (1 + Math.random()));
  }

  function answer() {
    if (!stream) return;
    stream.check();
    post("mine");
    for (const [name, data] of newest) post("receive", name, data);
  }

  channel.onmessage = ({ data: { kind, from, args } }) => {
    if (kind === "ask") return answer();
    if (kind === "bye") {
      heardAt = 0;
      return seekStream();
    }
    if (stream) {
      if (from > me) return post("mine"); // two tabs opened it at once: the tab with the smaller number keeps it
      dropStream();
    }
    heardAt = Date.now();
    if (kind === "receive" && args[0]) listener.receive(args[0], args[1]);
    else if (kind === "lost") listener.lost(args[0], args[1]);
    else if (kind === "delayed") listener.delayed(args[0]);
  };

  const leave = () => {
    if (!stream) return;
    dropStream();
    post("bye");
  };
  const wake = () => {
    if (document.visibilityState !== "hidden" && !stream && Date.now() - heardAt > SILENT / 2) seekStream();
  };
  // A frozen tab forwards no events, so another tab must open the stream.
  addEventListener("pagehide", leave);
  document.addEventListener("freeze", leave);
  for (const type of ["pageshow", "online"]) addEventListener(type, wake);
  for (const type of ["visibilitychange", "resume"]) document.addEventListener(type, wake);
  setInterval(() => heardAt && Date.now() - heardAt > SILENT && seekStream(), LOOK);
  seekStream();
  return {
    stop() {
      stopped = true;
      leave();
      channel.close();
    },
  };
}
