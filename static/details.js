/**
 * Details of the selected unit that are not part of a run. Each kind of detail is fetched when a view needs it, with one request at
 * a time. If the cursor moves during a request, the next request is for the new position.
 */

/** @import { Store } from "./store.js" */
/** @import { Kind, State, Steps } from "./state.js" */
import { fetchAnswer } from "./api.js";
import { boot } from "./boot.js";
import { withPeriod } from "./elements.js";
import { NotRecorded } from "./recording.js";
import { isExact, putUnit, scenarioOf } from "./run.js";
import { workedAt } from "./reading.js";
import { detailAt, failDetail, layerIndex, layerOf, putDetail } from "./state.js";

/**
 * Fetch the details that the open views need. Return a function that waits for the pending requests.
 * @param {Store} store
 */
export function keepDetails(store) {
  const details = [
    keepDetail(store, "rows", (state) => (isExact(layerOf(state), state.unit) ? null : {})),
    keepDetail(store, "equations", equationsWanted),
    keepDetail(store, "sums", (state) => (state.zoom === "gate" ? around(state, 16, 47) : null)),
    keepDetail(store, "ledger", ledgerWanted),
    keepDetail(store, "sensitivity", sensitivityWanted),
  ];
  return () => Promise.all(details.map((settled) => settled()));
}

/** Return the steps for which to fetch equations, or null if the page already has them or no view needs them. @param {State} state */
const equationsWanted = (state) =>
  !workedAt(state) && state.views.some((view) => view === "cell" || view === "equations")
    ? around(state, 127, 384)
    : null;

/**
 * Return the range from `before` steps before the cursor to `after` steps after it, limited to the steps that have arrived.
 * @param {State} state @param {number} before @param {number} after
 */
const around = ({ step, received }, before, after) => ({
  from: Math.max(1, step - before),
  to: Math.min(received, step + after),
});

/**
 * Return the steps for which to fetch contributions: all steps if they fit in one response, else the steps around the cursor. Return
 * null if no view needs them.
 * @param {State} state
 */
function ledgerWanted(state) {
  if (!state.views.includes("memory") || !layerOf(state).rows.half_life) return null; // a plain RNN has no ledger
  const rows = Math.floor(boot.shares / (state.run.T + 1));
  const half = rows >= state.run.T ? Infinity : Math.floor((rows - 1) / 2);
  return around(state, half, half);
}

/**
 * Return the step and the output for which to fetch sensitivities. The output is null for the most likely label, or 1 for the first
 * number. Return null if no view needs sensitivities.
 * @param {State} state
 */
const sensitivityWanted = ({ views, step, run }) =>
  views.includes("influence") ? { t: step, output: run.y.kind === "linear" ? 1 : null } : null;

/**
 * Fetch details of one kind whenever a view needs them at the cursor and the state does not have them. A response can also cover
 * steps around the cursor.
 * @param {Store} store
 * @param {Kind} kind
 * @param {(state: State) => Steps | null} stepsFor returns the steps to fetch, or null if no view needs any
 * @returns {() => Promise<void> | null} a function that returns the promise of the current request, or null
 */
function keepDetail(store, kind, stepsFor) {
  /** @type {Promise<void> | null} */
  let asking = null;
  /** @type {unknown[]} */
  let refused = []; // the position of the last failed request, which is not repeated until the cursor moves

  async function fetch() {
    const state = store.get();
    const { run, received, upto, step, unit } = state;
    const layer = layerIndex(state);
    const cursor = [run, layer, unit, step];
    if (received < (upto ?? run.T) || asking || detailAt(state, kind)) return;
    const steps = cursor.every((part, i) => part === refused[i]) ? null : stepsFor(state);
    if (!steps) return;
    refused = [];
    const question = { ...scenarioOf(run), ...steps, layer: layer + 1, unit: unit + 1 };
    asking = fetchAnswer(kind, question, step)
      .then((detail) => {
        if (kind === "rows") putUnit(run, detail);
        const { from, to } = "t" in detail ? { from: detail.t, to: detail.t } : detail;
        store.update(putDetail, kind, { ...detail, run, layer, unit, from, to });
      })
      .catch((error) => {
        refused = cursor;
        const advice = error instanceof NotRecorded ? "" : " Move the cursor to try again.";
        store.update(failDetail, kind, `${withPeriod(error.message)}${advice}`);
      });
    await asking;
    asking = null;
    fetch(); // the cursor may have moved in the meantime
  }

  store.subscribe(fetch);
  return () => asking;
}
