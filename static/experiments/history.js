/**
 * Keep the address of an experiment up to date with the settings. The first change of a control adds an entry to the browser's history,
 * and further changes of the same control only change this entry.
 */

/** @import { Controls } from "./controls.js" */
import { frameKeys } from "../frame.js";

const SETTLED = 200; // ms without another change, before a change is written

/**
 * Write each change of a control into the address, and follow the Back and Forward buttons.
 * @param {Controls} controls @param {(query: string) => void} show opens a query
 */
export function mountEntries(controls, show) {
  if (location.protocol === "file:") return;
  let last = ""; // the control that made the current entry
  /** @type {number | undefined} */
  let timer;

  controls.subscribe((name) => {
    if (!name) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const how = name === last ? "replaceState" : "pushState";
      last = name;
      try {
        history[how](null, "", controls.address() + frameKeys());
      } catch {
        // Browsers reject too many history changes in a short time. The address then stays as it is.
      }
    }, SETTLED);
  });
  addEventListener("popstate", () => {
    clearTimeout(timer);
    last = "";
    show(location.search);
  });
}
