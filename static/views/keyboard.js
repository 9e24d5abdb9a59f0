/**
 * The Tab key on a page. In a bar of controls, the Tab key stops at one control only, and the arrow keys move to the other controls. The
 * rest of the page is then only a few presses of the Tab key away. Without this script the Tab key stops at every control.
 */

import { findAll } from "../elements.js";

const BARS =
  "[role=toolbar], .masthead nav, .subnav, .newcomer, .sequence, .scroller, .course .buttons, .steps, .grid table";
const CONTROLS = "a[href], button, select, summary";

/**
 * Mount the skip links of a page and its bars of controls: toolbars, links to other pages, and the labels on a tape.
 * @param {ParentNode} root
 */
export function mountKeyboard(root) {
  for (const link of /** @type {HTMLAnchorElement[]} */ (findAll(root, ".skip-link")))
    link.addEventListener("click", (event) => {
      event.preventDefault(); // the address belongs to the view
      const part = /** @type {HTMLElement} */ (root.querySelector(link.hash));
      part.focus();
      part.scrollIntoView({ block: "nearest" });
    });
  mountBars(root);
}

/** @param {ParentNode} root */
function mountBars(root) {
  const bars = findAll(root, BARS);
  for (const bar of bars)
    if (bar.role === "toolbar") bar.ariaDescription = "Left and right arrow keys go from button to button";
  /**
   * For each bar that has had the focus, the last focused control. The Tab key stops at this control.
   * @type {Map<HTMLElement, HTMLElement>}
   */
  const stops = new Map();
  // Whether the Tab key was the last one used. After a click, the arrow keys move the cursor of the run and not the focus in a bar.
  let tabbed = false;

  const controlsOf = (/** @type {HTMLElement} */ bar) =>
    findAll(bar, CONTROLS).filter((control) => control.checkVisibility());

  /** Let the Tab key stop at one control of each bar. A change of the page can make this a different control. */
  function setStops() {
    for (const bar of bars) {
      const controls = controlsOf(bar);
      const stop = stops.get(bar);
      const current =
        controls.find((control) => ["page", "step"].includes(control.ariaCurrent ?? "")) ??
        controls.find(({ ariaDisabled }) => ariaDisabled !== "true");
      for (const control of controls)
        control.tabIndex = control === (stop && controls.includes(stop) ? stop : current) ? 0 : -1;
    }
  }

  /** @param {HTMLElement} bar @param {KeyboardEvent} event */
  function move(bar, event) {
    const controls = controlsOf(bar);
    const at = controls.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: controls.length - 1 }[event.key];
    if (!tabbed || at < 0 || next === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey)
      return;
    event.preventDefault();
    controls.at(next % controls.length)?.focus();
  }

  addEventListener(
    "keydown",
    ({ key }) => {
      if (key !== "Tab") return;
      tabbed = true;
      setStops();
    },
    true,
  );
  addEventListener("pointerdown", () => (tabbed = false), true);
  for (const bar of bars) {
    bar.addEventListener("focusin", ({ target }) => stops.set(bar, /** @type {HTMLElement} */ (target)));
    bar.addEventListener("keydown", (event) => move(bar, event));
  }
}
