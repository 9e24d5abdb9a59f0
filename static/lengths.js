/** The curve on the card of a model that processes words: the share of words without an error, by number of letters. */

import { newElement } from "./elements.js";

const NAME = /^accuracy on whole words of (\d+) letters$/;
const [STEP, TOP, HEIGHT] = [38, 18, 60]; // in the SVG: the distance between two points, and the top and the height of the curve

/** Return whether the number with the name `name` on the card belongs to the curve. @param {string} name */
export const isOfLength = (name) => NAME.test(name);

/**
 * Return a section with the curve, or null if the card has no numbers for the curve.
 * @param {Record<string, number>} measured the numbers on the card, by name @returns {HTMLElement | null}
 */
export function lengthCurve(measured) {
  const points = Object.entries(measured).flatMap(([name, share]) => {
    const letters = NAME.exec(name)?.[1];
    return letters ? [{ letters, share, percent: `${Number((100 * share).toPrecision(3))}%` }] : [];
  });
  if (points.length === 0) return null;
  const x = (/** @type {number} */ i) => STEP * (i + 0.5);
  const y = (/** @type {number} */ share) => TOP + HEIGHT * (1 - share);
  const [width, bottom] = [STEP * points.length, TOP + HEIGHT];
  const section = newElement("section", { className: "lengths" }, [newElement("h2", "Words without an error")]);
  const values = points.map(({ letters, percent }) => `${letters} letters ${percent}`).join(", ");
  section.insertAdjacentHTML(
    "beforeend",
    `<svg role="img" aria-label="Share of words without an error: ${values}" viewBox="0 0 ${width} ${bottom + 30}" width="${width}">
      <path class="axis" d="M0 ${bottom}H${width}"/>
      <path class="curve" d="M${points.map(({ share }, i) => `${x(i)} ${y(share).toFixed(1)}`).join("L")}"/>
      ${points.map(({ letters, share, percent }, i) => `<circle cx="${x(i)}" cy="${y(share).toFixed(1)}" r="3"/><text x="${x(i)}" y="${(y(share) - 7).toFixed(1)}">${percent}</text><text x="${x(i)}" y="${bottom + 14}">${letters}</text>`).join("")}
      <text class="unit" x="${width / 2}" y="${bottom + 28}">letters</text></svg>`,
  );
  return section;
}
