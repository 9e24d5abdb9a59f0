/** The theme of the page, and the colors of values, from the color scales in Python's figures. */

import { writeStored } from "./storage.js";

/** @typedef {[number, number, number]} Color */
/** @typedef {[number, string][]} Scale places from 0 to 1, each with its color as #rrggbb */

/** @param {string} hex */
const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/**
 * Return the color at a place on a scale, interpolated between the nearest two colors in the same way as in Plotly.
 * @param {Scale} scale
 * @param {number} place from 0 to 1
 * @returns {Color}
 */
export function colorAt(scale, place) {
  const clamped = Math.max(0, Math.min(1, place));
  const after = Math.max(
    1,
    scale.findIndex(([at]) => at >= clamped),
  );
  const [[low, from], [high, to]] = [scale[after - 1], scale[after]];
  const share = (clamped - low) / (high - low);
  const [a, b] = [channels(from), channels(to)];
  return /** @type {Color} */ (a.map((value, i) => Math.round(value + share * (b[i] - value))));
}

/**
 * Return whether white text is easier to read than black text on a color (WCAG 2 relative luminance).
 * @param {Color} color
 */
export function wantsWhite(color) {
  const [r, g, b] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  // At this luminance the contrasts with white and with black are equal.
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
}

/** Switch between light and dark, on this page and on all pages that the visitor opens later. Return the new theme. */
export function switchTheme() {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  writeStored("theme", theme);
  return theme;
}

/** Return the current theme of the page. @returns {"light" | "dark"} */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
