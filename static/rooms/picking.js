/** The teacher's choice of curves that the class drew. The teacher puts them on a list, and shows them to the class one by one. */

/** @import { RoomQuestion } from "./question.js" */
/** @import { Sketch } from "./sketches.js" */
import { newButton, newElement } from "../elements.js";
import { KINDS } from "../questions/kinds.js";
import { keyOf } from "./question.js";
import { drawSketches, fetchSketches } from "./sketches.js";

/**
 * Return a function that shows the drawn curves to the teacher.
 * @param {HTMLElement} box
 * @param {string} code
 * @param {Record<string, string>} headers
 * @param {(part: string, body: object) => Promise<unknown>} command
 */
export function createPicking(box, code, headers, command) {
  /** The question and round that the drawn curves answer. */
  let round = "";
  /** @type {Sketch[]} */
  let sketches = [];
  /** The chosen curves, in the order in which the teacher shows them. @type {string[]} */
  let list = [];
  let index = 0; // of the curve in the preview
  /** @type {RoomQuestion | null} */
  let question = null;

  function paint() {
    if (!question) return;
    const shown = question.picked ?? [];
    const id = sketches[index]?.id;
    const place = (/** @type {string} */ id) => sketches.findIndex((sketch) => sketch.id === id);
    const plot = drawSketches(question, sketches, { picked: id ? [id] : [], choose: (id) => look(place(id)) });
    const inList = id !== undefined && list.includes(id);
    const after = shown.length === 1 ? list.indexOf(shown[0]) : -1;
    const next = list[after + 1];
    const show = (/** @type {string[]} */ ids) => command("sketches", { sketches: ids });
    const few = { disabled: sketches.length < 2 };
    box.replaceChildren(
      plot,
      newElement("p", { className: "do" }, [
        counter(sketches.length ? `Sketch ${index + 1} of ${sketches.length}` : "No sketches yet"),
        newButton("Previous sketch", () => look(index - 1), few),
        newButton("Next sketch", () => look(index + 1), few),
        newButton(inList ? "Remove from the list" : "Add to the list", () => toggle(id), {
          disabled: id === undefined,
        }),
      ]),
      newElement("p", { className: "do" }, [
        counter(list.length ? `List: ${list.map((id) => place(id) + 1).join(", ")}` : "The list is empty"),
        newButton(after < 0 ? "Show the first to the class" : "Show the next to the class", () => show([next]), {
          disabled: next === undefined,
        }),
        newButton("Show all equally", () => show([]), { disabled: shown.length === 0 }),
      ]),
    );
  }

  /** Preview a drawn curve. After the last curve comes the first. @param {number} i */
  function look(i) {
    index = (i + sketches.length) % sketches.length;
    paint();
  }

  /** @param {string} id */
  function toggle(id) {
    list = list.includes(id) ? list.filter((other) => other !== id) : [...list, id];
    paint();
  }

  return /** @param {RoomQuestion | null} current */ async (current) => {
    const drawn = current && KINDS[current.kind].hasSketches && current.status === "revealed";
    box.hidden = !drawn;
    question = drawn ? current : null;
    if (!question) return box.replaceChildren();
    const key = keyOf(question);
    if (key !== round) {
      [round, list, index] = [key, [], 0];
      sketches = await fetchSketches(code, headers);
    }
    paint();
  };
}

/** Create an element with text about the number of curves. @param {string} textContent */
const counter = (textContent) => newElement("span", { className: "count", textContent });
