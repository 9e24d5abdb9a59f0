/**
 * Server-sent events that come back by themselves. EventSource can send no headers, gives up on the first answer that is an error,
 * and after a restart all of a class would come back in the same instant.
 */

import { Refusal, request } from "../api.js";
import { readEvents } from "../events.js";

/**
 * `hear` gets every event, `lost` why the connection is gone and whether it is for good, `held` whether the page asks now and then,
 * since something on the way holds the stream back.
 * @typedef {{hear: (name: string, data: any) => void, lost: (message: string, forGood: boolean) => void, held: (held: boolean) => void}} Listener
 */

export const SILENT = 40_000; // ms: the server sends something every 15 s
const FIRST = 5_000; // ms within which a stream brings its first event, unless it is held back
const ASKING = 2_000; // ms between two requests for the newest state then
const HELD = 60_000; // ms until the stream is tried again
const SOON = 400; // ms to the first attempt at coming back, and twice that to the next
const LATEST = 4_000;
const AWAY = 120_000; // ms for which a room that was there may be unknown: its server may have just restarted

/** What is said while the stream is held back. */
export const DELAYED = `A proxy probably delays messages from the server, so this page checks for changes every ${ASKING / 1000} seconds.`; // prettier-ignore

/**
 * All times are the wall clock's: performance.now() stands still while a phone sleeps.
 * @param {string} url
 * @param {() => Record<string, string>} headers
 * @param {Listener} listener
 * @returns {{stop: () => void, check: () => void}} `check` connects again if the server has been silent
 */
export function listen(url, headers, { hear, lost, held }) {
  let id = "";
  let tries = 0;
  let ended = false;
  let heard = 0; // when something was last heard, 0: never
  let heldSince = 0; // 0: the stream is not held back
  /** @type {AbortController | undefined} */
  let attempt;
  /** @type {(() => void) | undefined} */
  let hurry;

  async function once() {
    attempt = new AbortController();
    const { signal } = attempt;
    const asks = heldSince > 0;
    let first = !asks;
    let watch = setTimeout(late, first ? FIRST : SILENT);
    function late() {
      if (first) heldSince = Date.now();
      attempt?.abort();
    }
    try {
      /** @type {Record<string, string>} */
      const newer = id ? { "last-event-id": id } : {};
      const response = await request(url + (asks ? "?once=true" : ""), { headers: { ...headers(), ...newer }, signal, cache: "no-store" });
      await readEvents(response, (events) => {
        clearTimeout(watch);
        watch = setTimeout(late, SILENT);
        if (first) held(false);
        first = false;
        [heard, tries] = [Date.now(), 0];
        for (const event of events) {
          if (event.id) ({ id } = event);
          hear(event.name, event.data);
        }
      });
    } finally {
      clearTimeout(watch);
    }
  }

  const pause = (/** @type {number} */ ms) =>
    new Promise((resolve) => {
      hurry = () => resolve(undefined);
      setTimeout(resolve, ms);
    });

  async function keep() {
    while (!ended) {
      let message = "There is no connection to the server. The page reconnects by itself.";
      let wait = Math.min(LATEST, SOON * 2 ** tries) * (0.5 + Math.random());
      const asks = heldSince > 0;
      try {
        await once();
        if (asks && !ended) {
          held(true);
          if (Date.now() - heldSince > HELD) heldSince = 0;
          await pause(ASKING);
          continue;
        }
      } catch (error) {
        if (ended) return;
        if (!asks && heldSince) continue; // it was held back: ask at once
        if (error instanceof Refusal && error.status) {
          const gone = error.status === 404 && (heard === 0 || Date.now() - heard > AWAY);
          if (gone || error.status === 403 || error.status === 410) return lost(error.message, true);
          ({ message } = error);
          if (error.status === 429) wait = Math.max(wait, 1000 * error.retryAfter * (1 + Math.random()));
        }
      }
      if (ended) return;
      lost(message, false);
      tries += 1;
      await pause(wait);
    }
  }

  // A page that slept, or was without a network, does not wait to find out.
  function check() {
    if (document.visibilityState === "hidden") return;
    hurry?.();
    if (heard && Date.now() - heard > SILENT / 2) attempt?.abort();
  }
  const wakes = /** @type {const} */ ([[window, "online"], [window, "pageshow"], [document, "visibilitychange"], [document, "resume"]]); // prettier-ignore
  for (const [target, type] of wakes) target.addEventListener(type, check);
  keep();
  return {
    check,
    stop() {
      ended = true;
      attempt?.abort();
      for (const [target, type] of wakes) target.removeEventListener(type, check);
    },
  };
}
