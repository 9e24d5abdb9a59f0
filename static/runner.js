/**
 * One request at a time. Of the scenarios that are asked for meanwhile only the newest waits; it is run next.
 *
 * When a newer scenario waits, the run on its way has a moment to finish, so that the tape keeps up with fast typing; then
 * it is aborted.
 */

/** @import { Scenario, Listener } from "./api.js" */

const PATIENCE = 300; // ms

/**
 * @template {Scenario} S
 * @param {(scenario: S, listener: Listener, signal: AbortSignal) => Promise<void>} trace
 * @param {(scenario: S) => Listener} listen makes the listener of a new run
 * @param {(error: Error) => void} failed
 * @param {(busy: boolean) => void} waits
 */
export function createRunner(trace, listen, failed, waits) {
  /** @type {S | null} */
  let waiting = null;
  /** @type {AbortController | null} */
  let flight = null;

  /** @param {S} scenario */
  async function run(scenario) {
    const own = (flight = new AbortController());
    waits(true);
    try {
      await trace(scenario, listen(scenario), own.signal);
    } catch (error) {
      // Once something newer is asked for, nobody needs to hear of this.
      if (!waiting && !own.signal.aborted) failed(/** @type {Error} */ (error));
    }
    flight = null;
    waits(false);
    const next = waiting;
    waiting = null;
    if (next) run(next);
  }

  /** Run a scenario; with `there`, only if another one is on its way. @param {S} scenario @param {boolean} [there] */
  return (scenario, there = false) => {
    if (!flight) {
      if (!there) run(scenario);
      return;
    }
    const late = flight;
    if (!waiting) setTimeout(() => late.abort(), PATIENCE);
    waiting = scenario;
  };
}
