/** What a teacher can ask: the lesson's questions, some that are made from the cursor, and their own. */

/** @import { View } from "../api.js" */
import { boot, lesson } from "../boot.js";
import { pageCell } from "../cells.js";
import { made } from "./question.js";

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} opener
 * @param {() => View} here
 * @param {(ask: object) => Promise<unknown>} send
 */
export function mountAsk(dialog, opener, here, send) {
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
    const view = here();
    const { page, step } = view;
    const items = [];
    if (lesson)
      for (const id of Object.keys(lesson.questions)) {
        if (Number(id.split(".")[0]) !== step) continue;
        const words = document.querySelector(`form.predict[data-question="${id}"] .ask`)?.textContent?.trim() ?? id;
        items.push(ready(`This step asks: ${words}`, { of: "lesson", lesson: lesson.name, question: id }));
      }
    const inLab = lesson ? lesson.steps[(step ?? 1) - 1].page === "" : page === "";
    if (inLab) {
      const { signals } = boot.cells[pageCell.cell];
      const gates = signals.filter(({ name }) => boot.cells[pageCell.cell].gates.includes(name) || name === "h");
      items.push(ready("Where will the output go at the next step?", { of: "output", view }));
      for (const { name, symbol } of gates.filter(({ name }) => ["z", "r", "f", "i", "h"].includes(name)))
        items.push(ready(`What will ${symbol} be at the next step?`, { of: "signal", signal: name, view }));
      items.push(ready("Which step wrote this?", { of: "wrote", view }));
    }
    list.replaceChildren(...items);
    const pressed = /** @type {HTMLElement} */ (form.querySelector("[value=click]")?.closest("label"));
    pressed.hidden = !inLab;
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
      ask({ of: "own", text, view: here(), options: lines.map((line) => line.replace(/^\*\s*/, "")), right: right < 0 ? null : right });
    } else if (kind() === "number") ask({ of: "own", text, view: here(), low: number("low"), high: number("high"), right: number("number") });
    else ask({ of: "own", text, view: here(), right: number("step") });
  });
  opener.addEventListener("click", () => {
    refused.textContent = "";
    offer();
    show();
    dialog.showModal();
  });
}
