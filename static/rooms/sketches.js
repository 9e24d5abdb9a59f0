/** What a class has drawn: all curves over one another, the network's own on top, and those that the teacher picks. */

/** @import { Asked } from "./question.js" */
/** @typedef {{id: string, values: number[]}} Sketch */
import { request, roomAt } from "../api.js";
import { made } from "./question.js";

const SVG = "http://www.w3.org/2000/svg";

/** The class's sketches of the question that a room shows. @param {string} code @param {Record<string, string>} headers @returns {Promise<Sketch[]>} */
export const fetchSketches = async (code, headers) => (await (await request(roomAt(code, "sketches"), { headers })).json()).sketches;

/**
 * @param {Asked} question
 * @param {Sketch[]} sketches
 * @param {{picked?: string[], yours?: number[] | null, choose?: (id: string) => void}} [about] those picked, one's own, and what a click does
 */
export function drawSketches(question, sketches, { picked = question.picked ?? [], yours = null, choose } = {}) {
  const { low, high, start, steps, revealed } = question;
  const T = steps.length;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `${start} -0.04 ${T - start} 1.08`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const all = `${sketches.length} ${sketches.length === 1 ? "sketch" : "sketches"} of the class`;
  svg.setAttribute("aria-label", `${all} over steps ${start + 1} to ${T}`);
  const line = (/** @type {number[]} */ values) =>
    values.map((value, i) => `${i ? "L" : "M"}${start + i + 0.5} ${(high - value) / (high - low)}`).join("");
  /** @param {string} name @param {number[]} values @param {string} [id] */
  function add(name, values, id) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", line(values));
    if (id && choose) path.addEventListener("click", () => choose(id));
    svg.append(path);
  }
  for (const { id, values } of sketches) add("sketch", values, id);
  if (yours) add("yours", yours);
  const truth = revealed?.truth;
  if (Array.isArray(truth)) add("real", truth.slice(start));
  for (const { id, values } of sketches) if (picked.includes(id)) add("sketch picked", values, id);
  const tokens = steps.slice(start).map((token) => made("li", { textContent: token }));
  const figure = made("figure", { className: `sketches${picked.length ? " some" : ""}` }, [svg, made("ol", { ariaHidden: "true" }, tokens)]);
  const thick = choose ? "the sketch that you look at" : "picked by the teacher";
  const parts = [`Thin: ${all}.`, ...(truth ? ["Solid: the network."] : []), ...(yours ? ["Dashed: yours."] : []), ...(picked.length ? [`Thick: ${thick}.`] : [])]; // prettier-ignore
  figure.append(made("figcaption", { className: "note", textContent: parts.join(" ") }));
  return figure;
}

/**
 * A teacher's choice among sketches: picked one after the other, then shown to everybody one by one.
 * @param {HTMLElement} box
 * @param {string} code
 * @param {Record<string, string>} headers
 * @param {(part: string, body: object) => Promise<unknown>} command
 */
export function mountPicking(box, code, headers, command) {
  /** @type {{question: number, round: number} | null} */
  let of = null;
  /** @type {Sketch[]} */
  let sketches = [];
  /** In the order in which they are to be shown. @type {string[]} */
  let queue = [];
  let at = 0; // the sketch that is looked at
  /** @type {Asked | null} */
  let asked = null;

  function paint() {
    const question = asked;
    if (!question) return;
    const shown = question.picked ?? [];
    const look = sketches[at]?.id;
    const plot = drawSketches(question, sketches, { picked: look ? [look] : [], choose: (id) => go(sketches.findIndex((one) => one.id === id)) }); // prettier-ignore
    const button = (/** @type {string} */ words, /** @type {() => void} */ act, off = false) => {
      const one = made("button", { type: "button", textContent: words, disabled: off });
      one.addEventListener("click", act);
      return one;
    };
    const place = shown.length === 1 ? queue.indexOf(shown[0]) : -1;
    const next = queue[place + 1];
    const inQueue = look !== undefined && queue.includes(look);
    const show = (/** @type {string[]} */ ids) => command("sketches", { sketches: ids });
    box.replaceChildren(
      plot,
      made("p", { className: "do" }, [
        made("span", { className: "count", textContent: sketches.length ? `Sketch ${at + 1} of ${sketches.length}` : "No sketches yet" }),
        button("Previous sketch", () => go(at - 1), sketches.length < 2),
        button("Next sketch", () => go(at + 1), sketches.length < 2),
        button(inQueue ? "Remove from the list" : "Add to the list", () => toggle(look), look === undefined),
      ]),
      made("p", { className: "do" }, [
        made("span", { className: "count", textContent: queue.length ? `List: ${queue.map((id) => sketches.findIndex((one) => one.id === id) + 1).join(", ")}` : "The list is empty" }), // prettier-ignore
        button(place < 0 ? "Show the first to the class" : "Show the next to the class", () => show([next]), next === undefined),
        button("Show all equally", () => show([]), shown.length === 0),
      ]),
    );
  }

  /** @param {number} n */
  function go(n) {
    at = (n + sketches.length) % sketches.length;
    paint();
  }

  /** @param {string} id */
  function toggle(id) {
    queue = queue.includes(id) ? queue.filter((one) => one !== id) : [...queue, id];
    paint();
  }

  return /** @param {Asked | null} question */ async (question) => {
    const drawn = question?.kind === "draw" && question.status === "revealed";
    box.hidden = !drawn;
    asked = drawn ? question : null;
    if (!asked) return box.replaceChildren();
    const { id, round } = asked;
    if (of?.question !== id || of.round !== round) {
      [of, queue, at] = [{ question: id, round }, [], 0];
      sketches = await fetchSketches(code, headers);
    }
    paint();
  };
}
