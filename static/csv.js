/** Tables as comma-separated values (CSV). */

/** Quote `text` if it contains a quotation mark, a comma or a line break. @param {string} text */
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Return a table as CSV, one line for each row. @param {string[][]} lines */
export const csvOf = (lines) => lines.map((line) => `${line.map(quoted).join(",")}\n`).join("");
