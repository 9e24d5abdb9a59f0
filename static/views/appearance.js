/** Light or dark: as the system has it, until the button says otherwise. */

/** @import { Store } from "../store.js" */
import { setTheme } from "../state.js";
import { currentTheme, switchTheme } from "../theme.js";

/**
 * @param {HTMLElement} button
 * @param {Store} store
 */
export function mountAppearance(button, store) {
  button.addEventListener("click", () => store.update(setTheme, switchTheme()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => store.update(setTheme, currentTheme()));
}
