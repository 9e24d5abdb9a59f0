/** The map of the stored result: how many seeds learn the task, for each cell and each setting of the initial biases. */

/** @import { Controls } from "../controls.js" */
import { findAll } from "../../elements.js";

/**
 * A stored result for the current settings of the page: the cell with its biases, and how many seeds learn the task.
 * @typedef {{cell: string, seeds: string}} Counterpart
 */

/**
 * Mount the map. A press on an entry applies the settings of the entry to the page. Entries with the current settings of the page are marked.
 * @param {HTMLElement} section @param {Controls} controls
 */
export function mountMap(section, controls) {
  const buttons = findAll(section, "[data-try]");
  const settings = new Map(
    buttons.map((button) => [button, Object.fromEntries(new URLSearchParams(button.dataset.try))]),
  );

  /** Return whether an entry has the page's current settings and one of the page's current cells. @param {HTMLElement} button */
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
    /** Return the stored results with the settings of the page, one for each cell. @returns {Counterpart[]} */
    counterparts() {
      const current = buttons.filter(isCurrent).map(({ dataset }) => [dataset.kind ?? "", dataset.seeds ?? ""]);
      return Object.entries(Object.fromEntries(current)).map(([cell, seeds]) => ({ cell, seeds }));
    },
  };
}
