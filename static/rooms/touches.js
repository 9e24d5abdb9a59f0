/** Whether a change of the figure is the visitor's own doing. */

const RECENT = 1500; // ms for which a touch explains a change

/**
 * Watch the visitor touch the figure; pressing steps to answer is no such touch.
 * @returns {() => boolean} whether it was touched just now
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
