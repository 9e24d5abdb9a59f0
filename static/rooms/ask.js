/** The questions that a teacher can ask: the lesson's questions, questions about the cursor's step, and the teacher's own questions. */

/** @import { View } from "./requests.js" */
import { boot } from "../boot.js";
import { attempt, newButton, newElement } from "../elements.js";

/**
 * The view, the lesson and the cell that a teacher's questions can be about. `lesson` has the texts of the questions in the lesson's
 * current step, by id. `cell` is the cell in the Lab's figure, or null on other pages.
 * @typedef {{view: View, lesson: {name: string, questions: Record<string, string>} | null, cell: string | null}} Place
 */

/**
 * Mount the dialog with the questions that a teacher can ask.
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} opener
 * @param {() => Place} placeNow
 * @param {(question: object) => Promise<unknown>} send
 */
export function mountAsk(dialog, opener, placeNow, send) {
  const list = /** @type {HTMLElement} */ (dialog.querySelector(".ready"));
  const error = /** @type {HTMLElement} */ (dialog.querySelector(".error"));
  const two = /** @type {HTMLInputElement} */ (dialog.querySelector("[name=two]"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form.own"));
  const kinds = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name=kind]"));

  /** @param {object} question */
  async function submit(question) {
    if (await attempt(error, () => send({ ...question, rounds: two.checked ? 2 : 1 }))) dialog.close();
  }

  function offer() {
    const place = placeNow();
    const items = readyQuestions(place).map(([text, question]) =>
      newElement("li", {}, [newButton(text, () => submit(question))]),
    );
    list.replaceChildren(...items);
    const click = /** @type {HTMLElement} */ (form.querySelector("[value=click]")?.closest("label"));
    click.hidden = !place.cell;
  }

  const kind = () => [...kinds].find(({ checked }) => checked)?.value ?? "";
  function showKind() {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-kind]")))
      part.hidden = part.dataset.kind !== kind();
  }

  for (const radio of kinds) radio.addEventListener("change", showKind);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(ownQuestion(form, kind(), placeNow().view));
  });
  opener.addEventListener("click", () => {
    error.textContent = "";
    offer();
    showKind();
    dialog.showModal();
  });
}

/**
 * Return the ready-made questions: the text of each question, and the body of the request that asks it.
 * @param {Place} place
 * @returns {[string, object][]}
 */
function readyQuestions({ view, lesson, cell }) {
  /** @type {[string, object][]} */
  const questions = Object.entries(lesson?.questions ?? {}).map(([id, text]) => [
    `From this part of the lesson: ${text}`,
    { subject: "lesson", lesson: lesson?.name, question: id },
  ]);
  questions.push(["Be the gate: each student plays the gates of a network for six letters", { subject: "gate" }]);
  if (!cell) return questions;
  const { signals, gates, functions } = boot.cells[cell];
  questions.push(["What will the output do at the next timestep?", { subject: "output", view }]);
  for (const { name, symbol } of signals)
    if (functions[name] === "σ" || name === "h")
      questions.push([`What will ${symbol} be at the next timestep?`, { subject: "signal", signal: name, view }]);
  // Only a state that gates mix is a sum of contributions of the timesteps.
  if (gates.length) questions.push(["Which timestep contributed most to this state?", { subject: "wrote", view }]);
  return questions;
}

/**
 * Return the body of the request that asks the teacher's own question.
 * @param {HTMLFormElement} form @param {string} kind @param {View} view
 */
function ownQuestion(form, kind, view) {
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value;
  const number = (/** @type {string} */ name) => (field(name).trim() === "" ? null : Number(field(name)));
  const question = { subject: "own", text: field("text"), view };
  if (kind === "number") return { ...question, low: number("low"), high: number("high"), right: number("number") };
  if (kind === "click") return { ...question, right: number("step") };
  const lines = field("options")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const right = lines.findIndex((line) => line.startsWith("*"));
  return { ...question, options: lines.map((line) => line.replace(/^\*\s*/, "")), right: right < 0 ? null : right };
}
