/** The line from A to B: the memory, the candidate, the way between them, and the arrow that r turns up. */

import { finder } from "../elements.js";

const HALF = 100; // the distance from 0 to an end, in units of the picture

/**
 * Mount the line. `show` places the memory on the way from the old state to the candidate, at the fraction z.
 * @param {HTMLElement} svg
 * @returns {{show: (before: number, candidate: number, gates: {z: number, r: number}) => void}}
 */
export function mountLine(svg) {
  const find = finder(svg);
  const way = /** @type {SVGPathElement} */ (/** @type {unknown} */ (find(".way")));
  const place = (/** @type {string} */ part, /** @type {number} */ x) =>
    find(part).setAttribute("transform", `translate(${x.toFixed(2)} 0)`);
  return {
    show(before, candidate, { z, r }) {
      const [from, to] = [before * HALF, candidate * HALF];
      way.setAttribute("d", `M${from} 0H${to}`);
      place(".ghost", to);
      place(".memory", way.getPointAtLength(z * way.getTotalLength()).x);
      const sees = find(".sees");
      sees.setAttribute("d", `M${from} 9Q${(from + to) / 2} ${18 + Math.abs(to - from) / 8} ${to} 11`);
      sees.style.opacity = String(r);
    },
  };
}
