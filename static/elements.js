/** Small things that every view does with elements. */

/**
 * Set an element's text. An element that says it already is not touched: it is neither announced nor laid out again.
 * @param {Element} element @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make a function that finds an element of `root` by its selector. @param {ParentNode} root */
export const finder = (root) => (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));

/** @param {string} tag @param {string} textContent */
export const newElement = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });

/**
 * A table row of some texts.
 * @param {string[]} texts
 * @param {"row" | "col"} [heads] "row": the first cell is a heading; "col": every cell is
 */
export function newRow(texts, heads = "row") {
  const row = document.createElement("tr");
  const head = (/** @type {string} */ text) => Object.assign(newElement("th", text), { scope: heads });
  row.append(...texts.map((text, i) => (heads === "col" || i === 0 ? head(text) : newElement("td", text))));
  return row;
}

/** A message with a period, so that another sentence can follow it. @param {string} message */
export const ended = (message) => (/[.?!…]$/.test(message) ? message : `${message}.`);

/**
 * A server's message as a sentence: with a capital, unless it starts with a symbol such as z or h_tilde, and with a
 * period, unless it ends with lines of code.
 * @param {string} message
 */
export function sentence(message) {
  const capital = /^(a|[a-z]{2,})[ :,]/.test(message) ? message[0].toUpperCase() + message.slice(1) : message;
  return message.includes("\n") ? capital : ended(capital);
}

/**
 * Give a list so many children, by removing from its end or adding there.
 * @param {Element} list @param {number} length
 * @param {() => Element} [make]
 */
export function fit(list, length, make = () => document.createElement("li")) {
  while (list.childElementCount > length) list.lastElementChild?.remove();
  while (list.childElementCount < length) list.append(make());
}
