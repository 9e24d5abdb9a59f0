/** The recipe of the next training: a form, in which every number says what it does and what it may be. */

/** @import { Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
import { boot } from "../boot.js";
import { cellOf } from "../cells.js";
import { write } from "../elements.js";
import { NAMES } from "../facets.js";

/** What the page came with. */
export const training = /** @type {NonNullable<import("../boot.js").Boot["training"]>} */ (boot.training ?? {});
const { preset } = training; // none where there is no form

/** A recipe as the server takes it. @param {Recipe} recipe */
export function bodyOf({ task, cell, units, seed, first, T_max, biases, penalties, schedule, table }) {
  const { rate, changes, after, most, T, reach } = schedule;
  const steps = changes.map(([step, rate]) => ({ step, rate }));
  const body = { task, cell, units, seed, first, biases, penalties, rate, changes: steps, after, most, T };
  return { ...body, ...(T_max === null ? {} : { T_max }), ...(reach === null ? {} : { reach }), ...(table ? { table } : {}) };
}

/**
 * The same recipe with another rate after a step.
 * @param {Recipe} recipe @param {number} step @param {number} rate
 * @returns {Recipe}
 */
export function changed(recipe, step, rate) {
  const { schedule } = recipe;
  const before = schedule.changes.filter(([since]) => since < step);
  return { ...recipe, schedule: { ...schedule, changes: [...before, [step, rate]] } };
}

/** A recipe in a few words. @param {Recipe} recipe */
export function brief({ units, seed, first, T_max, biases, penalties, schedule }) {
  const told = [`${units} unit${units > 1 ? "s" : ""}`, `learning rate ${schedule.rate}`];
  for (const [step, rate] of schedule.changes) told.push(`${rate} after training step ${step}`);
  if (first !== "plain") told.push(T_max ? `initial weights chrono, memories of up to ${T_max} timesteps` : `initial weights as in ${{ pytorch: "PyTorch", keras: "Keras" }[first] ?? first}`);
  for (const [gate, value] of Object.entries(biases)) told.push(`initial bias of ${gate} ${value}`);
  if (penalties.z) told.push(`penalty on z ${penalties.z}`);
  if (penalties.r) told.push(`penalty on 1 − r ${penalties.r}`);
  return [...told, `seed ${seed}`].join(", ").replaceAll(" -", " −");
}

/** The preset's initial biases of the gates that a cell has. @param {Name} cell */
const biasesFor = (cell) => Object.fromEntries(Object.entries(preset.biases).filter(([gate]) => cellOf({ cell }).gates.includes(gate))); // prettier-ignore

/**
 * The keys of a link to trainings by these recipes, but for what is as in the task's preset.
 * @param {Recipe[]} recipes one for each cell
 */
export function keysOf(recipes) {
  const [main] = recipes.slice(-1);
  const keys = new URLSearchParams({ task: main.task });
  if (String(recipes.map(({ cell }) => cell)) !== "gru") keys.set("cells", recipes.map(({ cell }) => cell).join(","));
  for (const key of /** @type {const} */ (["units", "seed"])) if (main[key] !== preset[key]) keys.set(key, String(main[key]));
  for (const key of /** @type {const} */ (["rate", "after", "most", "T"]))
    if (main.schedule[key] !== preset.schedule[key]) keys.set(key, String(main.schedule[key]));
  const { changes } = main.schedule;
  if (changes.length) keys.set("changes", changes.map(([step, rate]) => `${step}:${rate}`).join(","));
  const gated = recipes.find(({ first }) => first !== "plain") ?? main;
  if (gated.first !== "plain") keys.set("first", gated.first);
  if (gated.T_max) keys.set("T_max", String(gated.T_max));
  for (const { cell, biases, first } of recipes) {
    const usual = first === "plain" ? biasesFor(cell) : {};
    const same = JSON.stringify(Object.entries(usual).sort()) === JSON.stringify(Object.entries(biases).sort());
    if (!same) for (const [gate, value] of Object.entries(biases)) keys.set(`b_${gate}`, String(value));
  }
  const gru = recipes.find(({ cell }) => cell === "gru");
  if (gru && (gru.penalties.z !== preset.penalties.z || gru.penalties.r !== preset.penalties.r))
    for (const gate of /** @type {const} */ (["z", "r"])) keys.set(`penalty_${gate}`, String(gru.penalties[gate]));
  return keys.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
}

/**
 * @param {HTMLDetailsElement} details
 * @param {Name[]} names the cells of the page
 * @param {() => void} submit
 */
export function mountRecipe(details, names, submit) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (details.querySelector(selector));
  const form = /** @type {HTMLFormElement} */ (find("form"));
  const [error, said] = [".error", ".brief"].map(find);
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const inputs = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("label input")]);

  /** A number of the form, null where it is empty. @param {string} name */
  const number = (name) => (field(name).value.trim() === "" ? null : Number(field(name).value));

  /** The recipe of a cell as the form has it. @param {Name} cell @returns {Recipe} */
  function recipeOf(cell) {
    const chosen = field("first").value;
    const first = chosen === "chrono" && !cellOf({ cell }).chrono ? "plain" : chosen;
    /** @type {Record<string, number>} */
    const biases = {};
    for (const gate of cellOf({ cell }).gates.filter((gate) => field(`b_${gate}`))) {
      const value = number(`b_${gate}`) ?? (first === "plain" && gate in preset.biases ? 0 : null);
      if (value !== null) biases[gate] = value;
    }
    const [units, seed, rate, after, most, T] = ["units", "seed", "rate", "after", "most", "T"].map((name) => number(name) ?? NaN);
    const penalties = cell === "gru" ? { z: number("penalty_z") ?? 0, r: number("penalty_r") ?? 0 } : { z: 0, r: 0 };
    const schedule = { ...preset.schedule, rate, after, most, T, changes: [] };
    return { ...preset, cell, units, seed, first, T_max: first === "chrono" ? number("T_max") : null, biases, penalties, schedule };
  }

  /** Whether a cell of the page has a use for a number of the form. @param {string} key */
  function isUsed(key) {
    const cells = names.map((cell) => cellOf({ cell }));
    if (key === "T_max") return field("first").value === "chrono" && cells.some(({ chrono }) => chrono);
    if (key.startsWith("b_")) return cells.some(({ gates }) => gates.includes(key.slice(2)));
    return !key.startsWith("penalty_") || names.includes("gru");
  }

  function update() {
    for (const input of inputs) /** @type {HTMLElement} */ (input.closest("label")).hidden = !isUsed(input.name);
    write(said, brief(recipeOf(names[names.length - 1])));
    write(error, "");
  }

  /** What is wrong with the form, in words; "" where nothing is. */
  function fault() {
    for (const input of /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")])) {
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
    /** The recipes of the form, or null where something in it is wrong, which is said. */
    read() {
      const wrong = fault();
      if (wrong) details.open = true;
      write(error, wrong);
      return wrong ? null : names.map(recipeOf);
    },
  };
}

/** The cells that are chosen on the page, in their order. @param {HTMLInputElement[]} boxes @returns {Name[]} */
export const chosenOf = (boxes) => NAMES.filter((name) => boxes.some((box) => box.value === name && box.checked));

