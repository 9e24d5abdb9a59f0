/** The “Attention weights” page: how much each timestep contributes to the output of an attention head that was set by hand. */

import { boot } from "../boot.js";
import { findAll, finder, setText } from "../elements.js";
import { fixed } from "../run.js";
import { createControls } from "./controls.js";
import { mountExperiment } from "./page.js";

/**
 * The weights of timesteps 1 to t in the output at t, and the share of each letter in this output.
 * @typedef {{weights: number[], output: Record<string, number>}} Lookup
 */
/** @typedef {{tokens: string[], lookups: Record<string, Lookup[]>}} AttentionData */

const find = finder(document);
const { tokens, lookups } = /** @type {AttentionData} */ (boot.experiment);
const cells = findAll(document, ".weights td");
const controls = createControls(/** @type {HTMLFormElement} */ (find("main form")));

controls.subscribe(() => {
  const { t, score } = controls.values();
  const { weights, output } = lookups[score][Number(t) - 1];
  setText(find("[name=t-out]"), t);
  cells.forEach((cell, i) => {
    const read = i < weights.length;
    setText(cell, read ? fixed(weights[i]) : "–");
    cell.classList.toggle("unread", !read);
    cell.style.setProperty("--share", String(weights[i] ?? 0));
  });
  setText(find(".says"), `${describeWeights(weights)} The output has ${describeOutput(output)}.`);
});

/** @param {number[]} weights */
function describeWeights(weights) {
  const t = weights.length;
  const most = Math.max(...weights);
  if (t === 1) return "At t = 1 there is only one timestep to read.";
  if (weights.every((weight) => fixed(weight) === fixed(most)))
    return `At t = ${t} (input ${tokens[t - 1]}) all ${t} timesteps have the weight ${fixed(most)}.`;
  const at = weights.indexOf(most);
  return `At t = ${t} (input ${tokens[t - 1]}) timestep ${at + 1} (input ${tokens[at]}) has the largest weight, ${fixed(most)}.`;
}

/** @param {Record<string, number>} output */
const describeOutput = (output) =>
  Object.entries(output)
    .map(([letter, share]) => `${fixed(share)} of ${letter}`)
    .join(", ");

mountExperiment(controls, () => []);
