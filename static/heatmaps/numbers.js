/** The numbers in the cells of a heatmap: black or white, whichever is easier to read on the cell's color. */

/** @import { Filled, Place } from "../plot.js" */
import { setLength, setText } from "../elements.js";
import { fixed } from "../run.js";
import { colorAt, wantsWhite } from "../theme.js";

const MOST_NUMBERS = 128; // cells of one heatmap: writing more would take longer than drawing the pictures
const ROOM_FOR_NUMBER = { width: 3.1, height: 1.17 }; // em: “−0.90” in a wide font

/**
 * Write the numbers of a heatmap into `values` if they fit; otherwise leave `values` empty.
 * @param {HTMLElement} values
 * @param {Filled} picture
 * @param {{T: number, columns: number}} run
 * @param {Place} place of the picture
 */
export function writeNumbers(values, { z, colorscale, zmin, zmax }, { T, columns }, { width, height, font }) {
  const few = z.length * T <= MOST_NUMBERS;
  const fit = width / columns >= ROOM_FOR_NUMBER.width * font && height / z.length >= ROOM_FOR_NUMBER.height * font;
  const count = few && fit ? z.length * T : 0;
  setLength(values, count, () => document.createElement("span"));
  for (let i = 0; i < count; i++) {
    const [unit, column] = [Math.floor(i / T), i % T];
    const cell = /** @type {HTMLElement} */ (values.children[i]);
    const value = z[unit][column];
    setText(cell, fixed(value));
    const color = colorAt(colorscale, (value - zmin) / (zmax - zmin));
    const ink = wantsWhite(color) ? "on-dark" : "on-light";
    if (cell.className !== ink) cell.className = ink;
  }
}
