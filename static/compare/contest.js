/** The view state of the Compare page: the state of each cell, which cells are shown, and which weights the gradient uses. */

/** @import { Cells, Name } from "../facets.js" */
import { boot } from "../boot.js";
import { NAMES } from "../facets.js";

/** Which weights the gradient uses: the weights after or before training. @typedef {typeof WHEN[number]} When */
/**
 * The state of the Compare page. `shown` has the names of the shown cells. The ↑ and ↓ keys select a unit of the cell `at`.
 * @typedef {Cells & {shown: readonly Name[], when: When}} Contest
 */

/** The cells with a scenario in the page's data. */
export const PRESENT = NAMES.filter((name) => boot.scenarios?.[name]);

export const WHEN = /** @type {const} */ (["after", "before"]);

/** Return the names of the shown cells and of one more cell, in their usual order. @param {Contest} contest @param {Name} name */
export const added = ({ shown }, name) => NAMES.filter((other) => other === name || shown.includes(other));

/** Show or hide a cell. The last shown cell cannot be hidden. @param {Contest} contest @param {Name} name */
export function toggle(contest, name) {
  const shown = PRESENT.filter((other) => (other === name) !== contest.shown.includes(other));
  if (shown.length === 0) return contest;
  return { ...contest, shown, at: shown.includes(contest.at) ? contest.at : shown[shown.length - 1] };
}

/** Choose whether the gradient uses the weights before or after training. @param {Contest} contest @param {When} when */
export const setWhen = (contest, when) => (when === contest.when ? contest : { ...contest, when });
