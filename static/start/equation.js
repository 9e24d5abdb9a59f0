/** The equation of the new memory, with its numbers. */

/** @import { Played } from "./game.js" */
import { newElement } from "../elements.js";
import { fixed } from "../run.js";

/** Show the equation at the last letter that has the visitor's gates. @param {HTMLElement} element @param {Played} run */
export function showEquation(element, { gates, h, candidate, decimals }) {
  const t = gates.length;
  const z = fixed(gates[t - 1].z);
  const [old, proposed] = [t > 1 ? h[t - 2] : 0, candidate[t - 1]].map((value) => inProduct(value, decimals));
  const [now, before, gate, next] = [symbol("h", t), symbol("h", t - 1), () => symbol("z", t), symbol("h̃", t)];
  element.replaceChildren(
    newElement("span", {}, [...now, " = (1 − ", ...gate(), ") · ", ...before, " + ", ...gate(), " · ", ...next]),
    newElement("span", `= (1 − ${z}) · ${old} + ${z} · ${proposed}`),
    newElement("span", `= ${fixed(h[t - 1], decimals)}`),
  );
}

/** Return the elements of a symbol with the subscript t. @param {string} name @param {number} t */
const symbol = (name, t) => [newElement("i", name), newElement("sub", String(t))];

/** Format a factor of a product. A negative number is in parentheses. @param {number} value @param {number} decimals */
const inProduct = (value, decimals) => (value < 0 ? `(${fixed(value, decimals)})` : fixed(value, decimals));
