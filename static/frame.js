import { lesson, room } from "./boot.js";
import { recording } from "./recording.js";
import { ROOT } from "./server.js";

/** Return the query of what the page shows: the room's, the lesson's, the address's, or what a page that was saved as a file says itself. */
export const address = () =>
  room?.link || lesson?.steps[lesson.step - 1].link || location.search || (recording?.link ?? "");

/** Where links lead: this server, or the one that a saved page came from, "" if that is not known. */
export const home = recording ? recording.live : new URL(ROOT, location.href).href;

/** What an embedding page said in the address of how this one is to look: it stays there. Begins with "&", or is empty. */
export const frameKeys = [...new URLSearchParams(location.search)]
  .filter(([key]) => key === "hide" || key === "theme")
  .map(([key, value]) => `&${key}=${encodeURIComponent(value)}`)
  .join("");

/** Tell the page around a frame how tall this one would like to be. */
export function announceHeight() {
  if (parent === window) return;
  const announce = () => parent.postMessage({ type: "gruscope", height: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(announce).observe(document.documentElement);
}
