/** What the modules ask of a page as they are imported. */
import { readFileSync } from "node:fs";
import { parseEvents } from "../../static/events.js";

const { boot, run } = JSON.parse(readFileSync(process.env.PAGE ?? "", "utf8"));

globalThis.document = { querySelector: (/** @type {string} */ id) => (id === "#boot" ? { textContent: JSON.stringify(boot) } : null) };
globalThis.location = new URL("http://localhost/");

/** The page's first run as the server sends it. */
export const stream = run;

/** The events of the page's first run. */
export const events = parseEvents(run);
