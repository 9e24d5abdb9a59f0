/**
 * What the cursor needs and the run that came does not hold: fetched when it is looked at, one request of a kind at a
 * time, the newest wish next.
 */

/** @import { Store } from "./store.js" */
/** @import { Scenario } from "./api.js" */
/** @import { Kind, State, Steps } from "./state.js" */
import { Unrecorded } from "./api.js";
import { scenarioOf } from "./run.js";
import { detailAt, failDetail, layerIndex, putDetail } from "./state.js";

/**
 * @param {Store} store
 * @param {Kind} kind
 * @param {(state: State) => Steps | null} wanted the steps to ask for, null while nothing is
 * @param {(kind: Kind, question: Scenario & Steps & {layer: number, unit: number}, step: number) => Promise<any>} ask
 *   whose answer says which steps it covers: `step` and as many others as it likes
 */
export function keepDetail(store, kind, wanted, ask) {
  let asking = false;
  /** @type {unknown[]} */
  let refused = []; // the place for which it did not work: asked again once the cursor moves

  async function fetch() {
    const state = store.get();
    const { run, received, step, unit } = state;
    const layer = layerIndex(state);
    const cursor = [run, layer, unit, step];
    if (received < run.T || asking || detailAt(state, kind)) return;
    const steps = cursor.every((part, i) => part === refused[i]) ? null : wanted(state);
    if (!steps) return;
    asking = true;
    refused = [];
    try {
      const detail = await ask(kind, { ...scenarioOf(run), ...steps, layer: layer + 1, unit: unit + 1 }, step);
      const { from, to } = "t" in detail ? { from: detail.t, to: detail.t } : detail;
      store.update(putDetail, kind, { ...detail, run, layer, unit, from, to });
    } catch (error) {
      refused = cursor;
      const again = error instanceof Unrecorded ? "" : " Move the cursor to ask again.";
      store.update(failDetail, kind, `${/** @type {Error} */ (error).message}${again}`);
    } finally {
      asking = false;
    }
    fetch(); // the cursor may have gone on meanwhile
  }

  store.subscribe(fetch);
}
