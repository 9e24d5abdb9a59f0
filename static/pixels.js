/** Pictures with a pixel for each value: a row for each unit and a column for each timestep. The browser enlarges them. */

/** @import { Picture } from "./plot.js" */
/** @import { Scale } from "./theme.js" */
import { colourAt } from "./theme.js";

const SHADES = 1024; // so many that no color differs by more than 1 in 255 from Plotly's

/** The shades of each scale: a pixel's red, green, blue and alpha. @type {WeakMap<Scale, Uint8ClampedArray>} */
const known = new WeakMap();

/** @param {Scale} scale */
function shadesOf(scale) {
  const before = known.get(scale);
  if (before) return before;
  const shades = new Uint8ClampedArray(4 * SHADES).fill(255);
  for (let i = 0; i < SHADES; i++) shades.set(colourAt(scale, i / (SHADES - 1)), 4 * i);
  known.set(scale, shades);
  return shades;
}

/**
 * Paint the values into a canvas, which gets their size. A value that has not arrived, NaN, is transparent.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly ArrayLike<number>[]} rows
 * @param {Picture} picture with the colors
 */
export function paintPixels(canvas, rows, { colorscale, zmin, zmax }) {
  const [width, height] = [rows[0].length, rows.length];
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const shades = new Uint32Array(shadesOf(colorscale).buffer);
  const factor = (SHADES - 1) / (zmax - zmin);
  for (let y = 0; y < height; y++) {
    const row = rows[y];
    for (let x = 0; x < width; x++) {
      const shade = Math.round((row[x] - zmin) * factor);
      if (shade === shade) pixels[y * width + x] = shades[Math.max(0, Math.min(SHADES - 1, shade))];
    }
  }
  context.putImageData(image, 0, 0);
}
