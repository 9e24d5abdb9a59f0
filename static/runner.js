/**
 * Runs scenarios with one request at a time. During a request only the newest scenario waits; it runs next.
 *
 * If a newer scenario waits, the present run gets a short time to finish, so that the tape shows runs during fast typing. After
 * this time it is aborted.
 */

/** @import { Scenario, Listener } from "./api.js" */

const PATIENCE = 300; // ms

/**
 * Create a runner of scenarios.
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
    const next = waiting;
    waiting = null;
    if (next) run(next);
    else waits(false);
  }

  /**
   * Run a scenario. If `onTape`, the tape already shows its run. Then run it only if another run is in progress, which would replace it.
   * @param {S} scenario
   * @param {boolean} [onTape]
   * @returns {Promise<void>} resolves at the end of a run that starts now, also if it fails
   */
  return async (scenario, onTape = false) => {
    if (!flight) return onTape ? undefined : run(scenario);
    const current = flight;
    if (!waiting) setTimeout(() => current.abort(), PATIENCE);
    waiting = scenario;
  };
}
