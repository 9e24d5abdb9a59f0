/** Pictures with a pixel for each value: a row for each unit and a column for each timestep. The browser enlarges them. */

/** @import { Picture } from "./plot.js" */
/** @import { Scale } from "./theme.js" */
import { pngOf } from "./png.js";
import { colorAt } from "./theme.js";

const SHADES = 1024; // enough that no color channel differs from Plotly's by more than 1 of 255

/** The computed shades of each color scale: the red, green, blue and alpha of each shade. @type {WeakMap<Scale, Uint8ClampedArray>} */
const known = new WeakMap();

/** @param {Scale} scale */
function shadesOf(scale) {
  const before = known.get(scale);
  if (before) return before;
  const shades = new Uint8ClampedArray(4 * SHADES).fill(255);
  for (let i = 0; i < SHADES; i++) shades.set(colorAt(scale, i / (SHADES - 1)), 4 * i);
  known.set(scale, shades);
  return shades;
}

/**
 * Write the values as pixels: red, green, blue and alpha. A value that has not arrived, NaN, is transparent.
 * @param {Uint8ClampedArray} data with 4 bytes for each value, all 0
 * @param {readonly ArrayLike<number>[]} rows
 * @param {Picture} picture with the colors
 */
function fill(data, rows, { colorscale, zmin, zmax }) {
  const [width, height] = [rows[0].length, rows.length];
  const pixels = new Uint32Array(data.buffer);
  const shades = new Uint32Array(shadesOf(colorscale).buffer);
  const factor = (SHADES - 1) / (zmax - zmin);
  for (let y = 0; y < height; y++) {
    const row = rows[y];
    for (let x = 0; x < width; x++) {
      const shade = Math.round((row[x] - zmin) * factor);
      if (shade === shade) pixels[y * width + x] = shades[Math.max(0, Math.min(SHADES - 1, shade))];
    }
  }
}

/**
 * Paint the values on a canvas, and set the canvas size to one pixel for each value.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly ArrayLike<number>[]} rows
 * @param {Picture} picture with the colors
 */
export function paintPixels(canvas, rows, picture) {
  const [width, height] = [rows[0].length, rows.length];
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const image = context.createImageData(width, height);
  fill(image.data, rows, picture);
  context.putImageData(image, 0, 0);
}

/**
 * Return the picture of the values as the data: address of a PNG file.
 * @param {readonly ArrayLike<number>[]} rows @param {Picture} picture with the colors
 */
export function pictureAddress(rows, picture) {
  const [width, height] = [rows[0].length, rows.length];
  const data = new Uint8ClampedArray(4 * width * height);
  fill(data, rows, picture);
  const small = pngOf(data, width, height);
  if (small) return small;
  const canvas = document.createElement("canvas");
  paintPixels(canvas, rows, picture);
  return canvas.toDataURL();
}
