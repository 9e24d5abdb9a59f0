/**
 * The messages between this page and the page that embeds it. Each has the type "gruscope". This page sends its height, and the link
 * to its view; the other page sends a theme, and links to show. static/embed/figure.js is the other side.
 */

/** @typedef {{show: (query: string, upto: number | null) => void, address: () => string, subscribe: (listener: () => void) => void, busy?: () => boolean}} Figure */

/** @param {{height?: number, link?: string, ready?: boolean}} message */
const send = (message) => parent.postMessage({ type: "gruscope", ...message }, "*");

/** Call a function with each message of the page around this one. @param {(message: {theme?: unknown, link?: unknown}) => void} listener */
function receive(listener) {
  addEventListener("message", ({ data, source }) => {
    if (parent !== window && source === parent && data?.type === "gruscope") listener(data);
  });
}

/** Report the height that this page needs to the page that embeds it. */
export function announceHeight() {
  if (parent === window) return;
  const announce = () => send({ height: document.documentElement.offsetHeight });
  announce(); // browsers paint no frame that is out of sight, and an observer waits for that
  new ResizeObserver(announce).observe(document.documentElement);
}

/** Take over each theme that the page around this one sends. @param {(theme: "light" | "dark") => void} [changed] */
export function followTheme(changed) {
  receive(({ theme }) => {
    if (theme !== "light" && theme !== "dark") return;
    document.documentElement.dataset.theme = theme;
    changed?.(theme);
  });
}

/** Show each link that the page around this one sends, and report the link to the view whenever it changes. @param {Figure} figure */
export function followLinks({ show, address, subscribe, busy }) {
  if (parent === window) return;
  /** @type {string | null} The link in the latest report. Every link that was received gets a report, also one that cannot be shown. */
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
