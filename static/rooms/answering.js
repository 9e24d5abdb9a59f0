/** The form in which a student answers a room's question. */

/** @import { Answer } from "../lesson/answers.js" */
/** @import { Figure } from "../lesson/lesson.js" */
/** @import { Draft } from "../questions/kinds.js" */
/** @import { Overlay } from "../questions/overlay.js" */
/** @import { RoomQuestion } from "./question.js" */
import { newElement, withPeriod } from "../elements.js";
import { fillAnswer, missing, mountForm, readAnswer, readDraft, setOpen } from "../lesson/form.js";
import { KINDS } from "../questions/kinds.js";
import { markSteps } from "./marks.js";
import { createOutcome } from "./outcome.js";
import { byStep, formOf, keyOf } from "./question.js";

/**
 * Create the form for a room's questions. The returned `show` displays a question or its result in the box, and `repeat` sends an
 * earlier answer again.
 * @param {HTMLElement} box
 * @param {HTMLElement | null} tape
 * @param {Figure} figure
 * @param {{answers: Record<string, Answer>}} memory the student's answers, by question and round
 * @param {() => void} save stores `memory`
 * @param {string} code of the room
 * @param {(answer: {question: number, answer: Answer}) => Promise<unknown>} send
 */
export function createAnswering(box, tape, figure, memory, save, code, send) {
  const outcome = createOutcome(box, code);
  /** @type {Overlay | null} */
  let overlay = null;
  /** @type {HTMLFormElement | null} */
  let form = null;

  /**
   * Return the student's answer to a question in this round or, if there is none, in round 1.
   * @param {RoomQuestion} question @returns {Answer | null}
   */
  const answerTo = (question) =>
    memory.answers[keyOf(question)] ?? memory.answers[keyOf({ ...question, round: 1 })] ?? null;

  /** @param {RoomQuestion | null} question @param {RoomQuestion | null} before */
  function show(question, before) {
    const same = question !== null && before !== null && keyOf(question) === keyOf(before);
    const draft = same && form ? readDraft(form, before) : null;
    overlay?.remove();
    [overlay, form] = [null, null];
    markSteps(tape, {});
    box.hidden = !question;
    box.replaceChildren();
    if (!question) return figure.ask?.(null);
    const shown = (form = createForm(question, draft ?? answerTo(question)));
    figure.ask?.(question, (answer) => submit(question, shown, answer));
    if (question.status !== "open") lock(form, question, answerTo(question));
    else if (memory.answers[keyOf(question)] !== undefined) confirm(form);
    if (!same) box.scrollIntoView({ block: "nearest" });
    // On a phone, the box of the result scrolls separately: begin with the verdict at its top.
    if (question.status !== before?.status) box.querySelector(".revealed")?.scrollIntoView({ block: "nearest" });
  }

  /** Create the form of a question. @param {RoomQuestion} question @param {Draft | null} answer to fill in */
  function createForm(question, answer) {
    const form = formOf(question);
    const rounds =
      question.round === 1 ? "Round 1: answer by yourself." : "Round 2: answer again after the discussion.";
    if (question.rounds > 1) form.prepend(newElement("p", { className: "note", textContent: rounds }));
    if (tape && onTape(tape, question))
      overlay =
        KINDS[question.kind].overlay?.(tape, question, (answer) => {
          fillAnswer(form, question, answer);
          overlay?.show(answer);
        }) ?? null;
    if (answer !== null) fillAnswer(form, question, answer);
    const redraw = () => overlay?.show(/** @type {number[]} */ (readDraft(form, question) ?? []));
    mountForm(form, question, redraw);
    redraw();
    form.onsubmit = (event) => {
      event.preventDefault();
      submit(question, form, readAnswer(form, question));
    };
    box.append(form);
    return form;
  }

  /** @param {RoomQuestion} question @param {HTMLFormElement} form @param {Answer | null} answer */
  async function submit(question, form, answer) {
    const error = /** @type {HTMLElement} */ (form.querySelector(".refused"));
    error.textContent = answer === null ? missing(form, question) : "";
    if (answer === null) return;
    memory.answers[keyOf(question)] = answer;
    save();
    try {
      await send({ question: question.id, answer });
      confirm(form);
    } catch (problem) {
      error.textContent = `${withPeriod(/** @type {Error} */ (problem).message)} Your answer is saved on this page. Send it again.`;
    }
  }

  /** @param {HTMLFormElement} form @param {RoomQuestion} question @param {Answer | null} answer */
  function lock(form, question, answer) {
    setOpen(form, false);
    if (question.status === "locked") {
      box.append(
        newElement("p", {
          className: "note",
          textContent:
            question.round < question.rounds
              ? "No more answers for now. Discuss the question with your neighbor."
              : "No more answers. The teacher can show the answer now.",
        }),
      );
      return;
    }
    const truths = outcome.show(form, question, answer);
    overlay?.show(/** @type {number[]} */ ([answer ?? []].flat()), truths);
    if (KINDS[question.kind].marksSteps && question.class)
      markSteps(tape, byStep(question.class[question.class.length - 1].counts));
  }

  return {
    show,
    /** @param {RoomQuestion | null} question */
    repeat(question) {
      const answer = question && memory.answers[keyOf(question)];
      if (question?.status === "open" && answer !== undefined && form) submit(question, form, answer);
    },
  };
}

/** Tell the student that the server has counted the answer. @param {HTMLFormElement} form */
function confirm(form) {
  const act = /** @type {HTMLElement} */ (form.querySelector(".act"));
  act.querySelector(".counted-in")?.remove();
  const text = newElement("span", {
    className: "counted-in",
    textContent: "Your answer is counted. You can change it until the teacher stops taking answers.",
  });
  text.setAttribute("role", "status");
  act.append(text);
  const button = act.querySelector("button");
  if (button) button.textContent = "Change answer";
}

/**
 * Return whether the student can answer a question on the tape. The tape lacks the question's signal if the question is from another
 * page.
 * @param {HTMLElement} tape
 * @param {RoomQuestion} question
 */
function onTape(tape, question) {
  const row = KINDS[question.kind].row?.(question);
  return row === undefined || tape.querySelector(`[data-signal="${row}"]`) !== null;
}
