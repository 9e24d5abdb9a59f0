/** Small things that every view does with elements. */

/**
 * Set the text of an element. An element that has this text already is not touched: it is neither announced nor laid out again.
 * @param {Element} element @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make a function that finds an element of `root` by its selector. @param {ParentNode} root */
export const finder = (root) => (/** @type {string} */ selector) =>
  /** @type {HTMLElement} */ (root.querySelector(selector));

/** Find all elements of `root` by a selector. @param {ParentNode} root @param {string} selector */
export const findAll = (root, selector) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(selector)]);

/**
 * Mount radio buttons as one choice.
 * @param {ParentNode} root @param {string} selector of the buttons
 * @param {(value: any) => void} choose is called with the value that the visitor chooses
 * @returns {(value: string) => void} shows a value
 */
export function mountChoice(root, selector, choose) {
  const inputs = /** @type {HTMLInputElement[]} */ (findAll(root, selector));
  for (const input of inputs) input.addEventListener("change", () => choose(input.value));
  return (value) => inputs.forEach((input) => (input.checked = input.value === value));
}

/**
 * Create an element.
 * @param {string} tag
 * @param {string | object} [content] its text, or its properties
 * @param {(Node | string)[]} [children]
 */
export function newElement(tag, content = {}, children = []) {
  const properties = typeof content === "string" ? { textContent: content } : content;
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Create a button that does something. @param {string} text @param {() => void} action @param {object} [properties] */
export function newButton(text, action, properties = {}) {
  const button = newElement("button", { type: "button", textContent: text, ...properties });
  button.addEventListener("click", action);
  return button;
}

/**
 * Create a table row.
 * @param {string[]} texts
 * @param {"row" | "col"} [heads] "row": the first cell is a heading; "col": every cell is one
 */
export const newRow = (texts, heads = "row") =>
  /** @type {HTMLTableRowElement} */ (
    newElement(
      "tr",
      {},
      texts.map((text, i) =>
        heads === "col" || i === 0 ? newElement("th", { textContent: text, scope: heads }) : newElement("td", text),
      ),
    )
  );

/**
 * Do some work; if it fails, write why into an element. Return whether it succeeded.
 * @param {Element} element @param {() => Promise<unknown>} work
 */
export async function attempt(element, work) {
  element.textContent = "";
  try {
    await work();
    return true;
  } catch (error) {
    element.textContent = /** @type {Error} */ (error).message;
    return false;
  }
}

/** End a message with a period, so that another sentence can follow. @param {string} message */
export const withPeriod = (message) => (/[.?!…]$/.test(message) ? message : `${message}.`);

/**
 * Make a sentence of a server's message: with a capital, unless it starts with a symbol such as z or h_tilde, and with a
 * period, unless it ends with lines of code.
 * @param {string} message
 */
export function sentence(message) {
  const capital = /^(a|[a-z]{2,})[ :,]/.test(message) ? message[0].toUpperCase() + message.slice(1) : message;
  return message.includes("\n") ? capital : withPeriod(capital);
}

/** Call a function with an element's size in whole pixels, now and whenever it changes. @param {Element} element @param {(width: number, height: number) => void} receive */
export const observeSize = (element, receive) =>
  new ResizeObserver(([{ contentRect }]) =>
    receive(Math.round(contentRect.width), Math.round(contentRect.height)),
  ).observe(element);

/**
 * Give a list a number of children, by removing from its end or adding there.
 * @param {Element} list @param {number} length
 * @param {() => Element} [create]
 */
export function setLength(list, length, create = () => document.createElement("li")) {
  while (list.childElementCount > length) list.lastElementChild?.remove();
  while (list.childElementCount < length) list.append(create());
}
