/** The computing cost of each cell. The server measures the times when the visitor presses a button. */

import { fixed } from "../run.js";
import { findAll, setText } from "../elements.js";

/**
 * Mount the button that measures the time of each cell.
 * @param {HTMLElement} section
 * @param {(model: string) => Promise<any>} timing
 * @returns {() => Promise<void>} a function that measures the times
 */
export function mountCosts(section, timing) {
  const button = /** @type {HTMLElement} */ (section.querySelector("button"));
  const status = /** @type {HTMLElement} */ (section.querySelector("[role=status]"));
  const rows = findAll(section, "tr[data-model]");

  async function measure() {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      // Measure one after the other, because simultaneous measurements would slow each other down.
      for (const row of rows) {
        setText(status, `Measuring ${row.dataset.model} …`);
        const { step, training, repeats, steps, sequences } = await timing(row.dataset.model ?? "");
        setText(/** @type {Element} */ (row.querySelector(".step")), `${fixed(step, 1)} µs`);
        setText(/** @type {Element} */ (row.querySelector(".training")), `${fixed(training, 1)} ms`);
        setText(
          status,
          `Measured now on this server, as medians of ${repeats} runs: one timestep of one sequence, and the gradients of one batch of ${sequences} sequences of ${steps} timesteps.`,
        );
      }
    } catch (error) {
      setText(status, /** @type {Error} */ (error).message);
    }
    button.ariaBusy = "false";
  }
  button.addEventListener("click", measure);
  return measure;
}
