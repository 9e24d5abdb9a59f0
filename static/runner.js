/**
 * Run scenarios with one request at a time. During a request only the newest scenario waits; it runs next.
 *
 * When a newer scenario waits, the current run has a short time to finish, so that the tape shows runs during fast typing. After this
 * time the current run is aborted.
 */

/** @import { Scenario, Listener } from "./api.js" */

const PATIENCE = 300; // ms

/**
 * Return a function that runs scenarios.
 * @template {Scenario} S
 * @param {(scenario: S, listener: Listener, signal: AbortSignal) => Promise<void>} trace runs one scenario
 * @param {(scenario: S) => Listener} listen returns the listener for a new run
 * @param {(error: Error) => void} failed called with the error of a run that no newer scenario replaces
 * @param {(busy: boolean) => void} waits called with true when a run starts, and with false when no scenario is left
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
      // If a newer scenario waits, the error of this run does not matter.
      if (!waiting && !current.signal.aborted) failed(/** @type {Error} */ (error));
    }
    flight = null;
    const next = waiting;
    waiting = null;
    if (next) run(next);
    else waits(false);
  }

  /**
   * Run a scenario. `onTape`: whether the tape already shows the scenario's run. If it does, run the scenario only if another run is in
   * progress, because the other run would replace this one on the tape.
   * @param {S} scenario
   * @param {boolean} [onTape]
   * @returns {Promise<void>} if the run starts now, resolves when it ends or fails; otherwise resolves at once
   */
  return async (scenario, onTape = false) => {
    if (!flight) return onTape ? undefined : run(scenario);
    const current = flight;
    if (!waiting) setTimeout(() => current.abort(), PATIENCE);
    waiting = scenario;
  };
}
