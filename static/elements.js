/** Elements and what is written in them. */

/**
 * Say something in an element. What it says already is left alone, so that nothing is announced or laid out anew.
 * @param {Element} element @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} tag @param {string} textContent */
export const newElement = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });

/**
 * A row of a table.
 * @param {string[]} texts
 * @param {"row" | "col"} [heads] what is a head: the first of them, for the row, or every one, for its column
 */
export function newRow(texts, heads = "row") {
  const row = document.createElement("tr");
  const head = (/** @type {string} */ text) => Object.assign(newElement("th", text), { scope: heads });
  row.append(...texts.map((text, i) => (heads === "col" || i === 0 ? head(text) : newElement("td", text))));
  return row;
}

/**
 * Give a list as many children as are wanted; those that stay are left as they are.
 * @param {Element} list @param {number} length
 * @param {() => Element} [make]
 */
export function fit(list, length, make = () => document.createElement("li")) {
  while (list.childElementCount > length) list.lastElementChild?.remove();
  while (list.childElementCount < length) list.append(make());
}
