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
    const current = (flight = new AbortController());
    waits(true);
    try {
      await trace(scenario, listen(scenario), current.signal);
    } catch (error) {
      // Once something newer is asked for, nobody needs to hear of this.
      if (!waiting && !current.signal.aborted) failed(/** @type {Error} */ (error));
    }
    flight = null;
    waits(false);
    const next = waiting;
    waiting = null;
    if (next) run(next);
  }

  /** Run a scenario; with `onTape`, only if another is on its way. @param {S} scenario @param {boolean} [onTape] */
  return (scenario, onTape = false) => {
    if (!flight) {
      if (!onTape) run(scenario);
      return;
    }
    const current = flight;
    if (!waiting) setTimeout(() => current.abort(), PATIENCE);
    waiting = scenario;
  };
}
