import { lesson, room } from "./boot.js";
import { isProjected } from "./display.js";
import { expand, isCompact } from "./fragment.js";
import { resetFields } from "./elements.js";
import { NotRecorded, recording } from "./recording.js";
import { ROOT } from "./server.js";

/** Return the query of the page's view. It comes from the room, the lesson, the address or, in a saved page, from the recording. */
export const address = () =>
  room?.link || lesson?.steps[lesson.step - 1].link || (recording ? recordedAddress(recording.link) : location.search);

/**
 * Return the query of a saved page. If the page's address has a sequence, return the query of the address. Otherwise return the recorded
 * link, in which keys of the address replace recorded keys.
 * @param {string} link
 */
function recordedAddress(link) {
  const keys = new URLSearchParams(location.search);
  if (keys.has("sequence")) return location.search;
  for (const [key, value] of new URLSearchParams(link)) if (!keys.has(key)) keys.set(key, value);
  return `?${keys}`;
}

/** Return whether a part of the view is in the fragment of the address, so the server did not see it. */
export const isPartlyHere = () => !room && !lesson && isCompact(location.hash);

/** Return the query of the page's view, including the part in the fragment. */
export const wholeAddress = async () => (isPartlyHere() ? expand(address(), location.hash) : address());

/** The address of the server that links lead to: this server or, in a saved page, the recorded address ("" if there is none). */
export const home = recording ? recording.live : new URL(ROOT, location.href).href;

// A server has separate pages for frames. A saved page is the same file everywhere, so it detects here whether it is in a frame.
if (recording && !lesson && parent !== window) {
  document.body.classList.add("embedded");
  document.body.dataset.hide ??= new URLSearchParams(location.search).get("hide")?.replaceAll(",", " ") ?? "";
}

/** The keys with which an embedding page sets the appearance of this page. */
const embedded = [...new URLSearchParams(location.search)]
  .filter(([key]) => key === "hide" || key === "theme")
  .map(([key, value]) => `&${key}=${encodeURIComponent(value)}`)
  .join("");

/**
 * Return the keys of the address that do not belong to the view: the page's appearance, and the task after Be the gate. The result
 * starts with "&" or is empty.
 */
export const frameKeys = () =>
  embedded + (isProjected() ? "&display=projector" : "") + (document.querySelector("#after-gate") ? "&task=gate" : "");

/**
 * Open another page of the server. A saved page has no server: reset the changed fields, and call `say` with the reason.
 * @param {string} address @param {(HTMLInputElement | HTMLSelectElement)[]} changed @param {(reason: string) => void} say
 */
export function openPage(address, changed, say) {
  if (!recording) return location.assign(address + frameKeys());
  resetFields(changed);
  say(new NotRecorded().message);
}
