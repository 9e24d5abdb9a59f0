import assert from "node:assert/strict";
import test from "node:test";
import { wantsWhite } from "../../static/theme.js";

/** Return the relative luminance of a color (WCAG 2.2). @param {readonly number[]} color */
function luminance(color) {
  const [r, g, b] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("the number in a cell of any color has a contrast of 4.5", () => {
  const levels = [0, 51, 102, 153, 204, 255];
  for (const r of levels)
    for (const g of levels)
      for (const b of levels) {
        /** @type {[number, number, number]} */
        const cell = [r, g, b];
        const [low, high] = [luminance(cell), wantsWhite(cell) ? 1 : 0].sort((a, b) => a - b);
        assert.ok((high + 0.05) / (low + 0.05) >= 4.5, `${cell}`);
      }
});
