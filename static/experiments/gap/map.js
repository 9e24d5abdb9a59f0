/** The map of the stored result: the number of seeds that learn, for each cell with its initial biases. */

/** @import { Controls } from "../controls.js" */
import { findAll } from "../../elements.js";

/** The stored result that has the settings of the page: the cell with its biases, and the seeds that learn. @typedef {{cell: string, seeds: string}} Counterpart */

/**
 * Mount the map. A press on an entry gives the page the settings of the entry. The entries with the settings of the page are marked.
 * @param {HTMLElement} section @param {Controls} controls
 */
export function mountMap(section, controls) {
  const buttons = findAll(section, "[data-try]");
  const settings = new Map(
    buttons.map((button) => [button, Object.fromEntries(new URLSearchParams(button.dataset.try))]),
  );

  /** Return whether an entry has the settings of the page, and one of its cells. @param {HTMLElement} button */
  function isCurrent(button) {
    const { cells, ...others } = settings.get(button) ?? {};
    const current = controls.values();
    return (
      current.cells.split(",").includes(cells) &&
      Object.entries(others).every(
        ([name, value]) => Number(current[name]) === Number(value) || current[name] === value,
      )
    );
  }

  for (const button of buttons) button.addEventListener("click", () => controls.set(settings.get(button) ?? {}));
  controls.subscribe(() => {
    for (const button of buttons) button.ariaCurrent = isCurrent(button) ? "true" : null;
  });

  return {
    /** Return the entries with the settings of the page, each only once. @returns {Counterpart[]} */
    counterparts() {
      const current = buttons.filter(isCurrent).map(({ dataset }) => [dataset.kind ?? "", dataset.seeds ?? ""]);
      return Object.entries(Object.fromEntries(current)).map(([cell, seeds]) => ({ cell, seeds }));
    },
  };
}
