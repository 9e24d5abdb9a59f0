/**
 * Server-sent events that come back by themselves. EventSource can send no headers, gives up on the first answer that is an error,
 * and after a restart all of a class would come back in the same instant.
 */

import { Refusal, request } from "../api.js";

const SILENT = 40_000; // ms: the server says something every 15 s
const SOON = 400; // ms to the first attempt at coming back, and twice that to the next
const LATEST = 4_000;
const AWAY = 120_000; // ms for which a room that was there may be unknown: its server may just have begun again

/**
 * `hear` is told of every event, `lost` that the connection is gone and why, with whether it is for good.
 * @param {string} url
 * @param {() => Record<string, string>} headers
 * @param {(name: string, data: any) => void} hear
 * @param {(message: string, forGood: boolean) => void} lost
 * @returns {() => void} ends it
 */
export function listen(url, headers, hear, lost) {
  let id = "";
  let tries = 0;
  let ended = false;
  let heard = 0; // when something was last heard, 0: never
  /** @type {AbortController | undefined} */
  let attempt;
  /** @type {(() => void) | undefined} */
  let hurry;

  async function once() {
    attempt = new AbortController();
    let watch = setTimeout(() => attempt?.abort(), SILENT);
    try {
      const response = await request(url, { headers: { ...headers(), ...(id ? { "last-event-id": id } : {}) }, signal: attempt.signal, cache: "no-store" }); // prettier-ignore
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      const decoder = new TextDecoder();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(() => attempt?.abort(), SILENT);
        [heard, tries] = [performance.now(), 0];
        const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) tell(block);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  /** @param {string} block */
  function tell(block) {
    const said = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)])); // prettier-ignore
    if (said.id) ({ id } = said);
    if (said.event) hear(said.event, JSON.parse(said.data));
  }

  async function keep() {
    while (!ended) {
      let message = "The connection is lost. It comes back by itself.";
      let wait = Math.min(LATEST, SOON * 2 ** tries) * (0.5 + Math.random());
      try {
        await once();
      } catch (error) {
        if (ended) return;
        if (error instanceof Refusal && error.status) {
          const gone = error.status === 404 && (heard === 0 || performance.now() - heard > AWAY);
          if (gone || error.status === 403) return lost(error.message, true);
          ({ message } = error);
          if (error.status === 429) wait = Math.max(wait, 1000 * error.retryAfter * (1 + Math.random()));
        }
      }
      if (ended) return;
      lost(message, false);
      tries += 1;
      await new Promise((resolve) => {
        hurry = () => resolve(undefined);
        setTimeout(resolve, wait);
      });
    }
  }

  // A page that slept, or was without a network, does not wait to find out.
  const wake = () => {
    if (document.visibilityState === "hidden") return;
    hurry?.();
    if (heard && performance.now() - heard > SILENT / 2) attempt?.abort();
  };
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  keep();
  return () => {
    ended = true;
    attempt?.abort();
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
  };
}
