/**
 * A store of the view state. Its listeners are called at most once per frame, even after several changes. `flush` calls them at
 * once, so that a change need not wait for the next frame.
 */

/** @import { State } from "./state.js" */
/**
 * @template S
 * @typedef {{get: () => S, update: <A extends unknown[]>(transition: (state: S, ...args: A) => S, ...args: A) => void,
 *            flush: () => void, subscribe: (listener: (state: S) => void) => void}} StoreOf
 */
/** @typedef {StoreOf<State>} Store */
/** @typedef {Store["update"]} Update */

/**
 * Create a store.
 * @template S
 * @param {S} initial
 * @returns {StoreOf<S>}
 */
export function createStore(initial) {
  let state = initial;
  let waiting = 0;
  let notified = initial;
  let [ended, took] = [-Infinity, 0]; // when the listeners were last called, and for how long: ms
  /** @type {((state: S) => void)[]} */
  const listeners = [];

  function notify() {
    cancelAnimationFrame(waiting);
    waiting = 0;
    if (notified === state) return;
    const isFirst = notified === initial;
    notified = state;
    const began = performance.now();
    for (const listener of listeners) listener(state);
    if (isFirst) return; // the first call draws the whole page, and its long duration must not delay later calls
    ended = performance.now();
    took = ended - began;
  }

  return {
    get: () => state,
    update(transition, ...args) {
      const next = transition(state, ...args);
      if (next === state) return;
      state = next;
      waiting ||= requestAnimationFrame(notify);
    },
    flush() {
      // Call the listeners at most once per frame, and let them take at most half of the time.
      if (performance.now() - ended < Math.max(16, took)) return;
      notify();
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}

/**
 * Create a function that returns whether its arguments differ from the arguments of the previous call. A listener can use the
 * function to skip work if nothing changed.
 */
export function createGuard() {
  /** @type {unknown[] | null} */
  let last = null;
  return (/** @type {unknown[]} */ ...parts) => {
    const isNew = !last || parts.length !== last.length || parts.some((part, i) => part !== last?.[i]);
    last = parts;
    return isNew;
  };
}
