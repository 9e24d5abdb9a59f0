/**
 * What the compare page shows, as an address. Each key is optional; what is as by default is left out.
 *
 *     compare?task=flip-flop&by=parameters&sequence=A+x+x&clamps=z.1@2=0&cells=rnn,gru&t=3&unit=1&when=before&v=1
 *
 * `clamps` are those of the GRU, `unit` is looked at in every cell that has it.
 */

/** @import { Name } from "../facets.js" */
/** @import { Contest } from "./contest.js" */
/** @import { Link } from "../link.js" */
import { boot } from "../boot.js";
import { NAMES } from "../facets.js";
import { decode, encode } from "../link.js";
import { scenarioOf } from "../run.js";
import { PRESENT, WHEN } from "./contest.js";

/** What the page came with. */
const { task, by, usual } = boot.compared ?? { task: "", by: "", usual: [] };

/**
 * Return the address of what is looked at, or of the same with another task or matched by something else.
 * @param {Contest} contest @param {{task?: string, by?: string}} [other]
 */
export function addressOf({ cells, shown, when }, other = {}) {
  const keys = new URLSearchParams({ task: other.task ?? task });
  if ((other.by ?? by) !== "units") keys.set("by", other.by ?? by);
  if (String(shown) !== String(usual)) keys.set("cells", shown.join(","));
  if (when !== WHEN[0]) keys.set("when", when);
  const { gru } = cells;
  // Another task reads other symbols, and has other units to clamp.
  const scenario = other.task ? { sequence: null, clamps: [] } : scenarioOf(gru.run);
  const { step, unit, convention } = gru;
  const focus = { ...DEFAULTS, step, unit, convention };
  const rest = encode({ ...scenario, model: null, weights: [], focus, notices: [] });
  return `?${keys.toString().replaceAll("%2C", ",")}&${rest.slice(1)}`;
}

/** Everything of a focus that this page has no use for. */
const DEFAULTS = decode("").focus;

/**
 * Read an address, without the task and what the networks are matched by: the page came with these.
 * @param {string} address
 * @returns {Link & {shown: readonly Name[], when: Contest["when"]}}
 */
export function read(address) {
  const keys = new URLSearchParams(address);
  const link = decode(address);
  const named = keys.get("cells")?.split(",") ?? usual;
  const shown = PRESENT.filter((name) => named.includes(name));
  if (!shown.length || shown.length < named.length)
    link.notices.push(`“cells” must be one or more of ${NAMES.join(",")}, with commas between them.`);
  const when = WHEN.find((value) => value === (keys.get("when") ?? WHEN[0]));
  if (!when) link.notices.push(`“when” must be one of ${WHEN.join(", ")}.`);
  return { ...link, shown: shown.length ? shown : usual, when: when ?? WHEN[0] };
}
