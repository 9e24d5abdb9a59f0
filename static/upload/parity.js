/** The parity check of an uploaded model: the differences from another implementation's numbers, and the likely cause. */

/** @typedef {{name: string, title: string, largest: number, relative: number, step: number, unit: number, by_step: number[]}} Difference */
/** @typedef {{passed: boolean, text: string, differences: Difference[], gates: Difference[]}} Parity */
import { finder, newRow, sentence } from "../elements.js";

/** Return functions that show and clear the result of the parity check. @param {HTMLElement} section */
export function createParity(section) {
  const find = finder(section);
  const verdict = find(".verdict");
  const table = /** @type {HTMLTableElement} */ (find(".parity"));
  const steps = find(".by-step");

  return {
    clear() {
      verdict.textContent = "";
      table.hidden = steps.hidden = true;
    },
    /** @param {Parity} parity */
    show({ text, passed, differences: states, gates }) {
      const differences = [...gates, ...states];
      verdict.textContent = sentence(text);
      verdict.classList.toggle("passed", passed);
      table.hidden = steps.hidden = false;
      table.tBodies[0].replaceChildren(
        ...differences.map(({ name, title, largest, relative, step, unit }) =>
          newRow([title, brief(largest), brief(relative), `t = ${step}, ${name === "y" ? "output" : "unit"} ${unit}`]),
        ),
      );
      const T = differences[0]?.by_step.length ?? 0;
      const rows = Array.from({ length: T }, (_, i) =>
        newRow([String(i + 1), ...differences.map(({ by_step }) => brief(by_step[i]))]),
      );
      find(".by-step thead").replaceChildren(newRow(["t", ...differences.map(({ title }) => title)], "col"));
      find(".by-step tbody").replaceChildren(...rows);
    },
  };
}

/** @param {number | null} value `null` is a difference from a reference that is 0 everywhere */
const brief = (value) => (value === null ? "∞" : value === 0 ? "0" : value.toExponential(1).replace("-", "−"));
