/** The theme of the page around a figure, detected from the background, because sites have different theme switches. */

/** @import { Color } from "../theme.js" */
import { wantsWhite } from "../theme.js";

/**
 * Return the theme of the page behind an element: dark if white text is easier to read than black text on the background.
 * @param {Element} element
 * @returns {"light" | "dark"}
 */
export function themeBehind(element) {
  for (let at = /** @type {Element | null} */ (element); at; at = parentOf(at)) {
    const [red, green, blue, alpha] = channels(getComputedStyle(at).backgroundColor);
    if (alpha > 127) return wantsWhite(/** @type {Color} */ ([red, green, blue])) ? "dark" : "light";
  }
  // No element has a background, so the browser's default background shows. It is dark only if the page supports a dark color scheme.
  const { colorScheme } = getComputedStyle(document.documentElement);
  const isDark = !colorScheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches;
  return colorScheme.includes("dark") && isDark ? "dark" : "light";
}

/** @param {Element} element */
const parentOf = ({ parentElement, parentNode }) =>
  parentElement ?? (parentNode instanceof ShadowRoot ? parentNode.host : null);

/** Return the red, green, blue and alpha of a color in any notation, each from 0 to 255. @param {string} color */
function channels(color) {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (!context) return [255, 255, 255, 0];
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

/**
 * Call a function whenever the theme may have changed: the page changed an attribute of its root or body, a transition of colors
 * has ended, a style sheet has arrived, or the system changed its setting.
 * @param {() => void} listener
 * @param {AbortSignal} signal
 */
export function watchTheme(listener, signal) {
  const observer = new MutationObserver(listener);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  signal.addEventListener("abort", () => observer.disconnect());
  for (const event of ["transitionend", "load"]) document.addEventListener(event, listener, { capture: true, signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener, { signal });
}
