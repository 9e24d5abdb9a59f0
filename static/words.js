/** Shares, changes and answers in words, for every cell. What is said of one cell alone is in its folder. */

/** @import { Outcome, State } from "./state.js" */
/** A piece of a sentence; `about` is the signal that it speaks of. @typedef {{text: string, about?: string}} Phrase */
import { leftFromStart, listensTo, writtenAt } from "./reading.js";
import { answer, fixed } from "./run.js";
import { memoryOf } from "./cells.js";
import { layerOf } from "./state.js";

/** A share in whole percents; a share that is nearly all or nearly nothing is never rounded to all or nothing. @param {number} share @param {number} [rest] what is left */
export function percent(share, rest = 1 - share) {
  if (rest === 0) return "all";
  if (share > 0.9995) return "over 99.9 %";
  if (share < 0.0005 && share > 0) return "under 0.1 %";
  return `${fixed(100 * share, share > 0.995 || share < 0.005 ? 1 : 0)} %`;
}

/** A number of steps, short enough to stand over a column. @param {number} steps */
export function briefly(steps) {
  if (steps >= 1000) return Number.isFinite(steps) ? ">999" : "∞";
  return fixed(steps, steps < 10 ? 1 : 0);
}

/** How long half of a state lasts. @param {number} steps */
export function lasting(steps) {
  return steps < 10_000 ? `${fixed(steps, steps < 10 ? 1 : 0)} steps` : "over 10,000 steps";
}

/** @param {number[]} units @param {number} of @param {string} singular @param {string} plural */
export function whichUnits(units, of, singular, plural) {
  if (units.length === 0) return "";
  if (units.length === 1) return `unit ${units[0] + 1} ${singular}`;
  if (units.length === of) return `all ${of} units ${plural}`;
  if (units.length > 4) return `${units.length} units ${plural}`;
  return `units ${joined(units.map((unit) => String(unit + 1)))} ${plural}`;
}

/** What is held, and what it would be. @param {string} symbol @param {string} about @param {number} value @param {number} was @returns {Phrase[]} */
export const tellHeld = (symbol, about, value, was) => [
  { text: ", " },
  { text: `${symbol} held at ${fixed(value)} instead of ${fixed(was)}`, about },
];

/**
 * What came of a step: the state, the output and, where these views are shown, what Memory and Influence name.
 * @param {State} state @param {{H: number, h_prev: number, h: number}} at
 * @returns {Phrase[]}
 */
export function tellRest(state, { H, h_prev, h }) {
  /** @type {Phrase[]} */
  const said = [{ text: H === 1 ? "Its h " : "h " }, { text: change(h_prev, h), about: "h" }];
  said.push({ text: "; the output " }, { text: tellOutput(state), about: "y" }, { text: "." });
  if (state.views.includes("memory")) said.push(...tellWritten(state));
  if (state.views.includes("influence")) said.push(...tellListening(state));
  return said;
}

/** @param {readonly string[]} parts */
export const joined = (parts) => [parts.slice(0, -1).join(", "), parts[parts.length - 1]].filter(Boolean).join(" and ");

/** @param {number} before @param {number} after */
export function change(before, after) {
  const [from, to] = [fixed(before), fixed(after)];
  return from === to ? `stays at ${to}` : `goes from ${from} to ${to}`;
}

/**
 * How the run is unlike the one that goes along: the untouched one, or another input's.
 * @param {State} state
 */
export function tellEffect({ run, received }) {
  if (received < run.T || !run.effect) return "";
  const { first, most } = run.effect;
  const [now, was] = first ? [answer(run, first - 1).text, answer(run, first - 1, run.untouched).text] : ["", ""];
  const instead = now === was ? `, in another of its ${run.y.labels.length} numbers` : `: ${now} instead of ${was}`;
  const same = run.y.kind === "linear" ? `stays within 0.01 of the ${run.against ? "other" : "untouched one"}` : "is the same";
  const answers = first
    ? `The output first differs at t = ${first}${instead}.`
    : `The output ${same} at all ${run.T} steps.`;
  if (!most || most.gap < 0.0005) return `${answers} No state changes by 0.001.`;
  const of = run.layers.length > 1 ? ` of layer ${most.layer}` : "";
  return `${answers} The state differs most at t = ${most.t}, unit ${most.unit}${of}: by ${fixed(most.gap, 3)}.`;
}

/** What the model answers, and whether it has just changed or is not what the run that goes along answers. @param {State} state */
export function tellOutput({ run, step }) {
  const now = answer(run, step - 1).text;
  const untouched = run.twin ? answer(run, step - 1, run.untouched).text : now;
  if (untouched !== now) return `is ${now}, where ${run.against ? "with the other input" : "untouched"} it is ${untouched}`;
  const before = step === 1 ? now : answer(run, step - 2).text;
  return now === before ? `is ${now}` : `turns from ${before} to ${now}`;
}

/**
 * Which step wrote most of the state, once that is known. An LSTM's shares are of candidates, since they need not sum to 1.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function tellWritten(state) {
  const most = writtenAt(state);
  if (!most) return [];
  const start = leftFromStart(state);
  const here = most.step === state.step;
  const where = here ? "at this step" : `at t = ${most.step} (${tokenAt(state, most.step)})`;
  const whose = layerOf(state).H === 1 ? "this state" : `unit ${state.unit + 1}’s state`;
  const share = percent(start?.share ?? most.value);
  const amount = `${share[0].toUpperCase()}${share.slice(1)} of`;
  if (memoryOf(layerOf(state)) === "c")
    return [
      { text: ` ${amount} ${start ? start.name : `the candidate ${here ? "of this step" : `of t = ${most.step} (${tokenAt(state, most.step)})`}`}` },
      { text: " is in c", about: "c" },
      { text: "." },
    ];
  const of = `${amount} ${whose}`;
  return [
    { text: ` ${of} ${start ? "is what is left " : "was written "}` },
    { text: start ? `of ${start.name}` : where, about: "h" },
    { text: "." },
  ];
}

/** Which input the output would move most with, once that is known. @param {State} state @returns {Phrase[]} */
export function tellListening(state) {
  const most = listensTo(state);
  if (!most) return [];
  const where = most.step === state.step ? "this step" : `t = ${most.step} (${tokenAt(state, most.step)})`;
  return [{ text: " The output listens most to " }, { text: where, about: "x" }, { text: "." }];
}

/** @param {State} state @param {number} step */
const tokenAt = ({ run }, step) => run.tokens?.[step - 1] ?? "numbers";

/**
 * What leaving out a step does.
 * @param {Outcome} outcome
 * @param {State} state
 */
export function tellOutcome({ h, y }, state) {
  const [of, t] = [layerOf(state).H === 1 ? "h" : `h of unit ${state.unit + 1}`, state.step];
  const answer = y.was === y.is ? `the output stays ${y.is}` : `the output turns from ${y.was} to ${y.is}`;
  return `${of} at t = ${t} ${change(h.was, h.is)}; ${answer}.`;
}
