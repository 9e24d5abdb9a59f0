/** Runs arriving on the tape: the one that the page came with, and a newer one whenever something else is asked for. */

/** @import { Listener, Scenario } from "./api.js" */
/** @import { Run, Start } from "./run.js" */
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

/**
 * Return the run that is shown first. It came with the page, in `script`, or, if it is long, is fetched. Without it there is
 * nothing to show: `error` says why, and the page waits for good.
 * @param {HTMLElement} error
 * @param {HTMLElement} script
 * @param {Scenario} scenario
 */
export async function firstRun(error, script, scenario) {
  const stop = (/** @type {Error} */ { message }) => {
    error.textContent = `${withPeriod(message)} Reload the page to try again.`;
    return /** @type {Promise<never>} */ (new Promise(() => {}));
  };
  const text = script.textContent || (await api.traceText(scenario).catch(stop));
  /** @type {Run | undefined} */
  let run;
  let received = 0;
  api.deliver(parseEvents(text), {
    start: (start) => (run = newRun(start, scenario)),
    step(step) {
      if (run) putStep(run, step);
      received = step.t;
    },
    done: (done) => run && finish(run, done),
  });
  if (!run) throw new Error("The page does not contain its first run.");
  return { run, received };
}

/**
 * Put the run that is asked for on the tape, step by step as it comes. If it breaks off, the last whole run comes back.
 * @param {HTMLElement} tape
 * @param {Store} store
 * @returns {(there?: boolean) => void} to be called when something else is asked for; `there`: it is on the tape already
 */
export function keepArriving(tape, store) {
  let lastComplete = store.get(); // the state when the last run was lastComplete

  /** Report a run that did not arrive. @param {Error} error */
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

  const runner = createRunner(
    beginning,
    (changes) => {
      /** @type {Run} */
      let run;
      return {
        start: (/** @type {Start} */ start) => (run = newRun(start, changes)),
        step(step) {
          if (step.t === 1) {
            if (store.get().run === lastComplete.run) lastComplete = store.get();
            store.update(show, run);
          }
          putStep(run, step);
          if (step.t < run.T) store.update(receive, step.t); // the last is reported once it is known what moved
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
    (busy) => tape.setAttribute("aria-busy", String(busy)),
  );

  return (onTape = false) => {
    const state = store.get();
    const { model, text, clamps, weights, against, upto } = state;
    const equations = state.views.some((view) => view === "cell" || view === "equations") ? placeToCome(state) : null;
    runner({ model, sequence: text, clamps, weights, against, upto, equations }, onTape);
  };
}

/**
 * Run a scenario, or only its first `upto` steps, with room for all of them.
 * @param {Scenario & {upto: number | null}} scenario @param {Listener} listener @param {AbortSignal} signal
 */
function beginning({ upto, ...scenario }, listener, signal) {
  if (upto === null) return api.trace(scenario, listener, signal);
  const tokens = scenario.sequence.split(/\s+/);
  const start = (/** @type {Start} */ start) => listener.start({ ...start, T: tokens.length, tokens, right: null });
  return api.trace({ ...scenario, sequence: tokens.slice(0, upto).join(" ") }, { ...listener, start }, signal);
}
