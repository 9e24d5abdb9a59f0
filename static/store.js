/** One place for the state; what depends on it is told once a frame, however often it changed. */

/** @import { State } from "./state.js" */
/** @typedef {<A extends unknown[]>(transition: (state: State, ...args: A) => State, ...args: A) => void} Update */
/** @typedef {{get: () => State, update: Update, subscribe: (listener: (state: State) => void) => void}} Store */

/**
 * @param {State} initial
 * @returns {Store}
 */
export function createStore(initial) {
  let state = initial;
  let waiting = false;
  /** @type {((state: State) => void)[]} */
  const listeners = [];

  function flush() {
    waiting = false;
    for (const listener of listeners) listener(state);
  }

  return {
    get: () => state,
    update(transition, ...args) {
      const next = transition(state, ...args);
      if (next === state) return;
      state = next;
      if (!waiting) requestAnimationFrame(flush);
      waiting = true;
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
