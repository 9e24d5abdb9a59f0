/** The form for the recipe of the next training. Each field shows its meaning and its range. */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
import { cellOf } from "../cells.js";
import { findAll, finder, setText } from "../elements.js";
import { initial, summarize } from "./recipe.js";

/**
 * Mount the form for the recipe.
 * @param {HTMLDetailsElement} details
 * @param {Name[]} names the cells of the page
 * @param {() => void} submit
 */
export function mountRecipe(details, names, submit) {
  const { preset } = initial;
  const find = finder(details);
  const form = /** @type {HTMLFormElement} */ (find("form"));
  const [error, summary] = [".error", ".brief"].map(find);
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const inputs = /** @type {HTMLInputElement[]} */ (findAll(form, "label input"));

  /** Return a number in the form; null if the field is empty. @param {string} name */
  const number = (name) => (field(name).value.trim() === "" ? null : Number(field(name).value));

  /** Read the recipe of a cell from the form. @param {Name} cell @returns {Recipe} */
  function recipeOf(cell) {
    const chosen = field("first").value;
    const { gates, chrono } = cellOf({ cell });
    const first = chosen === "chrono" && !chrono ? "plain" : chosen;
    /** @type {Record<string, number>} */
    const biases = {};
    for (const gate of gates.filter((gate) => field(`b_${gate}`))) {
      const value = number(`b_${gate}`) ?? (first === "plain" && gate in preset.biases ? 0 : null);
      if (value !== null) biases[gate] = value;
    }
    const [units, seed, rate, after, most, T] = ["units", "seed", "rate", "after", "most", "T"].map(
      (name) => number(name) ?? NaN,
    );
    const penalties = cell === "gru" ? { z: number("penalty_z") ?? 0, r: number("penalty_r") ?? 0 } : { z: 0, r: 0 };
    const schedule = { ...preset.schedule, rate, after, most, T, changes: [] };
    return {
      ...preset,
      cell,
      units,
      seed,
      first,
      T_max: first === "chrono" ? number("T_max") : null,
      biases,
      penalties,
      schedule,
    };
  }

  /** Return whether any cell of the page uses the field with this name. @param {string} key */
  function isUsed(key) {
    const cells = names.map((cell) => cellOf({ cell }));
    if (key === "T_max") return field("first").value === "chrono" && cells.some(({ chrono }) => chrono);
    if (key.startsWith("b_")) return cells.some(({ gates }) => gates.includes(key.slice(2)));
    return !key.startsWith("penalty_") || names.includes("gru");
  }

  function update() {
    for (const input of inputs) /** @type {HTMLElement} */ (input.closest("label")).hidden = !isUsed(input.name);
    setText(summary, summarize(recipeOf(names[names.length - 1])));
    setText(error, "");
  }

  /** Return a message about the first field with an error, or "". */
  function findError() {
    for (const input of /** @type {HTMLInputElement[]} */ (findAll(form, "input"))) {
      const label = /** @type {HTMLElement} */ (input.closest("label"));
      const name = label.querySelector("span")?.textContent ?? "";
      const needed = !/^b_/.test(input.name) && !label.hidden;
      const { rangeUnderflow, rangeOverflow, stepMismatch, badInput } = input.validity;
      if (badInput || rangeUnderflow || rangeOverflow || (needed && input.value === "")) {
        input.focus();
        return `${name} must be a number from ${input.min.replace("-", "−")} to ${input.max}.`;
      }
      if (stepMismatch) return `${name} must be a whole number.`;
    }
    return "";
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  find("[data-do=restore]").addEventListener("click", () => {
    const { changes: _, ...schedule } = preset.schedule;
    /** @type {Record<string, number | string | null | undefined>} */
    const values = { units: preset.units, seed: preset.seed, first: preset.first, T_max: null, ...schedule };
    for (const gate of ["z", "r", "f"]) values[`b_${gate}`] = preset.biases[gate];
    for (const gate of /** @type {const} */ (["z", "r"])) values[`penalty_${gate}`] = preset.penalties[gate];
    for (const [name, value] of Object.entries(values))
      if (form.elements.namedItem(name)) field(name).value = value === null || value === undefined ? "" : String(value);
    update();
  });
  update();

  return {
    /** Return the recipes in the form. If the form has an error, show the error and return null. */
    read() {
      const message = findError();
      if (message) details.open = true;
      setText(error, message);
      return message ? null : names.map(recipeOf);
    },
  };
}
