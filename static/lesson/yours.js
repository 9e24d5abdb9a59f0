/** Numbers in a lesson's text that change when the visitor changes the figure. */

/** @import { Figure } from "./lesson.js" */
import { fetchNumbers } from "../api.js";

const SETTLED = 150; // ms from the last change of the figure to the request for the numbers

/**
 * Update the numbers in the text after each change of the figure.
 * @param {Figure} figure
 * @param {() => HTMLElement} step returns the step that is shown
 * @returns {() => void} a function that updates the numbers soon; call it when the text changes
 */
export function mountYours(figure, step) {
  let current = ""; // the newest request
  /** @type {number | undefined} */
  let timer;

  async function update() {
    const outputs = /** @type {HTMLElement[]} */ ([...step().querySelectorAll("output.yours")]);
    const link = figure.address();
    const what = outputs.map(({ dataset }) => dataset.what ?? "");
    const question = JSON.stringify([link, what]);
    if (!outputs.length || question === current) return;
    current = question;
    const numbers = await fetchNumbers(link, what).catch(() => []); // after an error, the old numbers stay
    if (current !== question) return;
    outputs.forEach((output, i) => {
      if (numbers[i] && output.textContent !== numbers[i]) output.textContent = numbers[i];
    });
  }

  function updateSoon() {
    clearTimeout(timer);
    timer = setTimeout(update, SETTLED);
  }
  figure.subscribe(updateSoon);
  return updateSoon;
}
