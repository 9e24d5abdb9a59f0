/**
 * What is looked at on the compare page: for each cell a view state as the lab has it, and which of them are shown. The
 * cells share the text, the cursor's step and how the page is looked at: where one of them changes these, all do.
 */

/** @import { State } from "../state.js" */
/** @import { Store, StoreOf } from "../store.js" */
/** @typedef {typeof NAMES[number]} Name of a cell */
/** Of which weights the gradient is shown. @typedef {typeof WHEN[number]} When */
/**
 * `shown` are the cells in sight, `at` the one that was touched last: the keys ↑ and ↓ move its unit.
 * @typedef {{cells: Record<Name, State>, shown: readonly Name[], at: Name, when: When}} Contest
 */
import { goTo } from "../state.js";

export const NAMES = /** @type {const} */ (["rnn", "lstm", "gru"]);
export const WHEN = /** @type {const} */ (["after", "before"]);

/** What all cells have alike, beside the step. @type {(keyof State)[]} */
const SHARED = ["text", "convention", "theme", "playing", "speed", "error", "invalid"];

/**
 * One of the cells has changed: what it shares with the others changes there too.
 * @param {Contest} contest @param {Name} name @param {State} next
 * @returns {Contest}
 */
function settle(contest, name, next) {
  const before = contest.cells[name];
  if (next === before) return contest;
  const changed = Object.fromEntries(SHARED.filter((part) => next[part] !== before[part]).map((part) => [part, next[part]])); // prettier-ignore
  const cells = { ...contest.cells, [name]: next };
  for (const other of NAMES) {
    if (other === name) continue;
    if (Object.keys(changed).length) cells[other] = { ...cells[other], ...changed };
    if (next.step !== before.step) cells[other] = goTo(cells[other], next.step);
  }
  return { ...contest, cells };
}

/**
 * The state of one cell as a store of its own, for views that know of no other.
 * @param {StoreOf<Contest>} store
 * @param {() => Name} which
 * @returns {Store}
 */
export const facet = (store, which) => ({
  get: () => store.get().cells[which()],
  update(transition, ...args) {
    store.update((contest) => settle(contest, which(), transition(contest.cells[which()], ...args)));
  },
  flush: store.flush,
  subscribe: (listener) => store.subscribe((contest) => listener(contest.cells[which()])),
});

/** @param {Contest} contest @param {Name} at */
export const attend = (contest, at) => (at === contest.at ? contest : { ...contest, at });

/** Show a cell, or leave it out; the last one stays. @param {Contest} contest @param {Name} name */
export function toggle(contest, name) {
  const shown = NAMES.filter((one) => (one === name) !== contest.shown.includes(one));
  if (shown.length === 0) return contest;
  return { ...contest, shown, at: shown.includes(contest.at) ? contest.at : shown[shown.length - 1] };
}

/** @param {Contest} contest @param {When} when */
export const setWhen = (contest, when) => (when === contest.when ? contest : { ...contest, when });
