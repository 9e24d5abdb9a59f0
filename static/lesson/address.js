/** Read and write the current step of a lesson in the page's address and in links. A saved lesson is in a frame: there the address is that of the page around it. */

import { frameKeys } from "../frame.js";
import { recording } from "../recording.js";

/** Return the address of a step, in the form that links in a lesson use. @param {number} n */
export const addressOf = (n) => `?step=${n}`;

/** Return the step that a link in the lesson leads to, or 0 if the link leads to another page. @param {Element} link */
export const stepIn = (link) => Number(/^\?step=(\d+)$/.exec(link.getAttribute("href") ?? "")?.[1] ?? 0);

/** Return the step in the page's address. */
export const stepInAddress = () =>
  Number(new URLSearchParams(location.search).get("step") ?? (location.hash.slice(1) || "1"));

/** Add an entry for a step to the browser's history. @param {number} n */
export function push(n) {
  if (!recording) history.pushState(null, "", addressOf(n) + frameKeys());
  else if (parent === window) history.pushState(null, "", `#${n}`);
  else parent.postMessage({ type: "gruscope-at", step: n }, "*");
}

/** Go to a step that needs the figure of another page. In a saved lesson, the page around the frame opens the other page. @param {number} n */
export function leave(n) {
  if (recording) parent.postMessage({ type: "gruscope-step", step: n }, "*");
  else location.assign(addressOf(n) + frameKeys());
}
