/** The questions of a lesson: the visitor answers each in its form or on the tape, and then the page shows the network's result. */

/** @import { Lesson, QuestionData } from "../boot.js" */
/** @import { Answer } from "./answers.js" */
/** @import { Overlay } from "../questions/overlay.js" */
/**
 * The correct answer to a question. Depending on the kind of question, `truth` has the indices of the correct options, a number, the
 * value at each step, or the correct steps. `text` is the number as text, and `replies` has the reply to each option. `link` is the view
 * that the figure then shows.
 * @typedef {{truth: number | number[], text: string, replies: string[], reveal: string, why: string, page: string, link: string}} Revealed
 */
import { fetchReveal } from "../api.js";
import { room } from "../boot.js";
import { findAll, finder, newButton, newElement, withPeriod } from "../elements.js";
import { KINDS } from "../questions/kinds.js";
import { credentials } from "../rooms/capability.js";
import { answersIn, clearAnswers, saveAnswer } from "./answers.js";
import {
  clearMarks,
  fillAnswer,
  markTruth,
  missing,
  mountForm,
  readAnswer,
  readDraft,
  setOpen,
  setUsable,
} from "./form.js";

/** Whether the figure is beside the lesson. On a narrow screen the figure is below. */
const isBeside = matchMedia("(min-width: 60.01rem)");

const idOf = (/** @type {HTMLElement} */ form) => form.dataset.question ?? "";
const refusedOf = (/** @type {HTMLElement} */ form) => /** @type {HTMLElement} */ (form.querySelector(".refused"));

/**
 * Mount the forms of the questions.
 * @param {HTMLElement} aside
 * @param {Lesson} lesson
 * @param {(link: string, upto: number | null) => void} showFigure
 * @param {() => void} onReveal
 * @param {(text: string) => void} announce
 */
export function mountQuestions(aside, { name, steps, questions }, showFigure, onReveal, announce) {
  const clear = /** @type {HTMLElement | null} */ (aside.querySelector("[data-do=clear]"));
  const overlays = createOverlays(document.querySelector("#tape"), questions);
  const forms = createForms(aside, questions, overlays);
  let n = 0; // the step that is shown
  let inRoom = room !== null; // in a room, the teacher asks the questions, and the room shows the answers

  /** While a question of the current step is unanswered, hide an experiment that would show its result. */
  function cover() {
    const isOpen = inRoom || forms.ofStep(n).some((form) => !form.classList.contains("committed"));
    document.body.classList.toggle("covered", steps[n - 1].covered && isOpen);
  }

  /**
   * Fetch and show the correct answer.
   * @param {HTMLFormElement} form @param {Answer} answer @param {boolean} isNew whether the visitor has just given the answer
   */
  async function reveal(form, answer, isNew) {
    const question = questions[idOf(form)];
    const revealed = await fetchReveal(name, idOf(form), credentials()).catch((/** @type {Error} */ error) => {
      const advice = "Your answer is saved. Press “Check answer” to try again.";
      if (!inRoom) refusedOf(form).textContent = `${withPeriod(error.message)} ${advice}`;
    });
    if (inRoom || !revealed) return; // a room may have been opened during the request
    const box = forms.boxOf(form);
    const { activeElement } = document;
    const isWaiting = activeElement === document.body || form.contains(activeElement); // the visitor has not gone on to the next question
    const sentence = showRevealed(box, form, question, answer, revealed);
    cover();
    box.append(newButton("Answer again", () => reopen(form), { className: "quiet" }));
    if (clear) clear.hidden = false;
    const { link, upto } = steps[n - 1];
    if (isNew || upto !== null || link !== revealed.link) showFigure(revealed.link, null);
    overlays.show(form, answer, revealed.truth);
    if (isNew && isWaiting) bringIntoView(box);
    if (isNew) announce(sentence);
    onReveal();
  }

  /** Reopen a question that the visitor has answered. @param {HTMLFormElement} form */
  function reopen(form) {
    forms.close(form);
    if (!forms.ofStep(n).includes(form)) return;
    cover();
    prepare();
    showFigure(steps[n - 1].link, steps[n - 1].upto);
  }

  /** Prepare the tape for answers to the questions of the current step. */
  const prepare = () => overlays.prepare(inRoom ? [] : forms.ofStep(n));

  for (const form of forms.all()) {
    const question = questions[idOf(form)];
    onAnswer(form, question, (answer) => {
      saveAnswer(name, idOf(form), answer);
      reveal(form, answer, true);
    });
    mountForm(form, question, () => overlays.redraw(form));
    setUsable(form, true);
  }
  clear?.addEventListener("click", () => {
    clearAnswers(name);
    clear.hidden = true;
    forms.answered().forEach(reopen);
    forms.all().forEach(forms.empty);
    announce("Your answers to this lesson are cleared.");
  });
  if (clear) clear.hidden = !Object.keys(answersIn(name)).length;

  return {
    /** Show the questions of a step. @param {number} step */
    enter(step) {
      n = step;
      prepare();
      cover();
    },
    /** Set whether this page leads a room. The class then answers the questions, and the visitor cannot. @param {boolean} on */
    lead(on) {
      inRoom = on;
      for (const form of forms.all()) {
        forms.close(form);
        forms.empty(form);
        setUsable(form, !on);
      }
      this.enter(n);
      this.restore();
    },
    /** Show the results of the step's questions that the visitor has already answered on this device. In a room, show none. */
    restore() {
      if (inRoom) return;
      for (const form of forms.ofStep(n)) {
        const question = questions[idOf(form)];
        const answer = answersIn(name)[idOf(form)];
        if (answer === undefined) continue;
        fillAnswer(form, question, answer);
        // If the question has changed since then, its form may not accept the stored answer.
        if (JSON.stringify(readAnswer(form, question)) === JSON.stringify(answer)) reveal(form, answer, false);
      }
    },
  };
}

/**
 * Focus the box of an answer, and scroll it into view. On a narrow screen, scroll to the top of the box: the figure below is then also in
 * view.
 * @param {HTMLElement} box
 */
function bringIntoView(box) {
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: isBeside.matches ? "nearest" : "start" });
}

/**
 * Call `receive` with each submitted answer. If the answer is not complete, show what is missing.
 * @param {HTMLFormElement} form @param {QuestionData} question @param {(answer: Answer) => void} receive
 */
const onAnswer = (form, question, receive) =>
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = readAnswer(form, question);
    refusedOf(form).textContent = answer === null ? missing(form, question) : "";
    if (answer !== null) receive(answer);
  });

/**
 * Return functions that find and reset the forms of a lesson.
 * @param {HTMLElement} aside @param {Lesson["questions"]} questions @param {ReturnType<typeof createOverlays>} overlays
 */
function createForms(aside, questions, overlays) {
  const all = (selector = "form.predict") => /** @type {HTMLFormElement[]} */ (findAll(aside, selector));
  const boxOf = (/** @type {HTMLElement} */ form) => finder(aside)(`.revealed[data-question="${idOf(form)}"]`);
  return {
    all: () => all(),
    answered: () => all("form.committed"),
    ofStep: (/** @type {number} */ step) => all(`.step[data-step="${step}"] form.predict`),
    /** Return the box with the correct answer to the question of a form. */
    boxOf,
    /** Hide the correct answer to the question of a form, and let the visitor answer again. @param {HTMLFormElement} form */
    close(form) {
      const box = boxOf(form);
      box.hidden = true;
      box.replaceChildren();
      setOpen(form, true);
      clearMarks(form);
    },
    /** Remove the visitor's answer from a form. @param {HTMLFormElement} form */
    empty(form) {
      fillAnswer(form, questions[idOf(form)], null);
      overlays.redraw(form);
    },
  };
}

/**
 * Return functions for answers on the tape. Only some kinds of questions can be answered there.
 * @param {HTMLElement | null} tape @param {Lesson["questions"]} questions
 */
function createOverlays(tape, questions) {
  /** @type {Map<HTMLFormElement, Overlay>} */
  const overlays = new Map();
  return {
    /** Prepare the tape for the questions in some forms. @param {HTMLFormElement[]} forms */
    prepare(forms) {
      for (const overlay of overlays.values()) overlay.remove();
      overlays.clear();
      if (!tape) return;
      for (const form of forms) {
        const question = questions[idOf(form)];
        const overlay = KINDS[question.kind].overlay?.(tape, question, (answer) => {
          fillAnswer(form, question, answer);
          overlay?.show(answer);
        });
        if (!overlay) continue;
        overlays.set(form, overlay);
        this.redraw(form);
      }
    },
    /** Read the answer from a form, and draw it on the tape. @param {HTMLFormElement} form */
    redraw: (form) => overlays.get(form)?.show(/** @type {number[]} */ (readDraft(form, questions[idOf(form)]) ?? [])),
    /** Draw an answer and the correct answer on the tape. @param {HTMLFormElement} form @param {Answer} answer @param {Answer} truth */
    show: (form, answer, truth) =>
      overlays.get(form)?.show(/** @type {number[]} */ (answer), /** @type {number[]} */ (truth)),
  };
}

/**
 * Show the correct answer in a form and in its box, and return the verdict.
 * @param {HTMLElement} box @param {HTMLFormElement} form @param {QuestionData} question @param {Answer} answer @param {Revealed} revealed
 */
function showRevealed(box, form, question, answer, revealed) {
  refusedOf(form).textContent = "";
  setOpen(form, false);
  markTruth(form, question, answer, [revealed.truth].flat());
  box.hidden = false;
  return explain(box, form, question, answer, revealed);
}

/**
 * Fill the box under a question, and return the verdict.
 * @param {HTMLElement} box @param {HTMLFormElement} form @param {QuestionData} question @param {Answer} answer @param {Revealed} revealed
 */
function explain(box, form, question, answer, revealed) {
  const [first] = [answer].flat();
  const options = findAll(form, ".options label span:first-of-type");
  const chosen = options[first]?.textContent?.trim() ?? "";
  const { truth, text, replies } = revealed;
  const sentence = KINDS[question.kind].verdict(question, [answer].flat(), [truth].flat(), text, chosen);
  const parts = [
    ["reply", replies[first]],
    ["reveal", revealed.reveal],
  ].filter(([, html]) => html);
  // This HTML is safe: the server renders it, and escapes HTML in the source of the lesson.
  const prose = (/** @type {string} */ kind, /** @type {string} */ html) =>
    newElement("div", { className: `prose ${kind}`, innerHTML: html });
  box.replaceChildren(
    newElement("p", { className: "outcome", textContent: sentence }),
    ...parts.map(([kind, html]) => prose(kind, html)),
    // Closed on a narrow screen, where the figure is below: the answer and the figure are then both in view.
    newElement("details", { className: "explanation", open: isBeside.matches, hidden: !revealed.why }, [
      newElement("summary", "Why?"),
      prose("why", revealed.why),
    ]),
  );
  return sentence;
}
