/** The questions of a lesson: each is answered in its form or on the tape, and then shows what the network does. */

/** @import { Lesson } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
/** @import { Over } from "./overtape.js" */
/** @import { Revealed } from "./verdict.js" */
import { fetchReveal } from "../api.js";
import { room } from "../boot.js";
import { newButton, newElement, withPeriod } from "../elements.js";
import { credentials } from "../rooms/capability.js";
import { answersIn, clearAnswers, saveAnswer } from "./answers.js";
import { NO_ANSWER, clearMarks, fillAnswer, markTruth, readAnswer, setOpen, showValue } from "./form.js";
import { createOver } from "./overtape.js";
import { verdict } from "./verdict.js";

const idOf = (/** @type {HTMLElement} */ form) => form.dataset.question ?? "";

/**
 * @param {HTMLElement} aside
 * @param {Lesson} lesson
 * @param {(link: string, upto: number | null) => void} showFigure
 * @param {() => void} onReveal
 * @param {(text: string) => void} announce
 */
export function mountQuestions(aside, { name, steps, questions }, showFigure, onReveal, announce) {
  const tape = /** @type {HTMLElement | null} */ (document.querySelector("#tape"));
  const clear = /** @type {HTMLElement | null} */ (aside.querySelector("[data-do=clear]"));
  /** What stands on the tape, by its form. @type {Map<HTMLFormElement, Over>} */
  const overs = new Map();
  let n = 0; // the step that is shown

  /** @param {string} selector @returns {HTMLFormElement[]} */
  const formsIn = (selector) => [...aside.querySelectorAll(selector)].map((form) => /** @type {HTMLFormElement} */ (form));
  const ofStep = () => formsIn(`.step[data-step="${n}"] form.predict`);
  const boxOf = (/** @type {string} */ id) => /** @type {HTMLElement} */ (aside.querySelector(`.revealed[data-question="${id}"]`));

  /** Make the tape ready for the questions of the step. */
  function prepareTape() {
    for (const over of overs.values()) over.remove();
    overs.clear();
    if (!tape || room) return;
    for (const form of ofStep()) {
      const question = questions[idOf(form)];
      if (!["draw", "click"].includes(question.kind)) continue;
      const over = createOver(tape, question, (answer) => {
        fillAnswer(form, question, answer);
        over.show(answer);
      });
      const show = () => over.show(/** @type {number[]} */ (readAnswer(form, question) ?? []));
      form.oninput = show;
      show();
      overs.set(form, over);
    }
  }

  /** @param {HTMLFormElement} form @param {Answer} answer @param {boolean} isNew whether it has just been given */
  async function reveal(form, answer, isNew) {
    const id = idOf(form);
    const error = /** @type {HTMLElement} */ (form.querySelector(".refused"));
    /** @type {Revealed} */
    let revealed;
    try {
      revealed = await fetchReveal(name, id, credentials());
    } catch (problem) {
      error.textContent = `${withPeriod(/** @type {Error} */ (problem).message)} Your answer is saved. Press “Check answer” to try again.`;
      return;
    }
    error.textContent = "";
    setOpen(form, false);
    markTruth(form, questions[id], answer, [revealed.truth].flat());
    const sentence = explain(form, answer, revealed);
    if (clear) clear.hidden = false;
    const { link, upto } = steps[n - 1];
    if (isNew || upto !== null || link !== revealed.link) showFigure(revealed.link, null);
    overs.get(form)?.show(/** @type {number[]} */ (answer), /** @type {number[]} */ (revealed.truth));
    if (isNew) {
      boxOf(id).focus({ preventScroll: true });
      boxOf(id).scrollIntoView({ block: "nearest" });
      announce(sentence);
    }
    onReveal();
  }

  /** Fill the box under a question, and return the verdict. @param {HTMLFormElement} form @param {Answer} answer @param {Revealed} revealed */
  function explain(form, answer, revealed) {
    const question = questions[idOf(form)];
    const [first] = [answer].flat();
    const options = [...form.querySelectorAll(".options label span:first-of-type")];
    const sentence = verdict(question, answer, revealed, options[first]?.textContent?.trim() ?? "");
    const parts = [
      ["reply", question.kind === "choose" ? revealed.replies[first] : ""],
      ["reveal", revealed.reveal],
      ["why", revealed.why],
    ].filter(([, html]) => html);
    const box = boxOf(idOf(form));
    box.replaceChildren(
      newElement("p", { className: "outcome", textContent: sentence }),
      // The server's own rendering, in which a lesson's HTML is text.
      ...parts.map(([kind, html]) => newElement("div", { className: `prose ${kind}`, innerHTML: html })),
      newButton("Answer again", () => reopen(form), { className: "quiet" }),
    );
    box.hidden = false;
    return sentence;
  }

  /** Take an answer back. @param {HTMLFormElement} form */
  function reopen(form) {
    const box = boxOf(idOf(form));
    box.hidden = true;
    box.replaceChildren();
    setOpen(form, true);
    clearMarks(form);
    if (!ofStep().includes(form)) return;
    prepareTape();
    showFigure(steps[n - 1].link, steps[n - 1].upto);
  }

  for (const form of formsIn("form.predict")) {
    const question = questions[idOf(form)];
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = readAnswer(form, question);
      /** @type {HTMLElement} */ (form.querySelector(".refused")).textContent = answer === null ? NO_ANSWER : "";
      if (answer === null) return;
      saveAnswer(name, idOf(form), answer);
      reveal(form, answer, true);
    });
    form.addEventListener("input", () => showValue(form, question));
    showValue(form, question);
  }
  clear?.addEventListener("click", () => {
    clearAnswers(name);
    clear.hidden = true;
    for (const form of formsIn("form.committed")) reopen(form);
    announce("Your answers to this lesson are cleared.");
  });
  if (clear) clear.hidden = !Object.keys(answersIn(name)).length;

  return {
    /** @param {number} step */
    enter(step) {
      n = step;
      prepareTape();
    },
    /** Reveal the questions of the step that were answered on this device before. */
    restore() {
      for (const form of ofStep()) {
        const question = questions[idOf(form)];
        const answer = answersIn(name)[idOf(form)];
        if (answer === undefined) continue;
        fillAnswer(form, question, answer);
        // A question that has changed since then has no such answer.
        if (JSON.stringify(readAnswer(form, question)) === JSON.stringify(answer)) reveal(form, answer, false);
      }
    },
  };
}
