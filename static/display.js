/**
 * The projector mode: large text, and only the parts of the page that a lecture needs. This module switches the mode, and the style
 * sheets change the page. The mode lasts as long as the tab. The address contains the mode, so a bookmark keeps it.
 */

import { writeStored } from "./storage.js";

const root = document.documentElement;

/** The name of the window event that follows each change of the mode. */
export const CHANGED = "displaychange";

/** Return whether the page is in projector mode. When a page opens, first.js sets the mode before the first paint. */
export const isProjected = () => root.dataset.display === "projector";

/** Write the mode into the address. */
function writeAddress() {
  const keys = location.search
    .slice(1)
    .split("&")
    .filter((key) => key && !key.startsWith("display="));
  if (isProjected()) keys.push("display=projector");
  try {
    history.replaceState(
      history.state,
      "",
      `${location.pathname}${keys.length ? "?" : ""}${keys.join("&")}${location.hash}`,
    );
  } catch {
    // Some browsers forbid this on pages that are opened as files.
  }
}

/** Enter or leave projector mode. @param {boolean} on */
export function setProjected(on) {
  if (on === isProjected()) return;
  writeStored("display", on ? "projector" : null, "sessionStorage");
  if (!on) delete root.dataset.display;
  // A page without the button does not change. The next page that has the button opens in projector mode.
  else if (document.querySelector("#display")) root.dataset.display = "projector";
  writeAddress();
  dispatchEvent(new Event(CHANGED));
}

/** Mount the button and the key, P, that switch projector mode on and off. @param {HTMLElement} button */
export function mountDisplay(button) {
  const show = () => button.setAttribute("aria-pressed", String(isProjected()));
  const toggle = () => setProjected(!isProjected());
  button.addEventListener("click", toggle);
  addEventListener(CHANGED, show);
  addEventListener("keydown", (event) => {
    const elsewhere = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, dialog[open]");
    if (event.key.toLowerCase() !== "p" || event.ctrlKey || event.metaKey || event.altKey || elsewhere) return;
    toggle();
  });
  show();
}
