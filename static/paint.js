/** Delay work until the page has been painted, so that an edit appears on the screen earlier. */

/** @import { Store } from "./store.js" */

/** Wait until the page has been painted, which takes two frames. */
export const afterPaint = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/**
 * Return a function that calls `work` after the next paint. After several calls before a paint, `work` runs once, with the latest
 * state. The first call runs `work` at once, because the first paint of the page needs the result.
 * @template S
 * @param {(state: S) => void} work
 * @returns {(state: S) => void}
 */
export function deferred(work) {
  let isFirst = true;
  /** @type {{state: S} | null} */
  let waiting = null;

  function run() {
    const call = waiting;
    waiting = null;
    if (call) work(call.state);
  }

  return (state) => {
    if (!waiting && !isFirst) afterPaint().then(run);
    waiting = { state };
    if (isFirst) run();
    isFirst = false;
  };
}

/**
 * Return a store that calls its listeners at once while `place` is in sight, and after the next paint while it is out of sight.
 * @param {Store} store @param {Element} place
 * @returns {Store}
 */
export function seenFirst(store, place) {
  let isSeen = true;
  new IntersectionObserver((entries) => (isSeen = entries[entries.length - 1].isIntersecting)).observe(place);
  return {
    ...store,
    subscribe(listener) {
      const listenLater = deferred(() => listener(store.get()));
      store.subscribe((state) => (isSeen ? listener(state) : listenLater(state)));
    },
  };
}
