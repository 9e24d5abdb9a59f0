/** Numbers that follow what the reader makes of the figure. */

/** @import { Figure } from "./lesson.js" */
import * as api from "../api.js";

const SETTLED = 150; // ms after which they are asked for

/**
 * @param {Figure} figure
 * @param {() => HTMLElement} step that is shown
 * @returns {() => void} to be called when other words are shown
 */
export function mountYours(figure, step) {
  let asked = "";
  /** @type {number | undefined} */
  let timer;

  async function ask() {
    const outs = /** @type {HTMLElement[]} */ ([...step().querySelectorAll("output.yours")]);
    const link = figure.address();
    const what = outs.map(({ dataset }) => dataset.what ?? "");
    const question = JSON.stringify([link, what]);
    if (!outs.length || question === asked) return;
    asked = question;
    const found = await api.numbers(link, what).catch(() => []); // the old ones stay
    if (asked === question)
      outs.forEach((out, i) => {
        if (found[i] && out.textContent !== found[i]) out.textContent = found[i];
      });
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(ask, SETTLED);
  }
  figure.subscribe(soon);
  return soon;
}
