/** A stand-in for the browser page. Modules read the page when they are imported. tests/unit/__main__.py provides the data. */
import { readFileSync } from "node:fs";
import { parseEvents } from "../../static/events.js";

const { boot, run, drawn, engine, random, refused } = JSON.parse(readFileSync(process.env.PAGE ?? "", "utf8"));

globalThis.document = {
  querySelector: (/** @type {string} */ id) => (id === "#boot" ? { textContent: JSON.stringify(boot) } : null),
};
globalThis.location = new URL("http://localhost/");

/** Random runs with clamps, each with the server's answers: see drawn.py. */
export const drawnData = drawn;

/** Random scenarios of random models, each with the core's answers: see engine_cases.py. */
export const engineCases = engine;

/** The first random numbers of NumPy for each seed. @type {Record<string, number[]>} */
export const randomOf = random;

/** Scenarios with a mistake, each with the server's error message. */
export const refusedCases = refused;

/** The text of the event stream in which the server sends the page's first run. */
export const stream = run;

/** The parsed events of the page's first run. */
export const events = parseEvents(run);
