/**
 * The view state: what is being looked at. It is never changed, only replaced by a transition, which gives back the
 * same object when nothing changes.
 */

/** @import { Run } from "./run.js" */
/** @typedef {{id: string, hint: string, alphabet: string[], examples: string[], parameters: number,
 *             layers: {units: number, reset: string}[],
 *             card: {title: string, about: string, question: string, weights: string, summary: string, reading: string,
 *                    training: Record<string, string | number>, measured: Record<string, number>}}} ModelEntry */
/** @typedef {"light" | "dark"} Theme */
/**
 * `text` is what stands in the box, `run` what is on the tape, which may lag behind it; `received` counts the run's
 * steps that have come. `invalid` is whether the text is what
 * the error is about. `step` counts from 1, `unit` from 0.
 * @typedef {{models: readonly ModelEntry[], model: string, text: string, run: Run, received: number,
 *            error: string, invalid: boolean, step: number, unit: number, playing: boolean, speed: number,
 *            theme: Theme}} State
 */

/**
 * @param {State} state
 * @param {Partial<State>} changes
 * @returns {State}
 */
function change(state, changes) {
  const same = Object.entries(changes).every(([key, value]) => state[/** @type {keyof State} */ (key)] === value);
  return same ? state : { ...state, ...changes };
}

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.max(low, Math.min(high, value));

/** The top layer, whose signals the tape shows. @param {State} state */
export const topLayer = (state) => state.run.layers[state.run.layers.length - 1];

/** @param {State} state @param {string} text */
export const write = (state, text) => change(state, { text, playing: false });

/** @param {State} state @param {string} model */
export function choose(state, model) {
  const entry = state.models.find(({ id }) => id === model);
  return entry && model !== state.model
    ? change(state, { model, text: entry.examples[0] ?? "", playing: false })
    : state;
}

/**
 * A new run has begun to arrive. The cursor stays where it is, at the end of the tape at the end; another model's run
 * is looked at from its start.
 * @param {State} state
 * @param {Run} run
 */
export function show(state, run) {
  const shown = { run, received: 0, error: "", invalid: false };
  if (state.run.model !== run.model) return change(state, { ...shown, step: 1, unit: 0 });
  const atEnd = state.step === state.run.T && state.run.T > 1;
  return change(state, { ...shown, step: atEnd ? run.T : within(state.step, 1, run.T) });
}

/**
 * A run broke off: what was shown before it is shown again.
 * @param {State} state
 * @param {State} before
 */
export const goBack = (state, { run, received, step, unit }) => change(state, { run, received, step, unit });

/** @param {State} state @param {number} received */
export const receive = (state, received) => change(state, { received });

/** @param {State} state @param {string} error @param {boolean} invalid whether the text is to blame */
export const fail = (state, error, invalid) => change(state, { error, invalid, playing: false });

/** @param {State} state @param {number} step */
export const goTo = (state, step) => change(state, { step: within(Math.round(step), 1, state.run.T) });

/** @param {State} state @param {number} unit */
export const lookAt = (state, unit) => change(state, { unit: within(unit, 0, topLayer(state).H - 1) });

/** Play from the start again when the end has been reached. @param {State} state */
export function play(state) {
  return change(state, { playing: true, step: state.step === state.run.T ? 1 : state.step });
}

/** @param {State} state */
export const pause = (state) => change(state, { playing: false });

/** One step of playing, as far as the run has come; the last one pauses. @param {State} state */
export function tick(state) {
  const step = Math.max(state.step, Math.min(state.step + 1, state.received));
  return change(state, { step, playing: step < state.run.T });
}

/** @param {State} state @param {number} speed steps a second */
export const setSpeed = (state, speed) => change(state, { speed });

/** @param {State} state @param {Theme} theme */
export const setTheme = (state, theme) => change(state, { theme });
