/**
 * The view state as an address: readable keys, each optional, those of other pages or later versions ignored.
 *
 *     ?model=flip-flop&sequence=A+x+x&t=3&unit=1&convention=pytorch&v=1
 *
 * What is as it would be anyway is left out. Layers, units and steps count from 1, as on screen.
 */

/** @import { Focus, State } from "./state.js" */
import { CONVENTIONS, FOCUS, ROWS, VIEWS, ZOOMS } from "./state.js";
import { GATES, SIGNALS } from "./run.js";

export const VERSION = "1";

/** @typedef {{read: (text: string) => any, write: (value: any) => string, allowed: string}} Kind */

/** @type {Kind} */
const place = {
  read: (text) => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) - 1 : undefined),
  write: (index) => String(index + 1),
  allowed: "a whole number from 1 on",
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
  allowed: `some of ${words.join(",")}`,
});

/** Every key beside `model`, `sequence` and `v`: the part of the focus that it says, and its form. */
const KEYS = /** @type {[string, keyof Focus, Kind][]} */ ([
  ["t", "step", step],
  ["layer", "layer", place],
  ["unit", "unit", place],
  ["views", "views", someOf(VIEWS)],
  ["zoom", "zoom", oneOf(ZOOMS)],
  ["gate", "gate", oneOf(GATES)],
  ["table", "table", oneOf(SIGNALS)],
  ["convention", "convention", oneOf(CONVENTIONS)],
  ["rows", "rows", oneOf(ROWS)],
]);

/**
 * The address of what is looked at.
 * @param {State} state
 * @returns {string} beginning with "?"
 */
export function encode(state) {
  const { model, tokens } = state.run;
  const said = new URLSearchParams({ model, sequence: (tokens ?? []).join(" ") });
  for (const [key, part, kind] of KEYS) {
    const value = state[part];
    if (value === null || String(value) === String(FOCUS[part])) continue;
    said.set(key, kind.write(value));
  }
  said.set("v", VERSION);
  // Commas may stand in a query as they are, and read better so.
  return `?${said}`.replaceAll("%2C", ",");
}

/**
 * What an address says. What cannot be followed is as it would be anyway, and is named in `notices`.
 * @param {string} query
 * @returns {{model: string | null, sequence: string | null, focus: Focus, notices: string[]}}
 */
export function decode(query) {
  const said = new URLSearchParams(query);
  /** @type {Record<string, any>} */
  const focus = { ...FOCUS };
  const notices = [];
  for (const [key, part, kind] of KEYS) {
    const text = said.get(key);
    if (text === null) continue;
    const value = kind.read(text);
    if (value === undefined) notices.push(`${key} must be ${kind.allowed}`);
    else focus[part] = value;
  }
  return { model: said.get("model"), sequence: said.get("sequence"), focus: /** @type {Focus} */ (focus), notices };
}

/**
 * What of a focus is not there in what it is to be looked at.
 * @param {Focus} focus
 * @param {State} state
 * @returns {string[]}
 */
export function beyond(focus, { run }) {
  const layers = run.layers.length;
  const layer = Math.min(focus.layer ?? layers - 1, layers - 1);
  const { H } = run.layers[layer];
  const notices = [];
  if (focus.step > run.T) notices.push(`t must be from 1 to ${run.T}`);
  if ((focus.layer ?? 0) >= layers) notices.push(`layer must be from 1 to ${layers}`);
  if (focus.unit >= H) notices.push(`unit must be from 1 to ${H}`);
  return notices;
}
