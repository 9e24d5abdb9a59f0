/** The curves that a class drew, all in one picture. The network's curve and the curves that the teacher chooses are on top. */

/** @import { RoomQuestion } from "./question.js" */
/** @typedef {{id: string, values: number[]}} Sketch */
import { newElement, newSvg } from "../elements.js";
import { getJson } from "../server.js";
import { roomUrl } from "./requests.js";

/**
 * Fetch the curves that the class drew for the room's current question.
 * @param {string} code
 * @param {Record<string, string>} headers
 * @returns {Promise<Sketch[]>}
 */
export const fetchSketches = async (code, headers) => (await getJson(roomUrl(code, "sketches"), { headers })).sketches;

/**
 * Draw the curves of a class in one picture.
 * @param {RoomQuestion} question
 * @param {Sketch[]} sketches
 * @param {{picked?: string[], yours?: number[] | null, choose?: (id: string) => void}} [options] `picked` has the ids of the curves that
 *   the teacher chose, `yours` is the student's own curve, and a click on a curve calls `choose`
 */
export function drawSketches(question, sketches, { picked = question.picked ?? [], yours = null, choose } = {}) {
  const { low, high, start, steps, revealed } = question;
  const T = steps.length;
  const count = `${sketches.length} ${sketches.length === 1 ? "sketch" : "sketches"} of the class`;
  const svg = newSvg("svg", {
    viewBox: `${start} -0.04 ${T - start} 1.08`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${count} over timesteps ${start + 1} to ${T}`,
  });
  const pathOf = (/** @type {number[]} */ values) =>
    values.map((value, i) => `${i ? "L" : "M"}${start + i + 0.5} ${(high - value) / (high - low)}`).join("");
  /** @param {string} name @param {number[]} values @param {string} [id] */
  function add(name, values, id) {
    const path = newSvg("path", { class: name, d: pathOf(values) });
    if (id && choose) path.addEventListener("click", () => choose(id));
    svg.append(path);
  }
  for (const { id, values } of sketches) add("sketch", values, id);
  if (yours) add("yours", yours);
  const truth = revealed?.truth;
  if (Array.isArray(truth)) add("real", truth.slice(start));
  for (const { id, values } of sketches) if (picked.includes(id)) add("sketch picked", values, id);
  const tokens = steps.slice(start).map((token) => newElement("li", token));
  const thick = choose ? "the sketch that you look at" : "picked by the teacher";
  const parts = [
    `Thin: ${count}.`,
    truth && "Solid: the network.",
    yours && "Dashed: yours.",
    picked.length && `Thick: ${thick}.`,
  ];
  return newElement("figure", { className: `sketches${picked.length ? " some" : ""}` }, [
    svg,
    newElement("ol", { ariaHidden: "true" }, tokens),
    newElement("figcaption", { className: "note", textContent: parts.filter(Boolean).join(" ") }),
  ]);
}
