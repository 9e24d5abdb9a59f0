/** Light or dark: as the system has it, until the button says otherwise. */

/** @import { Store } from "../store.js" */
import { setTheme } from "../state.js";
import { currentTheme } from "../theme.js";

/**
 * @param {HTMLElement} button
 * @param {Store} store
 */
export function mountAppearance(button, store) {
  button.addEventListener("click", () => {
    const theme = store.get().theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage can be forbidden; the choice then lasts as long as the page.
    }
    store.update(setTheme, theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => store.update(setTheme, currentTheme()));
}
