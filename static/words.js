/** Descriptions in words of shares, changes and outputs, for every cell. Sentences for a single cell are in the cell's folder. */

/** @import { Held, Run } from "./run.js" */
/** @import { Outcome, State } from "./state.js" */
/** A piece of a sentence. `term` is the signal or term that the piece describes. @typedef {{text: string, term?: string}} Phrase */
import { earlier, symbolOf } from "./cells.js";
import { isBackward, isFirstRead, unitName } from "./directions.js";
import { answer, fixed, ofLayer, twinOf, writtenIn } from "./run.js";
import { layerOf } from "./state.js";
import { LEAST_DIFFERENCE, LEAST_SHARE } from "./thresholds.js";

/** A gate below this is nearly closed. */
export const LITTLE = 0.2;
/** A gate above this is nearly open. */
export const MUCH = 0.8;

/**
 * Format a share as a percentage. Only exactly 0 becomes "0%", and only exactly 1 "100%".
 * @param {number} share @param {number} [rest] 1 minus the share
 */
export function percent(share, rest = 1 - share) {
  if (share === 0 || rest === 0) return share === 0 ? "0%" : "100%";
  if (share >= 0.9995) return "over 99.9%";
  if (share < 0.0005) return "under 0.1%";
  return `${fixed(100 * share, share > 0.995 || share < LEAST_SHARE ? 1 : 0)}%`;
}

/**
 * Format a share for use before "of", as in "98% of its state": "none", a percentage such as "98%", or "all".
 * @param {number} share @param {number} [rest] 1 minus the share
 */
export const part = (share, rest = 1 - share) => (share === 0 ? "none" : rest === 0 ? "all" : percent(share, rest));

/** Format a number of steps, short enough for the heading of a column. @param {number} steps */
export function briefly(steps) {
  if (steps >= 1000) return Number.isFinite(steps) ? ">999" : "∞";
  return fixed(steps, steps < 10 ? 1 : 0);
}

const LONGEST = 10_000; // timesteps: the longest half-life that is written as a number
const MOST_DECIMALS = 6; // enough for three digits of the share that one timestep removes at the longest half-life

/**
 * Describe after how many timesteps half of a state would be left. Print the gate with enough decimals that a reader who computes the
 * half-life from the printed gate gets the printed half-life.
 * @param {string} gate
 * @param {number} value of the gate
 * @param {number} lost the share of the state that one timestep removes: the gate's value, or 1 minus this value
 * @param {number} halfLife in timesteps
 * @param {string} what the name of the state
 */
export function tellLasting(gate, value, lost, halfLife, what) {
  const start = (/** @type {string} */ place) => `If ${gate} stayed ${place},`;
  const left = `of ${what} would be left after`;
  if (halfLife === Infinity) return `${start(`at ${fixed(value)}`)} all of ${what} would be kept`;
  if (halfLife >= LONGEST)
    return `${start(`this close to ${fixed(value, 0)}`)} half ${left} more than 10,000 timesteps`;
  if (halfLife < 0.95) return `${start(`at ${fixed(value)}`)} less than half ${left} one timestep`;
  const decimals = Math.min(MOST_DECIMALS, 2 + Math.ceil(-Math.log10(lost)));
  const steps = halfLife < 1.05 ? "one timestep" : `${fixed(halfLife, halfLife < 10 ? 1 : 0)} timesteps`;
  const written = fixed(value, decimals).replace(/(\.\d\d\d*?)0+$/, "$1");
  return `${start(`at ${written}`)} half ${left} about ${steps}`;
}

/** @typedef {"closed" | "partly open" | "open"} Openness */
/** Return whether a gate is closed, partly open or open. @param {number} value @returns {Openness} */
const roughly = (value) => (value < LITTLE ? "closed" : value > MUCH ? "open" : "partly open");

/** Describe how open a gate is. @param {number} value */
export function openness(value) {
  const rough = roughly(value);
  return value === 0 || value === 1 || rough === "partly open" ? rough : `nearly ${rough}`;
}

/**
 * Describe in which units a gate is closed, partly open or open.
 * @param {number[]} values of the gate, in every unit
 * @param {[Openness, string, string][]} kinds descriptions for one unit and for several units, by how open the gate is
 */
export function whichUnits(values, kinds) {
  const clauses = kinds.map(([kind, singular, plural]) => {
    const units = values.flatMap((value, unit) => (roughly(value) === kind ? String(unit + 1) : []));
    if (units.length < 2) return units.length ? `unit ${units[0]} ${singular}` : "";
    if (units.length === values.length) return `all ${units.length} units ${plural}`;
    return units.length > 4 ? `${units.length} units ${plural}` : `units ${joined(units)} ${plural}`;
  });
  return joined(clauses.filter(Boolean));
}

/** Explanations of the kinds of timesteps that have unclear names, by name. @type {Record<string, string>} */
const KINDS = {
  write: "A write is a timestep with a capital letter.",
  hold: "A hold is a timestep with a number to ignore.",
  filler: "A filler is a word that does not change the opinion.",
};

/** Write out the name of a mean in a report: "z at write" becomes "mean z at writes". @param {string} name */
export const meanOf = (name) =>
  name.replace(/^([a-z]) at (.+)$/, (_, gate, kind) => {
    const timesteps = kind === "other" ? "other timesteps" : kind.startsWith("“") ? kind : `${kind}s`;
    return `mean ${gate} at ${timesteps}`;
  });

/** Explain the kinds of timesteps in names such as "z at write". @param {string[]} names */
export const tellKinds = (names) =>
  Object.keys(KINDS)
    .filter((kind) => names.some((name) => name.endsWith(` at ${kind}`)))
    .map((kind) => KINDS[kind])
    .join(" ");

/** Return the first phrases of a step's description. @param {{t: number, x: string}} at @returns {Phrase[]} */
export const tellStep = ({ t, x }) => [{ text: `At t = ${t} (input ` }, { text: x, term: "x" }, { text: ") " }];

/** Describe in sentences what the network wrote after the sequence. @param {Run} run */
export function tellWriting(run) {
  const { tokens, others, write, against, scale } = run;
  if (!write || !tokens) return "";
  if (scale) return "Each forecast is the next input. The baselines read their own forecasts too.";
  const written = (/** @type {string[]} */ all) => {
    const { text, ended } = writtenIn(run, all);
    return `“${text}”${ended ? " and then its end" : ""}`;
  };
  const first = `The network wrote ${written(tokens)}.`;
  if (!others) return first;
  return against
    ? `${first} After the second sequence it wrote ${written(others)}.`
    : `${first} Without your changes it wrote ${written(others)}.`;
}

/** @param {State} state */
const isEnded = ({ run, step }) => step > run.given;

/**
 * Describe where the selected unit finds its old state, if the unit reads the sequence from the end. Otherwise return [].
 * @param {State} state @returns {Phrase[]}
 */
export function tellDirection(state) {
  const { run, step, unit } = state;
  const layer = layerOf(state);
  if (!isBackward(layer, unit)) return [];
  const isFirst = isFirstRead(run, layer, unit, step);
  const where = isFirst ? "it reads this timestep first" : `its old state is at t = ${step + 1}`;
  return [{ text: ` This unit reads from the end, so ${where}.` }];
}

/** Describe a step that the network skips. @param {State} state @param {{t: number, x: string}} at @returns {Phrase[]} */
export const tellSkipped = (state, at) => [
  ...tellStep(at),
  { text: `the network skips this timestep, because it ${isEnded(state) ? "has written its end" : "is padding"}. ` },
  { text: "The state stays as it was", term: "h" },
  { text: ", and the output " },
  { text: tellOutput(state), term: "y" },
  { text: "." },
];

/**
 * Return the last phrases of a step's description: the clamps, the cell's own clauses, and the output.
 * @param {State} state
 * @param {{replaced: Partial<Record<Held, number>>} & Record<Held, any>} at the unit, with the computed value of everything that is clamped
 * @param {Phrase[]} clauses each a sentence without its period; the output is added to the last sentence
 * @param {string} [rate] the sentence about the half-life, without its period; it comes last
 * @returns {Phrase[]}
 */
export function tellRest(state, at, clauses, rate = "") {
  const symbol = (/** @type {Held} */ name) => (earlier(name) ? "the old state" : symbolOf(layerOf(state), name));
  const clamped = Object.entries(at.replaced).map(([name, computed = NaN]) => ({
    text: `${symbol(name)} is clamped at ${fixed(at[name])} instead of ${fixed(computed)}`,
    term: name,
  }));
  const capital = (/** @type {string} */ text) =>
    /^[a-z]{2}/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  const sentences = [...clamped, ...clauses].map((clause) => ({ ...clause, text: capital(clause.text) }));
  return [
    ...sentences.flatMap((sentence, i) => [{ text: i ? ". " : " " }, sentence]),
    { text: ", and the output " },
    { text: tellOutput(state), term: "y" },
    { text: rate ? `. ${rate}.` : "." },
  ];
}

/** Join parts of a sentence with commas, and the last one with “and”. @param {readonly string[]} parts */
export const joined = (parts) => [parts.slice(0, -1).join(", "), parts[parts.length - 1]].filter(Boolean).join(" and ");

/**
 * Describe the change of a value. @param {number} before NaN if the page does not have it @param {number} after
 * @param {number} [keep] the share of the old value in the new value, which decides how an unchanged value is described
 */
export function change(before, after, keep = 1) {
  const [from, to] = [fixed(before), fixed(after)];
  if (!from) return `is ${to}`;
  if (from !== to) return `changes from ${from} to ${to}`;
  return keep < 0.5 ? `comes out the same (${to})` : `stays at ${to}`;
}

/**
 * Describe the differences between the run and the original run, or the run of the second sequence.
 * @param {State} state
 */
export function tellEffect({ run, received }) {
  if (received < run.T || !run.effect) return "";
  const { first, most } = run.effect;
  const [output, original] = first
    ? [answer(run, first - 1).text, answer(run, first - 1, run.twinOutputs).text]
    : ["", ""];
  const beside = run.against ? `${output} (${twinOf(run)}: ${original})` : `${output} instead of ${original}`;
  const where = output === original ? ", but the first output number is the same" : `: ${beside}`;
  const least = run.scale ? `${Number(run.scale.least.toPrecision(2))} ${run.scale.unit}` : String(LEAST_DIFFERENCE);
  const same = run.y.kind === "linear" ? `differs by at most ${least}` : "is the same";
  const answers = first
    ? `The output first differs at t = ${first}${where}.`
    : `The output ${same} at all ${run.T} timesteps.`;
  if (!most || most.gap < 0.0005) return `${answers} No state differs by 0.001 or more.`;
  return `${answers} The state differs most at t = ${most.t}, unit ${most.unit}${ofLayer(run, most.layer)}: by ${fixed(most.gap, 3)}.`;
}

/**
 * Describe the output, and whether it differs from the output of the previous step or of the run with which this run is compared.
 * @param {State} state
 */
function tellOutput({ run, step }) {
  const { text: output, value } = answer(run, step - 1);
  const unit = run.scale ? ` ${run.scale.unit} (y = ${fixed(value)})` : "";
  const other = run.twin ? answer(run, step - 1, run.twinOutputs).text : output;
  if (other !== output) return `is ${output}${unit} (${twinOf(run)}: ${other})`;
  if (step === 1) return `is ${output}${unit}`;
  const before = answer(run, step - 2).text;
  return output === before
    ? `stays ${run.y.kind === "linear" ? "at " : ""}${output}${unit}`
    : `changes from ${before} to ${output}${unit}`;
}

/**
 * Describe the effect of leaving out a step.
 * @param {Outcome} outcome
 * @param {State} state
 */
export function tellOutcome({ h, y }, state) {
  const [owner, t] = [layerOf(state).H === 1 ? "h" : `h of unit ${unitName(layerOf(state), state.unit)}`, state.step];
  const answer = y.was === y.is ? `the output stays ${y.is}` : `the output changes from ${y.was} to ${y.is}`;
  return `${owner} at t = ${t} ${change(h.was, h.is)}, and ${answer}.`;
}
