/** The light or dark theme of a page that has no other state. */

import { createStore } from "../store.js";
import { currentTheme } from "../theme.js";
import { mountAppearance } from "../views/appearance.js";

/** Mount the button that switches the theme. @param {HTMLElement} button */
export function mountTheme(button) {
  mountAppearance(button, /** @type {any} */ (createStore({ theme: currentTheme() })));
}
