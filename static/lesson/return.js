/** The button that returns to the lesson's run, for visitors who have changed the figure in a step with a question. */

/** @import { Figure } from "./lesson.js" */

/**
 * Mount the button that returns to the lesson's run.
 * @param {HTMLElement | null} button
 * @param {HTMLElement} main the figure
 * @param {Figure} figure
 * @param {{link: string, upto: number | null}} initial the first view of the page
 * @param {() => boolean} asks returns whether the current step has a question. The button is only shown in such steps, because steps
 *   without a question invite the visitor to use other sequences.
 * @param {(text: string) => void} announce
 * @returns {(link: string, upto: number | null) => void} a function that shows the lesson's run in the figure
 */
export function mountReturn(button, main, figure, initial, asks, announce) {
  let { link, upto } = initial;

  /** @param {string} newLink @param {number | null} newUpto */
  function show(newLink, newUpto) {
    [link, upto] = [newLink, newUpto];
    figure.show(link, upto);
    if (button) button.hidden = true;
  }

  /** Return whether an event can change the figure. @param {Event} event */
  function changes(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event instanceof KeyboardEvent) return /^(Arrow|Home|End| )/.test(event.key) && !target.closest("aside input");
    return main.contains(target);
  }

  for (const type of ["pointerdown", "input", "keydown"])
    addEventListener(type, (event) => {
      if (button && asks() && changes(event)) button.hidden = false;
    });
  button?.addEventListener("click", () => {
    show(link, upto);
    announce("The figure shows the lesson’s run again.");
  });
  return show;
}
