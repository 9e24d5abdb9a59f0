/** Training recipes: as request bodies, in words, and as keys of a link. */

/** @import { Boot, Recipe } from "../boot.js" */
/** @import { Name } from "../facets.js" */
import { boot } from "../boot.js";
import { cellOf } from "../cells.js";

/** The trainings in the page's data. Empty in an experiment, which has no form for a recipe. */
export const initial = /** @type {NonNullable<Boot["training"]>} */ (boot.training ?? {});
const { preset } = initial;

/** Return the body of the request that starts a training. @param {Recipe} recipe */
export function bodyOf({ task, cell, units, seed, first, T_max, biases, penalties, schedule, table }) {
  const { rate, changes, after, most, T, reach } = schedule;
  const steps = changes.map(([step, rate]) => ({ step, rate }));
  const body = { task, cell, units, seed, first, biases, penalties, rate, changes: steps, after, most, T };
  return {
    ...body,
    ...(T_max === null ? {} : { T_max }),
    ...(reach === null ? {} : { reach }),
    ...(table ? { table } : {}),
  };
}

/**
 * Return a copy of a recipe that changes the learning rate after a training step.
 * @param {Recipe} recipe @param {number} step @param {number} rate
 * @returns {Recipe}
 */
export function withRate(recipe, step, rate) {
  const { schedule } = recipe;
  const before = schedule.changes.filter(([since]) => since < step);
  return { ...recipe, schedule: { ...schedule, changes: [...before, [step, rate]] } };
}

/** Summarize a recipe in a few words. @param {Recipe} recipe */
export function summarize({ units, both, seed, first, T_max, biases, penalties, schedule }) {
  const parts = [
    `${units} unit${units > 1 ? "s" : ""}${both ? " in each direction" : ""}`,
    `learning rate ${schedule.rate}`,
  ];
  for (const [step, rate] of schedule.changes) parts.push(`${rate} after training step ${step.toLocaleString("en")}`);
  if (first !== "plain")
    parts.push(
      T_max
        ? `initial weights chrono, memories of up to ${T_max} timesteps`
        : `initial weights as in ${{ pytorch: "PyTorch", keras: "Keras" }[first] ?? first}`,
    );
  for (const [gate, value] of Object.entries(biases)) parts.push(`initial bias of ${gate} ${value}`);
  if (penalties.z) parts.push(`penalty on z ${penalties.z}`);
  if (penalties.r) parts.push(`penalty on 1 − r ${penalties.r}`);
  return [...parts, `seed ${seed}`].join(", ").replaceAll(" -", " −");
}

/** Return the preset's initial biases for the gates of a cell. @param {Name} cell */
const biasesFor = (cell) =>
  Object.fromEntries(Object.entries(preset.biases).filter(([gate]) => cellOf({ cell }).gates.includes(gate)));

/**
 * Return the query of a link to the trainings with these recipes. Values equal to the task's preset are left out.
 * @param {Recipe[]} recipes one for each cell
 */
export function keysOf(recipes) {
  const [main] = recipes.slice(-1);
  const keys = new URLSearchParams({ task: main.task });
  if (String(recipes.map(({ cell }) => cell)) !== "gru") keys.set("cells", recipes.map(({ cell }) => cell).join(","));
  for (const key of /** @type {const} */ (["units", "seed"]))
    if (main[key] !== preset[key]) keys.set(key, String(main[key]));
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
