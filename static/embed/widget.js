/** The figure in a notebook, as an anywidget module. anywidget calls `render` with an element and with the widget's state in Python. */

/** @import { Figure } from "./figure.js" */
import { unpacked } from "../base64.js";
import { define } from "./figure.js";

/**
 * The widget's state in Python. `page` is an exported page, as gzip in base64. `defaults` has the default values of a link's keys, which
 * links leave out.
 * @typedef {{get: (name: string) => any, set: (name: string, value: any) => void, save_changes: () => void,
 *            on: (event: string, listener: () => void) => void, off: (event: string, listener: () => void) => void}} Model
 */

/**
 * Show the figure in `el`, and keep the figure's link and the keys in `model` equal. Return a function that ends this connection.
 * @param {{model: Model, el: HTMLElement}} place
 */
export async function render({ model, el }) {
  define();
  const defaults = /** @type {Record<string, string | number>} */ (model.get("defaults"));
  const figure = /** @type {Figure} */ (document.createElement("gru-scope"));
  figure.page = await unpacked(model.get("page"));
  for (const name of ["height", "theme", "label"]) if (model.get(name)) figure.setAttribute(name, model.get(name));

  const keys = () =>
    Object.fromEntries(Object.keys(defaults).map((key) => [key, textOf(model.get(key), defaults[key])]));
  let waiting = false;
  let own = false; // notebooks also report changes from the figure itself, and by then the reader may have moved on
  function sendKeys() {
    if (own) return;
    if (!waiting) queueMicrotask(() => ((waiting = false), figure.set(keys())));
    waiting = true; // Python sends several changes at once
  }
  for (const key of Object.keys(defaults)) model.on(`change:${key}`, sendKeys);

  figure.addEventListener("change", () => {
    const link = new URLSearchParams(figure.link);
    const changed = Object.entries(defaults)
      .map(([key, usual]) => /** @type {const} */ ([key, valueOf(link.get(key), usual)]))
      .filter(([key, value]) => value !== model.get(key));
    own = true;
    for (const [key, value] of changed) model.set(key, value);
    own = false;
    if (changed.length) model.save_changes(); // marimo sends every save back, so a save without a change would repeat forever
  });
  figure.set(keys());
  el.append(figure);
  return () => {
    for (const key of Object.keys(defaults)) model.off(`change:${key}`, sendKeys);
  };
}

/**
 * Return a version of `render` for a page without Python. There, the model has only the keys that an author wrote; `state` has the
 * values of all other keys, and changes are not stored.
 * @param {Record<string, any>} state the state of the figure
 */
export function renderWith(state) {
  const ignore = () => {};
  const rest = { set: ignore, save_changes: ignore, on: ignore, off: ignore };
  return (/** @type {{model: Pick<Model, "get">, el: HTMLElement}} */ { model, el }) =>
    render({ model: { get: (name) => model.get(name) ?? state[name], ...rest }, el });
}

/** Format a value for a link; "" for a default value, which links leave out. @param {string | number} value @param {string | number} usual */
const textOf = (value, usual) => (value === usual ? "" : String(value));

/**
 * Parse a value of a link. If the link leaves it out, `text` is null, and the result is the default value `usual`.
 * @param {string | null} text @param {string | number} usual
 */
const valueOf = (text, usual) => (text === null ? usual : typeof usual === "number" ? Number(text) : text);
