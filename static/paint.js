/** Work that can wait until the page has been painted, so that an edit is on the screen earlier. */

/** @import { Store } from "./store.js" */

/** Wait until the page has been painted, which takes two frames. */
export const afterPaint = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/**
 * Make a function that does some work after the next paint; of several calls before that paint, only the last one counts. The first
 * call does the work at once, because the first paint of the page needs it.
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
 * Return a store that calls its listeners after the next paint while `place` is out of sight, and at once otherwise.
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
