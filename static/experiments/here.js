/** The controls of a run on this server: start, stop, the progress of the run, and the verdict after the run. */

import { finder, setText } from "../elements.js";
import { fixed } from "../run.js";

/**
 * `done` of `total` parts are finished. `share` is the finished share of all work, from 0 to 1.
 * @typedef {{total: number, done: number, share: number}} Progress
 */

/**
 * Mount the controls of a run on this server.
 * @param {HTMLElement} part the element of templates/experiments/here.html
 * @param {{start: () => void, stop: () => void}} actions `stop` keeps the finished parts
 */
export function mountHere(part, { start, stop }) {
  const find = finder(part);
  const [run, halt, howFar, verdict, error] = [
    "[data-do=run]",
    "[data-do=stop]",
    ".how-far",
    ".conclusion",
    ".error",
  ].map(find);
  const bar = /** @type {HTMLProgressElement} */ (find("progress"));

  /** @param {boolean} on */
  function setRunning(on) {
    const focused = part.contains(document.activeElement);
    /** @type {HTMLButtonElement} */ (run).disabled = on;
    halt.hidden = bar.hidden = !on;
    if (focused) (on ? halt : run).focus();
  }

  run.addEventListener("click", () => {
    setText(verdict, "");
    setText(error, "");
    start();
  });
  halt.addEventListener("click", stop);

  return {
    /** Show the progress of the run. @param {Progress} progress @param {string} [what] the name of the parts, in the plural */
    show({ total, done, share }, what = "trainings") {
      if (halt.hidden) setRunning(true);
      bar.value = share;
      setText(howFar, `${done} of ${total} ${what} finished, ${fixed(100 * share, 0)}% of the work.`);
    },
    /**
     * End the run. Show a sentence about the result, and an error message if there was a problem.
     * @param {string} sentence @param {string} [problem]
     */
    end(sentence, problem = "") {
      setRunning(false);
      setText(howFar, "");
      setText(verdict, sentence);
      setText(error, problem);
    },
  };
}
