/** Put runs on the tape as they arrive: first the run that comes with the page, then a run for each request. */

/** @import { Listener, Scenario } from "./api.js" */
/** @import { Run, Start, Step } from "./run.js" */
/** @import { Store } from "./store.js" */
import * as api from "./api.js";
import { stay } from "./changes.js";
import { withPeriod } from "./elements.js";
import { parseEvents } from "./events.js";
import { NotRecorded } from "./recording.js";
import { finish, newRun, putStep } from "./run.js";
import { createRunner } from "./runner.js";
import { NoAnswer, RequestError } from "./server.js";
import { complete, fail, goBack, placeToCome, receive, show } from "./state.js";

const SLOW = 400; // ms of waiting before the tape fades: a quick answer must not flicker

/**
 * Return the page's first run and the number of its steps that have arrived. Read the run from the text of `script`. If `script` is
 * empty, because the run is long, fetch the run. If this fails, show the reason in `error` and never resolve.
 * @param {HTMLElement} error
 * @param {HTMLElement} script
 * @param {Scenario} scenario
 */
export async function firstRun(error, script, scenario) {
  const stop = (/** @type {Error} */ { message }) => {
    error.textContent = `${withPeriod(message)} Reload the page to try again.`;
    return /** @type {Promise<never>} */ (new Promise(() => {}));
  };
  /** @type {Run | undefined} */
  let run;
  let received = 0;
  /** @type {Listener} */
  const listener = {
    start: (start) => (run = newRun(start, scenario)),
    step(step) {
      if (run) putStep(run, step);
      received = step.t;
    },
    done: (done) => run && finish(run, done),
  };
  if (script.textContent) api.deliver(parseEvents(script.textContent), listener);
  else await api.trace(scenario, listener, new AbortController().signal).catch(stop);
  if (!run) throw new Error("The page does not contain its first run.");
  return { run, received };
}

/**
 * Show the requested run on the tape, step by step as it arrives. If the connection is lost, show the last complete run again.
 * @param {HTMLElement} tape
 * @param {Store} store
 * @param {typeof api.trace} [trace] fetches the runs
 * @returns {(there?: boolean) => Promise<void>} a function to call when the requested scenario changes; `there`: whether the tape shows its run
 */
export function keepArriving(tape, store, trace = api.trace) {
  let lastComplete = store.get(); // the state when the last run was complete

  /** Report that a run could not be fetched. @param {Error} error */
  function failed(error) {
    if (store.get().run !== lastComplete.run) store.update(goBack, lastComplete);
    if (error instanceof NotRecorded) {
      store.update(stay, error.message);
      return;
    }
    const refused = error instanceof RequestError;
    let advice = error instanceof NoAnswer ? " Press Enter in the sequence box to try again." : "";
    if (refused && error.where?.startsWith("clamps")) advice = " Change or release the clamp.";
    const text = refused
      ? error.message + advice
      : `Something went wrong: ${withPeriod(error.message)} Reload the page.`;
    store.update(fail, text, refused && Boolean(error.where?.startsWith("sequence")));
  }

  /** @type {object | null} */
  let newest = null; // the scenario that was requested last
  let slow = 0;
  const runner = createRunner(
    beginning(trace),
    (changes) => {
      /** @type {Run} */
      let run;
      return {
        start: (/** @type {Start} */ start) => (run = newRun(start, changes)),
        step(step) {
          if (step.t === 1) {
            if (store.get().run === lastComplete.run) lastComplete = store.get();
            store.update(show, run, changes === newest);
          }
          putStep(run, step);
          if (step.t < run.T) store.update(receive, step.t); // the last step is reported with the event `done`
        },
        done(done) {
          finish(run, done);
          if (store.get().upto === null) store.update(complete);
          lastComplete = store.get();
        },
        piece: store.flush,
      };
    },
    failed,
    (busy) => {
      tape.setAttribute("aria-busy", String(busy));
      if (busy) {
        slow ||= setTimeout(() => tape.classList.add("slow"), SLOW);
        return;
      }
      clearTimeout(slow);
      slow = 0;
      tape.classList.remove("slow");
    },
  );

  return (onTape = false) => {
    const state = store.get();
    const { model, text, clamps, weights, against, h0, write, upto } = state;
    const equations = state.views.some((view) => view === "cell" || view === "equations") ? placeToCome(state) : null;
    const entry = state.models.find(({ id }) => id === model);
    const needsAll = entry?.layers.some(({ backward_units }) => backward_units > 0) ?? false;
    const scenario = { model, sequence: text, clamps, weights, against, h0, write, upto, needsAll, equations };
    newest = scenario;
    return runner(scenario, onTape);
  };
}

/**
 * Return a function that runs a scenario up to the step `upto`; null means all steps. The run has columns for all steps, and the later
 * columns stay empty. If `needsAll` is true, because a bidirectional network reads the whole sequence, all steps are run, but the
 * listener does not get the steps after `upto`.
 * @param {typeof api.trace} trace
 * @returns {(scenario: Scenario & {upto: number | null, needsAll: boolean}, listener: Listener, signal: AbortSignal) => Promise<void>}
 */
const beginning =
  (trace) =>
  ({ upto, needsAll, ...scenario }, listener, signal) => {
    if (upto === null) return trace(scenario, listener, signal);
    if (needsAll) {
      const start = (/** @type {Start} */ start) => listener.start({ ...start, right: null });
      const step = (/** @type {Step} */ step) => step.t <= upto && listener.step(step);
      return trace(scenario, { ...listener, start, step }, signal);
    }
    const tokens = scenario.sequence.trim().split(/\s+/);
    const T = tokens.length + (scenario.write?.steps ?? 0);
    const given = tokens.length;
    const start = (/** @type {Start} */ start) =>
      listener.start({ ...start, T, given, tokens: [...tokens, ...(start.tokens ?? []).slice(given)], right: null });
    return trace(cut(scenario, upto), { ...listener, start }, signal);
  };

/** Return a scenario that ends after the timestep `upto`. @param {Scenario} scenario @param {number} upto */
function cut(scenario, upto) {
  const firstOf = (/** @type {string} */ text) => text.trim().split(/\s+/).slice(0, upto).join(" ");
  const { sequence, clamps, against, write = null } = scenario;
  const steps = Math.min(write?.steps ?? 0, upto - sequence.trim().split(/\s+/).length);
  return {
    ...scenario,
    sequence: firstOf(sequence),
    against: against && firstOf(against),
    write: write && steps > 0 ? { ...write, steps } : null,
    clamps: clamps
      .filter(({ from }) => from <= upto)
      .map((clamp) => ({ ...clamp, to: clamp.to && Math.min(clamp.to, upto) })),
  };
}
