/**
 * A stream of server-sent events that reconnects. EventSource cannot do this job: it sends no headers, and it stops after an error
 * response. After a restart of the server, it would also let a whole class reconnect at the same moment.
 */

import { readEvents } from "../events.js";
import { RequestError, request } from "../server.js";

/**
 * The callbacks of a stream. `receive` gets every event. When the connection is lost, `lost` gets the reason; `forGood` is true if the
 * stream will not reconnect. `delayed` gets true while a proxy delays the stream, and false when the delay is over. During a delay, the
 * page requests the state every few seconds.
 * @typedef {{receive: (name: string, data: any) => void, lost: (message: string, forGood: boolean) => void, delayed: (delayed: boolean) => void}} Listener
 */

export const SILENT = 40_000; // ms: the server sends something every 15 s
const FIRST = 5_000; // ms within which the first event arrives, unless a proxy delays the stream
const CONNECTIONS = 6; // the most connections of a browser to a server
const DEAD = 2_000; // ms within which a small response arrives, unless the connection is dead
const ASKING = 2_000; // ms between two requests for the newest state while a proxy delays the stream
const DELAYED_FOR = 60_000; // ms until the page tries the delayed stream again
const SOON = 400; // ms until the first attempt to reconnect; each further wait is twice as long
const LATEST = 4_000; // ms, the longest wait before the random factor
const AWAY = 120_000; // ms for which the server may not know an existing room, for example after a restart

/** The message while a proxy delays the stream. */
export const DELAYED = `A proxy probably delays messages from the server, so this page checks for changes every ${ASKING / 1000} seconds.`;

/** The events after which a page checks its stream at once. */
const WAKES = /** @type {const} */ ([
  [window, "online"],
  [window, "pageshow"],
  [document, "visibilitychange"],
  [document, "resume"],
]);

/**
 * Listen to a stream, and reconnect if necessary. All times are from Date.now(), because performance.now() stops while a phone
 * sleeps.
 * @param {string} url
 * @param {() => Record<string, string>} headers
 * @param {Listener} listener
 * @returns {{stop: () => void, check: () => void}} `check` connects again if the server has been silent
 */
export function listen(url, headers, { receive, lost, delayed }) {
  let lastId = "";
  let tries = 0;
  let stopped = false;
  let heardAt = 0; // time of the last data, 0 if no data have arrived
  let slept = false;
  let delayedSince = 0; // time since which a proxy delays the stream, 0 if none does
  /** @type {AbortController | undefined} */
  let attempt;
  const { pause, hurry } = createPause();

  /** Read the stream until it ends. While a proxy delays the stream, fetch only the newest state. */
  async function connect() {
    attempt = new AbortController();
    const { signal } = attempt;
    if (slept) await endDeadConnections();
    slept = false;
    const asks = delayedSince > 0;
    let first = !asks;
    let watch = setTimeout(giveUp, FIRST);
    function giveUp() {
      if (first) delayedSince = Date.now();
      attempt?.abort();
    }
    try {
      /** @type {Record<string, string>} */
      const newer = lastId ? { "last-event-id": lastId } : {};
      const response = await request(url + (asks ? "?once=true" : ""), {
        headers: { ...headers(), ...newer },
        signal,
        cache: "no-store",
      });
      await readEvents(response, (events) => {
        clearTimeout(watch);
        watch = setTimeout(giveUp, SILENT);
        if (first) delayed(false);
        first = false;
        [heardAt, tries] = [Date.now(), 0];
        for (const { id, name, data } of events) {
          if (id) lastId = id;
          receive(name, data);
        }
      });
    } finally {
      clearTimeout(watch);
    }
  }

  async function keepConnected() {
    while (!stopped) {
      const asks = delayedSince > 0;
      let failure = {
        message: "There is no connection to the server. The page reconnects by itself.",
        wait: waitAfter(tries),
      };
      try {
        await connect();
        if (asks && !stopped) {
          delayed(true);
          if (Date.now() - delayedSince > DELAYED_FOR) delayedSince = 0;
          await pause(ASKING);
          continue;
        }
      } catch (error) {
        if (stopped) return;
        if (!asks && delayedSince) continue; // a proxy delays the stream: request the state at once
        if (error instanceof RequestError && error.status) {
          if (isForGood(error, heardAt)) return lost(error.message, true);
          failure = { message: error.message, wait: Math.max(failure.wait, waitAsTold(error)) };
        }
      }
      if (stopped) return;
      lost(failure.message, false);
      tries += 1;
      await pause(failure.wait);
    }
  }

  // A page that slept or had no network reconnects at once and does not wait for a timeout.
  function check() {
    if (document.visibilityState === "hidden") return;
    hurry();
    slept = heardAt > 0 && Date.now() - heardAt > SILENT / 2;
    if (slept) attempt?.abort();
  }
  for (const [target, type] of WAKES) target.addEventListener(type, check);
  keepConnected();
  return {
    check,
    stop() {
      stopped = true;
      attempt?.abort();
      for (const [target, type] of WAKES) target.removeEventListener(type, check);
    },
  };
}

/** Return a function that waits for a number of milliseconds, and a function that ends the wait at once. */
function createPause() {
  let hurry = () => {};
  const pause = (/** @type {number} */ ms) =>
    new Promise((resolve) => {
      hurry = () => resolve(undefined);
      setTimeout(resolve, ms);
    });
  return { pause, hurry: () => hurry() };
}

/**
 * Let the browser close connections that died while a phone slept. Otherwise the browser would send the next requests over them. Send
 * a small request over each connection: it gets a response or, after a timeout, closes the connection.
 */
async function endDeadConnections() {
  const touch = () =>
    request("healthz", { signal: AbortSignal.timeout(DEAD), cache: "no-store" }).catch(() => undefined);
  await Promise.all(Array.from({ length: CONNECTIONS }, touch));
}

/**
 * Return how many ms to wait before the next attempt. The time is partly random, so that a class does not reconnect all at once.
 * @param {number} tries the number of attempts so far
 */
const waitAfter = (tries) => Math.min(LATEST, SOON * 2 ** tries) * (0.5 + Math.random());

/**
 * Return how many ms to wait because of the server's Retry-After header; 0 if the server does not limit requests.
 * @param {RequestError} error
 */
const waitAsTold = ({ status, retryAfter }) => (status === 429 ? 1000 * retryAfter * (1 + Math.random()) : 0);

/**
 * Return whether an error means that the room has ended, and not that its server is down for a moment.
 * @param {RequestError} error @param {number} heardAt
 */
function isForGood({ status }, heardAt) {
  const unknown = status === 404 && (heardAt === 0 || Date.now() - heardAt > AWAY);
  return unknown || status === 403 || status === 410;
}
