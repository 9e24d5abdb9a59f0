/**
 * Several cells on one page, each with a view state as in the Lab. All cells share the sequence, the cursor's step and the page's
 * settings: if these change in one cell, they change in all cells.
 */

/** @import { State } from "./state.js" */
/** @import { Store, StoreOf } from "./store.js" */
/** The name of a cell. @typedef {typeof NAMES[number]} Name */
/**
 * The state of a page with several cells: `cells` has the state of each cell, and `at` is the cell that the visitor touched last.
 * @typedef {{cells: Record<Name, State>, at: Name}} Cells
 */
import { boot } from "./boot.js";
import { goTo } from "./state.js";

/** The names of all cells, in their order on the page. A page can show fewer cells. */
export const NAMES = Object.keys(boot.cells);
export const TITLES = Object.fromEntries(NAMES.map((name) => [name, boot.cells[name].title]));

/** The parts of the state that all cells share, besides the step. @type {(keyof State)[]} */
const SHARED = ["text", "convention", "theme", "playing", "speed", "error", "invalid"];

/**
 * Set the state of the cell `name` to `next`, and copy the shared parts that changed to all other cells.
 * @template {Cells} S
 * @param {S} state @param {Name} name @param {State} next
 * @returns {S}
 */
function settle(state, name, next) {
  const before = state.cells[name];
  if (next === before) return state;
  const changed = Object.fromEntries(
    SHARED.filter((part) => next[part] !== before[part]).map((part) => [part, next[part]]),
  );
  const cells = { ...state.cells, [name]: next };
  for (const other of NAMES) {
    if (other === name || !cells[other]) continue;
    if (Object.keys(changed).length) cells[other] = { ...cells[other], ...changed };
    if (next.step !== before.step) cells[other] = goTo(cells[other], next.step);
  }
  return { ...state, cells };
}

/**
 * Return a store of one cell's state, for views that show a single cell.
 * @template {Cells} S
 * @param {StoreOf<S>} store
 * @param {() => Name} which
 * @returns {Store}
 */
export const facet = (store, which) => ({
  get: () => store.get().cells[which()],
  update(transition, ...args) {
    store.update((state) => settle(state, which(), transition(state.cells[which()], ...args)));
  },
  flush: store.flush,
  subscribe: (listener) => store.subscribe((state) => listener(state.cells[which()])),
});

/**
 * Set the cell that the visitor touched last. The keys ↑ and ↓ then select its units.
 * @template {Cells} S @param {S} state @param {Name} at @returns {S}
 */
export const attend = (state, at) => (at === state.at ? state : { ...state, at });
