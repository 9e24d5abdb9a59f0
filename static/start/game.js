/** Run the network with the visitor's gates. */

/** @import { Listener } from "../api.js" */
/** @import { Clamp, Run } from "../run.js" */
import { trace } from "../api.js";
import { answer, finish, newRun, putStep } from "../run.js";

const LEAST = 3; // decimals; with three, the equation adds up at almost every letter, so the number of decimals rarely changes

/** @typedef {{z: number, r: number}} Gates the visitor's gates at a letter */
/**
 * A run with the visitor's `gates` at the first letters. The lists have a value for each letter: the memory `h`, the candidate, the
 * network's answer, and the correct answer (`right`). `ownZ`, `ownR` and `ownAnswers` are from the run in which the network sets its own
 * gates. `decimals` is the number of decimals that the equation needs at the last letter with the visitor's gates.
 * @typedef {{gates: readonly Gates[], h: number[], candidate: number[], answers: string[], right: string[], ownZ: number[],
 *            ownR: number[], ownAnswers: string[], decimals: number}} Played
 */

/**
 * Run the network over all letters, with the visitor's gates as clamps. If the network's own run is `hidden`, the response must not
 * contain it: the request compares the sequence with itself, and the visitor's run then takes the place of the network's own run.
 * @param {string} model
 * @param {readonly string[]} letters
 * @param {readonly Gates[]} gates
 * @param {boolean} hidden
 * @returns {Promise<Played>}
 */
export async function play(model, letters, gates, hidden) {
  /** @type {Clamp[]} */
  const clamps = gates.flatMap(({ z, r }, at) =>
    Object.entries({ z, r }).map(([gate, value]) => ({ gate, units: null, from: at + 1, to: at + 1, value, layer: 1 })),
  );
  const sequence = letters.join(" ");
  const scenario = { model, sequence, clamps, weights: [], against: hidden ? sequence : "" };
  let run = /** @type {Run | null} */ (null);
  /** @type {Listener} */
  const listener = {
    start: (start) => (run = newRun(start, scenario)),
    step: (step) => run && putStep(run, step),
    done: (done) => run && finish(run, done),
  };
  await trace({ ...scenario, equations: { layer: 1, unit: 1 } }, listener, new AbortController().signal);
  return playedOf(/** @type {Run} */ (run), gates);
}

/** @param {Run} run @param {readonly Gates[]} gates @returns {Played} */
function playedOf(run, gates) {
  const [{ rows }] = run.layers;
  const only = (/** @type {string} */ name) => [...rows[name][0].slice(0, run.T)];
  const answersOf = (/** @type {Run["outputs"]} */ outputs) =>
    Array.from({ length: run.T }, (_, column) => answer(run, column, outputs).text);
  const { decimals = {} } = run.equations?.steps[gates.length - 1] ?? {};
  return {
    gates,
    h: only("h"),
    candidate: only("h_tilde"),
    answers: answersOf(run.outputs),
    right: (run.right ?? []).map((place) => run.y.labels[Number(place) - 1]),
    ownZ: only("twin.z"),
    ownR: only("twin.r"),
    ownAnswers: answersOf(run.twinOutputs),
    decimals: Math.max(LEAST, (decimals["h.value"] ?? [LEAST])[0] ?? 4),
  };
}
