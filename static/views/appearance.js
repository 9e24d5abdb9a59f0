/**
 * The button that switches between the light and the dark theme. Until the visitor presses it, the page follows the system's setting.
 * A page in a frame also follows the theme of the page around the frame.
 */

/** @import { Store } from "../store.js" */
import { followTheme } from "../host.js";
import { setTheme } from "../state.js";
import { currentTheme, switchTheme } from "../theme.js";

/**
 * Mount the button that switches the theme.
 * @param {HTMLElement} button
 * @param {Store} store
 */
export function mountAppearance(button, store) {
  button.addEventListener("click", () => store.update(setTheme, switchTheme()));
  followTheme((theme) => store.update(setTheme, theme));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => store.update(setTheme, currentTheme()));
}
