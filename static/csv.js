/** Tables as comma-separated values (CSV). */

/** Quote a text that would otherwise not be one value. @param {string} text */
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Write a table as CSV. @param {string[][]} lines */
export const csvOf = (lines) => lines.map((line) => `${line.map(quoted).join(",")}\n`).join("");
