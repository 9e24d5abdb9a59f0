/** What the modules ask of a page as they are imported. */
import { readFileSync } from "node:fs";

const { boot, run } = JSON.parse(readFileSync(process.env.PAGE ?? "", "utf8"));

globalThis.document = { querySelector: (/** @type {string} */ id) => (id === "#boot" ? { textContent: JSON.stringify(boot) } : null) };

/** The events of the page's first run. */
export const events = run
  .trim()
  .split("\n\n")
  .map((block) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? "null"));
