/**
 * The one place where a step is put into words: what the units do with their state, where the reset gate matters, and
 * what comes of it. Which way z is named changes the number in brackets and nothing that is said.
 */

/** @import { Held } from "./run.js" */
/** @import { State } from "./state.js" */
/** @typedef {{text: string, about?: string}} Phrase `about` is the signal that it speaks of */
import { halfLife, leftFromStart, listensTo, reading, writtenAt } from "./reading.js";
import { answer, fixed } from "./run.js";
import { layerOf } from "./state.js";

const KEEPS = 0.2; // below this a unit keeps its state
const TAKES = 0.8; // above this it takes its candidate

/**
 * One or two sentences about the cursor.
 * @param {State} state
 * @returns {Phrase[]}
 */
export function narrate(state) {
  const at = reading(state);
  const z = layerOf(state).rows.z.map((row) => row[state.step - 1]);
  const matters = at.matters >= KEEPS;
  const alone = at.H === 1;
  /** @type {Phrase[]} */
  const said = [{ text: `At t = ${at.t} (input ` }, { text: at.x, about: "x" }, { text: ") " }];
  if (alone) said.push({ text: "the unit " });
  else said.push({ text: `${groups(z)}. `, about: "z" }, { text: `Unit ${at.unit + 1} ` });
  said.push(...mixture(at.take), { text: ` (z = ${fixed(at.z)})` });
  for (const [name, was] of Object.entries(at.replaced)) said.push(...held(name, at[/** @type {Held} */ (name)], was));
  said.push({ text: matters ? "; " : ", so " });
  said.push({ text: matters ? past(at) : "what r does to the candidate does not matter here", about: "r" });
  said.push({ text: ". " }, { text: alone ? "Its h " : "h " }, { text: change(at.h_prev, at.h), about: "h" });
  said.push({ text: "; the output " }, { text: output(state), about: "y" }, { text: "." });
  if (state.views.includes("memory")) said.push(...written(state));
  if (state.views.includes("influence")) said.push(...listening(state));
  return said;
}

/** Of what the state is made, once that is known. @param {State} state @returns {Phrase[]} */
function written(state) {
  const most = writtenAt(state);
  if (!most) return [];
  const start = leftFromStart(state);
  const here = most.step === state.step;
  const where = here ? "at this step" : `at t = ${most.step} (${tokenAt(state, most.step)})`;
  const whose = layerOf(state).H === 1 ? "this state" : `unit ${state.unit + 1}’s state`;
  const share = percent(start?.share ?? most.value);
  const of = `${share[0].toUpperCase()}${share.slice(1)} of ${whose}`;
  return [
    { text: ` ${of} ${start ? "is what is left " : "was written "}` },
    { text: start ? `of ${start.name}` : where, about: "h" },
    { text: "." },
  ];
}

/** What the output would move with, once that is known. @param {State} state @returns {Phrase[]} */
function listening(state) {
  const most = listensTo(state);
  if (!most) return [];
  const where = most.step === state.step ? "this step" : `t = ${most.step} (${tokenAt(state, most.step)})`;
  return [{ text: " The output listens most to " }, { text: where, about: "x" }, { text: "." }];
}

/** @param {State} state @param {number} step */
const tokenAt = ({ run }, step) => run.tokens?.[step - 1] ?? "numbers";

/**
 * What leaving out a step changed.
 * @param {import("./state.js").Outcome} outcome
 * @param {State} state
 */
export function tellOutcome({ h, y }, state) {
  const [of, t] = [layerOf(state).H === 1 ? "h" : `h of unit ${state.unit + 1}`, state.step];
  const answer = y.was === y.is ? `the output stays ${y.is}` : `the output turns from ${y.was} to ${y.is}`;
  return `${of} at t = ${t} ${change(h.was, h.is)}; ${answer}.`;
}

/** What a unit makes of its old state and its candidate. @param {number} take @returns {Phrase[]} */
function mixture(take) {
  const [old, candidate] = [
    { text: "its state", about: "h_prev" },
    { text: "its candidate", about: "h_tilde" },
  ];
  const share = (/** @type {string} */ text) => ({ text, about: "z" });
  const keep = 1 - take;
  if (take > TAKES) return [share(`takes ${percent(take)}`), { text: " of " }, candidate];
  if (take === 0) return [share("keeps all"), { text: " of " }, old];
  if (take < KEEPS)
    return [share(`keeps ${percent(keep, take)}`), { text: " of " }, old, share(`, a half-life of ${lasting(take)}`)];
  return [share(`mixes ${percent(keep)}`), { text: " of " }, old, share(` with ${percent(take)}`), { text: " of " }, candidate]; // prettier-ignore
}

/** What is held, and what it would be. @param {string} name @param {number} value @param {number} was @returns {Phrase[]} */
function held(name, value, was) {
  const symbol = { r: "r", z: "z", h_tilde: "h̃", h_prev: "the state that it sees" }[name];
  return [{ text: ", " }, { text: `${symbol} held at ${fixed(value)} instead of ${fixed(was)}`, about: name }];
}

/** How long half of a state lasts where this share of it is replaced at each step. @param {number} take */
export function lasting(take) {
  const steps = halfLife(take);
  return steps < 10_000 ? `${fixed(steps, steps < 10 ? 1 : 0)} steps` : "over 10,000 steps";
}

/** Whole percents, but never all or nothing where it is not. @param {number} share @param {number} [rest] what is left */
export function percent(share, rest = 1 - share) {
  if (rest === 0) return "all";
  if (share > 0.9995) return "over 99.9 %";
  if (share < 0.0005 && share > 0) return "under 0.1 %";
  return `${fixed(100 * share, share > 0.995 || share < 0.005 ? 1 : 0)} %`;
}

/** Who keeps, who takes and who mixes. @param {number[]} z of every unit */
function groups(z) {
  const units = z.map((_, unit) => unit);
  const parts = [
    verb(units.filter((unit) => z[unit] < KEEPS), z.length, "keeps its state", "keep their states"),
    verb(units.filter((unit) => z[unit] > TAKES), z.length, "takes its candidate", "take their candidates"),
    verb(units.filter((unit) => z[unit] >= KEEPS && z[unit] <= TAKES), z.length, "mixes the two", "mix the two"),
  ].filter(Boolean); // prettier-ignore
  return joined(parts);
}

/** @param {number[]} units @param {number} of @param {string} singular @param {string} plural */
function verb(units, of, singular, plural) {
  if (units.length === 0) return "";
  if (units.length === 1) return `unit ${units[0] + 1} ${singular}`;
  if (units.length === of) return `all ${of} units ${plural}`;
  if (units.length > 4) return `${units.length} units ${plural}`;
  return `units ${joined(units.map((unit) => String(unit + 1)))} ${plural}`;
}

/** @param {string[]} parts */
const joined = (parts) => [parts.slice(0, -1).join(", "), parts[parts.length - 1]].filter(Boolean).join(" and ");

/** What the reset gate lets the candidate see. @param {import("./reading.js").Reading} at */
function past({ r, reset, H }) {
  const how = r < KEEPS ? "hides" : r > TAKES ? "shows" : "dims";
  // Before the product r_i acts on what unit i gives to every candidate, after it on what reaches its own.
  const [what, from, to] =
    reset === "before"
      ? ["its state", H === 1 ? "from the candidate" : "from the candidates", H === 1 ? "the candidate" : "the candidates"]
      : ["the past", "from its candidate", "its candidate"]; // prettier-ignore
  const whom = { hides: `${what} ${from}`, shows: `${to} ${what}`, dims: `${what} for ${to}` }[how];
  return `r = ${fixed(r)} ${how} ${whom}`;
}

/** @param {number} before @param {number} after */
function change(before, after) {
  const [from, to] = [fixed(before), fixed(after)];
  return from === to ? `stays at ${to}` : `goes from ${from} to ${to}`;
}

/** What is answered, and whether that is new. @param {State} state */
function output({ run, step }) {
  const now = answer(run, step - 1).text;
  const untouched = run.twin ? answer(run, step - 1, run.untouched).text : now;
  if (untouched !== now) return `is ${now}, where untouched it is ${untouched}`;
  const before = step === 1 ? now : answer(run, step - 2).text;
  return now === before ? `is ${now}` : `turns from ${before} to ${now}`;
}
