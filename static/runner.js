/**
 * Keeps the tape up with the box: one request in flight, the newest scenario waiting, nothing queued behind it.
 *
 * A run that is on its way when a newer one waits has a moment to finish, so that fast typing is still followed; then
 * it is let go.
 */

/** @import { Scenario, Listener } from "./api.js" */

const PATIENCE = 300; // ms

/**
 * @param {(scenario: Scenario, listener: Listener, signal: AbortSignal) => Promise<void>} trace
 * @param {(scenario: Scenario) => Listener} listen makes the listener of a new run
 * @param {(error: Error) => void} failed
 * @param {(busy: boolean) => void} waits
 */
export function createRunner(trace, listen, failed, waits) {
  /** @type {Scenario | null} */
  let waiting = null;
  /** @type {AbortController | null} */
  let flight = null;

  /** @param {Scenario} scenario */
  async function run(scenario) {
    const own = (flight = new AbortController());
    waits(true);
    try {
      await trace(scenario, listen(scenario), own.signal);
    } catch (error) {
      // What went wrong with a scenario that is no longer asked for concerns nobody.
      if (!waiting && !own.signal.aborted) failed(/** @type {Error} */ (error));
    }
    flight = null;
    waits(false);
    const next = waiting;
    waiting = null;
    if (next) run(next);
  }

  return /** @param {Scenario} scenario */ (scenario) => {
    if (!flight) {
      run(scenario);
      return;
    }
    const late = flight;
    if (!waiting) setTimeout(() => late.abort(), PATIENCE);
    waiting = scenario;
  };
}
