/** Small functions for DOM elements, which all views use. */

/**
 * Set the text of an element. If the element already has this text, do nothing, so that screen readers do not announce it again and
 * the browser does not lay it out again.
 * @param {Node} element @param {string} text
 */
export function setText(element, text) {
  if (element.textContent === text) return;
  const [node, ...others] = element.childNodes;
  // A new node would make the browser check every CSS rule with :has(), which takes longer than all other work on the text.
  if (text && node instanceof Text && others.length === 0) node.data = text;
  else element.textContent = text;
}

/** A pattern that matches a value with its name, such as "z = 0.02". */
const VALUE = /(\S+ = \S+)/;

/**
 * Set the text of an element like `setText`, without line breaks between a value and its name. If the new text has as many values
 * as the old text, keep the nodes and change only their text.
 * @param {Element} element @param {string} text
 */
export function setSentence(element, text) {
  if (element.textContent === text) return;
  const parts = text.split(VALUE);
  if (parts.length === element.childNodes.length) parts.forEach((part, i) => setText(element.childNodes[i], part));
  else
    element.replaceChildren(
      ...parts.map((part, i) => (i % 2 ? newElement("span", { textContent: part, className: "whole" }) : part)),
    );
}

/** Reset form fields to their default values in the page's HTML. @param {(HTMLInputElement | HTMLSelectElement)[]} fields */
export function resetFields(fields) {
  for (const field of fields)
    if (field instanceof HTMLInputElement) field.checked = field.defaultChecked;
    else for (const option of field.options) option.selected = option.defaultSelected;
}

/**
 * Open a form when the visitor presses `opener`, and close the form when they press the form's Close button. Closing moves the focus
 * back to `opener`.
 * @param {HTMLElement} opener @param {HTMLFormElement} form @param {() => void} open @param {() => void} close
 */
export function mountFold(opener, form, open, close) {
  opener.addEventListener("click", () => {
    form.hidden = false;
    open();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("[data-do=close]")?.addEventListener("click", () => {
    close();
    opener.hidden = false; // a hidden button takes no focus
    opener.focus();
  });
}

/** Return a function that finds an element in `root` by a CSS selector. @param {ParentNode} root */
export const finder = (root) => (/** @type {string} */ selector) =>
  /** @type {HTMLElement} */ (root.querySelector(selector));

/** Return all elements in `root` that match a CSS selector. @param {ParentNode} root @param {string} selector */
export const findAll = (root, selector) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(selector)]);

/**
 * Mount a group of radio buttons.
 * @param {ParentNode} root @param {string} selector of the buttons
 * @param {(value: any) => void} choose called with the value that the visitor chooses
 * @returns {(value: string) => void} a function that selects the button with a value
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

/** Create an SVG element. @param {string} tag @param {Record<string, string | number>} [attributes] */
export function newSvg(tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** Create a button. A press calls `action`. @param {string} text @param {() => void} action @param {object} [properties] */
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
 * Run some work. If it fails, write the reason into an element. Return whether the work succeeded.
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
 * Turn a server's message into a sentence. Capitalize the first letter, unless the message starts with a symbol such as z or
 * h_tilde. Add a period, unless the message ends with lines of code.
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
 * Set the number of children of a list: append new children, or remove the last ones.
 * @param {Element} list @param {number} length
 * @param {() => Element} [create]
 */
export function setLength(list, length, create = () => document.createElement("li")) {
  // Read only once, because the browser counts the children again after each change.
  const count = list.childElementCount;
  for (let i = count; i > length; i--) list.lastElementChild?.remove();
  for (let i = count; i < length; i++) list.append(create());
}
