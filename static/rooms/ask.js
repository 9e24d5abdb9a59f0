/** What a teacher can ask: the lesson's questions, some that are made from the cursor, and their own. */

/** @import { View } from "../api.js" */
import { boot } from "../boot.js";
import { made } from "./question.js";

/** `lesson` has the questions of the lesson's step, by id, in words. `cell` is that of the lab's figure, null for another page's. @typedef {{view: View, lesson: {name: string, questions: Record<string, string>} | null, cell: string | null}} Place */

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} opener
 * @param {() => Place} place
 * @param {(ask: object) => Promise<unknown>} send
 */
export function mountAsk(dialog, opener, place, send) {
  const list = /** @type {HTMLElement} */ (dialog.querySelector(".ready"));
  const refused = /** @type {HTMLElement} */ (dialog.querySelector(".error"));
  const two = /** @type {HTMLInputElement} */ (dialog.querySelector("[name=two]"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form.own"));
  const kinds = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name=kind]"));

  /** @param {object} ask */
  async function ask(ask) {
    refused.textContent = "";
    try {
      await send({ ...ask, rounds: two.checked ? 2 : 1 });
      dialog.close();
    } catch (error) {
      refused.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {string} words @param {object} about */
  function ready(words, about) {
    const button = made("button", { type: "button", textContent: words });
    button.addEventListener("click", () => ask(about));
    return made("li", {}, [button]);
  }

  function offer() {
    const { view, lesson, cell } = place();
    const items = Object.entries(lesson?.questions ?? {}).map(([id, words]) =>
      ready(`From this lesson step: ${words}`, { of: "lesson", lesson: lesson?.name, question: id }),
    );
    if (cell) {
      const { signals, gates } = boot.cells[cell];
      const asked = signals.filter(({ name }) => (gates.includes(name) || name === "h") && ["z", "r", "f", "i", "h"].includes(name));
      items.push(ready("What will the output do at the next step?", { of: "output", view }));
      for (const { name, symbol } of asked) items.push(ready(`What will ${symbol} be at the next step?`, { of: "signal", signal: name, view }));
      // Only a state that gates mix is a sum of what each step contributed.
      if (gates.length) items.push(ready("Which step contributed most to this state?", { of: "wrote", view }));
    }
    list.replaceChildren(...items);
    const pressed = /** @type {HTMLElement} */ (form.querySelector("[value=click]")?.closest("label"));
    pressed.hidden = !cell;
  }

  const kind = () => [...kinds].find(({ checked }) => checked)?.value;
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  function show() {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-kind]"))) part.hidden = part.dataset.kind !== kind();
  }
  for (const one of kinds) one.addEventListener("change", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const number = (/** @type {string} */ name) => (field(name).value.trim() === "" ? null : Number(field(name).value));
    const text = field("text").value;
    if (kind() === "choose") {
      const lines = field("options").value.split("\n").map((line) => line.trim()).filter(Boolean); // prettier-ignore
      const right = lines.findIndex((line) => line.startsWith("*"));
      ask({ of: "own", text, view: place().view, options: lines.map((line) => line.replace(/^\*\s*/, "")), right: right < 0 ? null : right });
    } else if (kind() === "number") ask({ of: "own", text, view: place().view, low: number("low"), high: number("high"), right: number("number") });
    else ask({ of: "own", text, view: place().view, right: number("step") });
  });
  opener.addEventListener("click", () => {
    refused.textContent = "";
    offer();
    show();
    dialog.showModal();
  });
}
