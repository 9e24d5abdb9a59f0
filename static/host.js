/**
 * The messages between this page and the page that embeds it. Each message has the type "gruscope". This page sends its height and
 * the link to its view. The embedding page sends a theme and links to show; its code is in static/embed/figure.js.
 */

/**
 * A page that can show links. `address` returns the query of its view. `busy` returns whether a link is being loaded.
 * @typedef {{show: (query: string, upto: number | null) => void, address: () => string, subscribe: (listener: () => void) => void, busy?: () => boolean}} Figure
 */

/** @param {{height?: number, link?: string, ready?: boolean}} message */
const send = (message) => parent.postMessage({ type: "gruscope", ...message }, "*");

/** Call `listener` with each message from the embedding page. @param {(message: {theme?: unknown, link?: unknown}) => void} listener */
function receive(listener) {
  addEventListener("message", ({ data, source }) => {
    if (parent !== window && source === parent && data?.type === "gruscope") listener(data);
  });
}

/** Send this page's height to the embedding page, now and after each change. */
export function announceHeight() {
  if (parent === window) return;
  const announce = () => send({ height: document.documentElement.offsetHeight });
  announce(); // an observer waits for a paint, and browsers do not paint frames that are out of sight
  new ResizeObserver(announce).observe(document.documentElement);
}

/** Apply each theme that the embedding page sends. @param {(theme: "light" | "dark") => void} [changed] */
export function followTheme(changed) {
  receive(({ theme }) => {
    if (theme !== "light" && theme !== "dark") return;
    document.documentElement.dataset.theme = theme;
    changed?.(theme);
  });
}

/** Show each link that the embedding page sends, and report the link to this page's view whenever the view changes. @param {Figure} figure */
export function followLinks({ show, address, subscribe, busy }) {
  if (parent === window) return;
  /** @type {string | null} The link in the latest report. It is reset to null when a link arrives, so that each link gets a report. */
  let reported = null;
  let ready = true;
  receive(({ link }) => {
    if (typeof link !== "string") return;
    reported = null;
    if (link === address()) report();
    else show(link, null);
  });
  const report = () => {
    const link = address();
    if (busy?.() || link === reported) return;
    send({ link, ready });
    reported = link;
    ready = false;
  };
  subscribe(report);
  report();
}
