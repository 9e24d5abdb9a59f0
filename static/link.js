/**
 * The view state as an address. Its keys are readable, and each is optional. Unknown keys are ignored.
 *
 * ?model=flip-flop&sequence=A+m+m&clamps=z.1@2-3=0&weights=z.1.b=-2&t=3&unit=1&convention=pytorch&v=1
 *
 * A value equal to the default is left out. Layers, units and steps count from 1, as on screen.
 */

/** @import { Changes, Clamp, Run, Weight, Writing } from "./run.js" */
/** @import { Focus, State } from "./state.js" */
import { GATES, HELD, SIGNALS, cellOf } from "./cells.js";
import { weightKey } from "./changes.js";
import { scenarioOf } from "./run.js";
import { CONVENTIONS, FOCUS, ORDERS, SCALES, VIEWS, ZOOMS } from "./state.js";

/** The version of the link format. Links have it as the key `v`. */
export const VERSION = "1";

/** The largest allowed values of the settings for writing, as in app/schemas.py. @type {Writing} */
export const WRITING = { steps: 100, temperature: 10, seed: 2 ** 32 - 1 };

/** The longest address, in characters, that all servers and proxies accept. */
export const LONGEST = 8000;

/**
 * The content of a link. `model` and `sequence` are null if the link does not have them. `notices` are sentences about the parts
 * that could not be read.
 * @typedef {Changes & {model: string | null, sequence: string | null, focus: Focus, notices: string[]}} Link
 */
/**
 * A kind of value in a link. `read` returns undefined if the value is not valid, and `allowed` describes the valid values.
 * @typedef {{read: (text: string) => any, write: (value: any) => string, allowed: string}} Kind
 */

/** @type {Kind} */
const place = {
  read: (text) => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) - 1 : undefined),
  write: (index) => String(index + 1),
  allowed: "a whole number from 1 to 999,999",
};

/** @type {Kind} */
const step = { ...place, read: (text) => place.read(text) + 1 || undefined, write: String };

/** @param {readonly string[]} words @returns {Kind} */
const oneOf = (words) => ({
  read: (text) => (words.includes(text) ? text : undefined),
  write: String,
  allowed: `one of ${words.join(", ")}`,
});

/** @param {readonly string[]} words @returns {Kind} */
const someOf = (words) => ({
  read(text) {
    const named = text.split(",");
    return named.every((word) => words.includes(word)) ? words.filter((word) => named.includes(word)) : undefined;
  },
  write: (named) => named.join(","),
  allowed: `one or more of ${words.join(",")}, with commas between them`,
});

// "L2.z.1+3@4-6=0.5" clamps z of units 1 and 3 of layer 2 at 0.5, at steps 4 to 6. Without "L2." the layer is 1. Without ".1+3" the
// clamp is for all units. "@4" is one step, and "@4-" is step 4 to the last step.
const CLAMP =
  /^(?:L(\d{1,6})\.)?(\w+)(?:\.(\d{1,6}(?:\+\d{1,6})*))?@(\d{1,6})(-(\d{0,6}))?=(-?(?:\d+(?:\.\d+)?|\.\d+))$/;

/** @param {readonly Clamp[]} clamps such as "z.1+3@4-6=0.5,L2.r@1-=1" */
const writeClamps = (clamps) =>
  clamps
    .map(({ gate, units, from, to, value, layer }) => {
      const [ofUnits, until] = [units ? `.${units.join("+")}` : "", to === from ? "" : `-${to ?? ""}`];
      return `${layer === 1 ? "" : `L${layer}.`}${gate}${ofUnits}@${from}${until}=${value}`;
    })
    .join(",");

/** @param {string} text @returns {Clamp[] | undefined} */
function readClamps(text) {
  const clamps = text.split(",").map((clamp) => {
    const [, layer, gate, units, from, span, to, value] = CLAMP.exec(clamp) ?? [];
    if (!HELD.includes(gate)) return undefined;
    const until = span === undefined ? Number(from) : to ? Number(to) : null;
    const numbers = units ? units.split("+").map(Number) : null;
    return /** @type {Clamp} */ ({
      gate,
      units: numbers,
      from: Number(from),
      to: until,
      value: Number(value),
      layer: Number(layer ?? 1),
    });
  });
  return clamps.includes(undefined) ? undefined : /** @type {Clamp[]} */ (clamps);
}

// "L2.z.1.W3=0.5" sets the weight of input 3 in the sum of z of unit 1 of layer 2 to 0.5. "U3" is the weight of unit 3's state; "b"
// and "c" are biases.
const WEIGHT = /^(?:L(\d{1,6})\.)?(\w+)\.(\d{1,6})\.(?:([WU])(\d{1,6})|([bc]))=(-?(?:\d+(?:\.\d+)?|\.\d+)(?:e-?\d+)?)$/;

/** @param {readonly Weight[]} weights such as "z.1.W3=0.5,L2.r.1.b=-1" */
const writeWeights = (weights) => weights.map((weight) => `${weightKey(weight)}=${weight.value}`).join(",");

/** @param {string} text @returns {Weight[] | undefined} */
function readWeights(text) {
  const weights = text.split(",").map((weight) => {
    const [, layer, gate, unit, part, index, bias, value] = WEIGHT.exec(weight) ?? [];
    if (!GATES.includes(gate)) return undefined;
    const place = {
      layer: Number(layer ?? 1),
      gate,
      unit: Number(unit),
      part: part ?? bias,
      index: index ? Number(index) : null,
    };
    return /** @type {Weight} */ ({ ...place, value: Number(value) });
  });
  return weights.includes(undefined) ? undefined : /** @type {Weight[]} */ (weights);
}

/** Return a scenario as one string, for comparisons. @param {Changes & {sequence: string | null}} scenario */
export const writeScenario = ({ sequence, clamps, weights, against, h0, write }) =>
  [
    sequence,
    writeClamps(clamps),
    writeWeights(weights),
    against ?? "",
    writeStates(h0),
    write ? Object.values(writingKeys(write)) : "",
  ].join("&");

/** Return all keys of the settings for writing, including default values. @param {Writing} writing */
const writingKeys = ({ steps, temperature, seed }) => ({ write: steps, temperature, seed });

/** The default values of the settings for writing, which links leave out. */
const UNWRITTEN = { temperature: "1", seed: "0" };

/**
 * Return the settings for writing in a link, or null if the network writes nothing. A value that is not valid is undefined.
 * @param {URLSearchParams} keys @returns {Partial<Writing> | null}
 */
function readWriting(keys) {
  if (!keys.get("write")) return null;
  const number = (/** @type {string} */ text, /** @type {RegExp} */ form, /** @type {number} */ most) =>
    form.test(text) && Number(text) <= most ? Number(text) : undefined;
  return {
    steps: number(keys.get("write") ?? "", /^[1-9]\d*$/, WRITING.steps),
    temperature: number(keys.get("temperature") || UNWRITTEN.temperature, /^(\d+(\.\d*)?|\.\d+)$/, WRITING.temperature),
    seed: number(keys.get("seed") || UNWRITTEN.seed, /^\d+$/, WRITING.seed),
  };
}

/** Format initial states, such as "0.5,-1;0.25". Semicolons separate layers, and commas the numbers of a layer. @param {Changes["h0"]} h0 */
export const writeStates = (h0) => h0?.map((layer) => layer.join(",")).join(";") ?? "";

/**
 * Parse initial states in the format of `writeStates`. Return null if `text` is empty, and undefined if it is not valid.
 * @param {string} text @returns {number[][] | null | undefined}
 */
export function readStates(text) {
  if (!text.trim()) return null;
  const states = text.split(";").map((layer) => layer.split(",").map((value) => (value.trim() ? Number(value) : NaN)));
  return states.flat().every(Number.isFinite) ? states : undefined;
}

/** The keys that set the focus: the name of each key, the part of the focus that it sets, and how its value is read and written. */
const KEYS = /** @type {[string, keyof Focus, Kind][]} */ ([
  ["t", "step", step],
  ["layer", "layer", place],
  ["unit", "unit", place],
  ["views", "views", someOf(VIEWS)],
  ["zoom", "zoom", oneOf(ZOOMS)],
  ["gate", "gate", oneOf(GATES)],
  ["table", "table", oneOf(SIGNALS)],
  ["convention", "convention", oneOf(CONVENTIONS)],
  ["rows", "rows", oneOf(ORDERS)],
  ["scale", "scale", oneOf(SCALES)],
]);

/** Return the link to the current view. @param {State} state @returns {Link} */
export const linkTo = (state) => ({ ...scenarioOf(state.run), focus: state, notices: [] });

/**
 * Return the query of a link.
 * @param {Link} link
 * @returns {string} starting with "?"
 */
export function encode({ model, sequence, clamps, weights, against, h0, write, focus }) {
  const keys = new URLSearchParams();
  if (model !== null) keys.set("model", model);
  if (sequence !== null) keys.set("sequence", sequence);
  if (clamps.length) keys.set("clamps", writeClamps(clamps));
  if (weights.length) keys.set("weights", writeWeights(weights));
  if (against) keys.set("against", against);
  if (h0) keys.set("h0", writeStates(h0));
  for (const [key, value] of Object.entries(write ? writingKeys(write) : {}))
    if (String(value) !== UNWRITTEN[/** @type {keyof typeof UNWRITTEN} */ (key)]) keys.set(key, String(value));
  for (const [key, part, kind] of KEYS) {
    const value = focus[part];
    if (value === null || String(value) === String(FOCUS[part])) continue;
    keys.set(key, kind.write(value));
  }
  keys.set("v", VERSION);
  // These three characters are allowed in a query, and are easier to read unescaped.
  const plain = { "%2C": ",", "%40": "@", "%3D": "=" };
  return `?${keys}`.replaceAll(/%2C|%40|%3D/g, (code) => plain[/** @type {keyof typeof plain} */ (code)]);
}

/**
 * Parse the query of an address. A part that cannot be read gets its default value, and a sentence in `notices` names the part.
 * @param {string} query
 * @returns {Link}
 */
export function decode(query) {
  const keys = new URLSearchParams(query);
  /** @type {Record<string, any>} */
  const focus = { ...FOCUS };
  const notices = [];
  for (const [key, part, kind] of KEYS) {
    const text = keys.get(key);
    if (text === null) continue;
    const value = kind.read(text);
    if (value === undefined) notices.push(`“${key}” must be ${kind.allowed}.`);
    else focus[part] = value;
  }
  const clamps = keys.get("clamps") ? readClamps(keys.get("clamps") ?? "") : [];
  if (!clamps) notices.push("“clamps” must look like z.1@4-6=0: a gate, its units, timesteps and value.");
  const weights = keys.get("weights") ? readWeights(keys.get("weights") ?? "") : [];
  if (!weights)
    notices.push(
      "“weights” must look like z.1.W3=0.5: a gate, a unit, a weight (W or U with its index, b or c), and a value.",
    );
  const h0 = readStates(keys.get("h0") ?? "");
  if (h0 === undefined) notices.push("“h0” must look like 0.5,-1;0.25: the numbers of each layer.");
  const write = readWriting(keys);
  const isWriting = write === null || Object.values(write).every((value) => value !== undefined);
  if (!isWriting)
    notices.push(
      `“write” must be from 1 to ${WRITING.steps}, “temperature” from 0 to ${WRITING.temperature}, and “seed” a whole number from 0 to ${WRITING.seed.toLocaleString("en")}.`,
    );
  if (keys.has("more"))
    notices.push("The part after “#more=” is damaged: copy the whole link again. The rest of the link is shown.");
  const [model, sequence] = [keys.get("model"), keys.get("sequence")];
  return {
    model,
    sequence,
    clamps: clamps ?? [],
    weights: weights ?? [],
    against: keys.get("against") ?? "",
    h0: h0 ?? null,
    write: isWriting ? /** @type {Writing | null} */ (write) : null,
    focus: /** @type {Focus} */ (focus),
    notices,
  };
}

/** Return the message about a link's notices, or "" if there are none. @param {readonly string[]} notices */
export const unfollowed = (notices) =>
  notices.length ? `Parts of this link could not be used. ${notices.join(" ")}` : "";

/**
 * Describe the parts of a focus that the run on the tape does not have: a step, layer or unit that is too high, or a signal of
 * another cell.
 * @param {Focus} focus
 * @param {Pick<Run, "T" | "layers">} run
 * @returns {string[]}
 */
export function beyond(focus, run) {
  const layers = run.layers.length;
  const layer = Math.min(focus.layer ?? layers - 1, layers - 1);
  const { H } = run.layers[layer];
  const { gates, signals } = cellOf(run.layers[layer]);
  const names = signals.map(({ name }) => name);
  const notices = [];
  if (focus.step > run.T) notices.push(`“t” must be from 1 to ${run.T}.`);
  if ((focus.layer ?? 0) >= layers) notices.push(`“layer” must be from 1 to ${layers}.`);
  if (focus.unit >= H) notices.push(`“unit” must be from 1 to ${H}.`);
  if (!gates.includes(focus.gate)) notices.push(`“gate” must be one of ${gates.join(", ")}.`);
  if (!names.includes(focus.table)) notices.push(`“table” must be one of ${names.join(", ")}.`);
  return notices;
}
