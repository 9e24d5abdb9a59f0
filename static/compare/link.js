/**
 * The view of the Compare page as an address. Each key is optional, and a value equal to the default is left out.
 *
 *     compare?task=flip-flop&by=parameters&sequence=A+m+m&clamps=z.1@2=0&cells=rnn,gru&t=3&unit=1&when=before&v=1
 *
 * `clamps` are the clamps of the GRU. `unit` is the selected unit in every cell that has this unit. Without a sequence and without `t`,
 * the cursor is at the last timestep, where all cells have read the sequence. With `times=1`, the page measures the times of the cells.
 */

/** @import { Name } from "../facets.js" */
/** @import { Contest } from "./contest.js" */
/** @import { Link } from "../link.js" */
import { boot } from "../boot.js";
import { NAMES } from "../facets.js";
import { decode, encode } from "../link.js";
import { scenarioOf } from "../run.js";
import { PRESENT, WHEN } from "./contest.js";

/** The page's task, the quantity (units or parameters) that is equal in all networks, and the cells shown by default. */
const { task, by, usual } = boot.compared ?? { task: "", by: "", usual: [] };

/**
 * Return the address of the view, or of the same view with another task or another way to match the networks.
 * @param {Contest} contest @param {{task?: string, by?: string}} [other]
 */
export function addressOf({ cells, shown, when }, other = {}) {
  const keys = new URLSearchParams({ task: other.task ?? task });
  if ((other.by ?? by) !== "units") keys.set("by", other.by ?? by);
  if (String(shown) !== String(usual)) keys.set("cells", shown.join(","));
  if (when !== WHEN[0]) keys.set("when", when);
  const { gru } = cells;
  // The sequence and the clamps do not fit another task: its symbols and its units are different.
  const scenario = other.task ? { sequence: null, clamps: [] } : scenarioOf(gru.run);
  const { step, unit, convention } = gru;
  const focus = { ...DEFAULTS, step: other.task ? DEFAULTS.step : step, unit, convention };
  const rest = encode({ ...scenario, model: null, weights: [], focus, notices: [] });
  return `?${keys.toString().replaceAll("%2C", ",")}&${rest.slice(1)}`;
}

/** The default focus, with values for the parts that this page does not use. */
const DEFAULTS = decode("").focus;

/**
 * Read an address, except for `task` and `by`, which the page already has.
 * @param {string} address
 * @returns {Link & {shown: readonly Name[], when: Contest["when"], times: boolean}}
 */
export function read(address) {
  const keys = new URLSearchParams(address);
  const link = decode(address);
  if (!keys.get("sequence") && !keys.get("t")) link.focus.step = Infinity;
  const named = keys.get("cells")?.split(",") ?? usual;
  const shown = PRESENT.filter((name) => named.includes(name));
  if (!shown.length || shown.length < named.length)
    link.notices.push(`“cells” must be one or more of ${NAMES.join(",")}, with commas between them.`);
  const when = WHEN.find((value) => value === (keys.get("when") ?? WHEN[0]));
  if (!when) link.notices.push(`“when” must be one of ${WHEN.join(", ")}.`);
  return { ...link, shown: shown.length ? shown : usual, when: when ?? WHEN[0], times: keys.get("times") === "1" };
}
