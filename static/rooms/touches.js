/** Detect whether the visitor caused a change of the figure. */

const RECENT = 1500; // ms after a click or a key, in which a change counts as caused by the visitor

/**
 * Watch for the visitor's clicks, key presses and input on the figure. Selecting steps as an answer does not count.
 * @returns {() => boolean} a function that returns whether the visitor has just used the figure
 */
export function watchTouches() {
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  let last = -Infinity;
  const touch = (/** @type {Event} */ event) => {
    const { target } = event;
    const inside =
      target instanceof Element &&
      (main.contains(target) || target === document.body) &&
      !target.closest(".pressed, .drawn");
    if (inside && !(event instanceof KeyboardEvent && ["Tab", "Shift"].includes(event.key))) last = performance.now();
  };
  for (const type of ["click", "input", "keydown"]) addEventListener(type, touch, true);
  return () => performance.now() - last < RECENT;
}
