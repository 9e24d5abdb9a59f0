/** The page that the modules read when they are imported, with the data of tests/unit/__main__.py. */
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

/** The first random numbers of NumPy by their seed. @type {Record<string, number[]>} */
export const randomOf = random;

/** Scenarios with a mistake, each with the server's message. */
export const refusedCases = refused;

/** The first run of the page as the server sends it. */
export const stream = run;

/** The events of this run. */
export const events = parseEvents(run);
