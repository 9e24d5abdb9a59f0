/** The question that is asked in a room, where a follower answers it. */

/** @import { Answer } from "../lesson/answers.js" */
/** @import { Over } from "../lesson/overtape.js" */
/** @import { Asked } from "./question.js" */
import { ended } from "../elements.js";
import { NOTHING, fill, mark, read, slid } from "../lesson/form.js";
import { clickOver, drawOver } from "../lesson/overtape.js";
import { verdict } from "../lesson/verdict.js";
import { markSteps } from "./marks.js";
import { byStep, formOf, histogram, made } from "./question.js";
import { drawSketches, fetchSketches } from "./sketches.js";

/**
 * `ask` puts a question into the box, or what became of it; `again` says once more what was answered.
 * @param {HTMLElement} box
 * @param {HTMLElement | null} tape
 * @param {{answers: Record<string, Answer>}} kept what was answered, by question and round
 * @param {() => void} keep
 * @param {string} code of the room
 * @param {(given: {question: number, answer: Answer}) => Promise<unknown>} send
 */
export function createAnswering(box, tape, kept, keep, code, send) {
  /** @type {Over | null} */
  let drawn = null;
  /** @type {HTMLFormElement | null} */
  let form = null;
  /** The class's sketches, by the question and round that they answer. @type {{of: string, sketches: Promise<import("./sketches.js").Sketch[]>} | null} */
  let drawings = null;

  const keyOf = (/** @type {Asked} */ { id, round }) => `${id}.${round}`;
  /** What was said to a question last, in this round or the one before. @param {Asked} question @returns {Answer | null} */
  const answerTo = (question) => kept.answers[keyOf(question)] ?? kept.answers[keyOf({ ...question, round: 1 })] ?? null;

  /** Put a question there, or what became of it. @param {Asked | null} question @param {Asked | null} before */
  function ask(question, before) {
    const same = question && before && question.id === before.id && question.round === before.round;
    const draft = same && form && before ? read(form, before) : null;
    drawn?.remove();
    [drawn, form] = [null, null];
    markSteps(tape, {});
    box.hidden = !question;
    box.replaceChildren();
    if (!question) return;
    const answered = answerTo(question);
    form = formOf(question);
    const asked = form;
    const rounds = question.round === 1 ? "Round 1: answer by yourself." : "Round 2: answer again after the discussion.";
    if (question.rounds > 1) asked.prepend(made("p", { className: "note", textContent: rounds }));
    if (tape && onTape(tape, question))
      drawn = (question.kind === "draw" ? drawOver : clickOver)(tape, question, (answer) => {
        fill(asked, question, answer);
        drawn?.show(answer);
      });
    const given = draft ?? answered;
    if (given !== null) fill(asked, question, given);
    const show = () => {
      slid(asked, question);
      drawn?.show(/** @type {number[]} */ (read(asked, question) ?? []));
    };
    asked.oninput = show;
    show();
    asked.onsubmit = (event) => {
      event.preventDefault();
      give(question, asked);
    };
    box.append(asked);
    if (question.status === "open") {
      if (kept.answers[keyOf(question)] !== undefined) noted(asked);
    } else lock(asked, question, answered);
    if (!same) box.scrollIntoView({ block: "nearest" });
  }

  /** @param {HTMLFormElement} asked */
  function noted(asked) {
    const act = /** @type {HTMLElement} */ (asked.querySelector(".act"));
    act.querySelector(".counted-in")?.remove();
    const words = made("span", { className: "counted-in", textContent: "Your answer is counted. You can change it until the teacher stops taking answers." });
    words.setAttribute("role", "status");
    act.append(words);
    /** @type {HTMLElement} */ (act.querySelector("button")).textContent = "Change answer";
  }

  /** @param {Asked} question @param {HTMLFormElement} asked */
  async function give(question, asked) {
    const refused = /** @type {HTMLElement} */ (asked.querySelector(".refused"));
    const answer = read(asked, question);
    refused.textContent = answer === null ? NOTHING : "";
    if (answer === null) return;
    kept.answers[keyOf(question)] = answer;
    keep();
    try {
      await send({ question: question.id, answer });
      noted(asked);
    } catch (error) {
      refused.textContent = `${ended(/** @type {Error} */ (error).message)} Your answer is saved on this page. Send it again.`;
    }
  }

  /** @param {HTMLFormElement} asked @param {Asked} question @param {Answer | null} answered */
  function lock(asked, question, answered) {
    for (const control of /** @type {NodeListOf<HTMLInputElement>} */ (asked.querySelectorAll("input, button"))) control.disabled = true;
    asked.classList.add("committed");
    if (question.status === "locked") {
      box.append(made("p", { className: "note", textContent: question.round < question.rounds ? "No more answers for now. Discuss the question with your neighbor." : "No more answers. The teacher can show the answer now." })); // prettier-ignore
      return;
    }
    const revealed = /** @type {NonNullable<Asked["revealed"]>} */ (question.revealed);
    const known = revealed.truth !== null;
    const truths = known ? [revealed.truth].flat() : [];
    mark(asked, question, answered, truths);
    const outcome = made("div", { className: "revealed", tabIndex: -1 });
    outcome.setAttribute("role", "group");
    outcome.setAttribute("aria-label", "Answer");
    if (known && answered !== null) {
      const label = question.options[[answered].flat()[0]] ?? "";
      const said = made("span", { innerHTML: label }).textContent ?? "";
      outcome.append(made("p", { className: "outcome", textContent: verdict(question, answered, /** @type {any} */ (revealed), said) }));
    } else if (known && question.kind === "number") outcome.append(made("p", { className: "outcome", textContent: `The answer is ${revealed.text}.` }));
    for (const html of [revealed.replies[[answered ?? []].flat()[0]], revealed.reveal, revealed.why])
      if (html) outcome.append(made("div", { className: "prose", innerHTML: html }));
    if (question.class) outcome.append(made("h3", { textContent: "The class" }), histogram(question, question.class, answered));
    box.append(outcome);
    if (question.kind === "draw") showSketches(question, outcome, /** @type {number[] | null} */ (answered));
    drawn?.show(/** @type {number[]} */ ([answered ?? []].flat()), known ? truths : []);
    if (question.kind === "click" && question.class) markSteps(tape, byStep(question.class[question.class.length - 1].counts));
  }

  /** @param {Asked} question @param {HTMLElement} outcome @param {number[] | null} yours */
  async function showSketches(question, outcome, yours) {
    const of = keyOf(question);
    if (drawings?.of !== of) drawings = { of, sketches: fetchSketches(code, {}) };
    const sketches = await drawings.sketches.catch(() => null);
    if (sketches) outcome.append(drawSketches(question, sketches, { yours }));
    else drawings = null; // it is tried again when the question is shown again
  }

  return {
    ask,
    /** @param {Asked | null} question */
    again(question) {
      if (question?.status === "open" && kept.answers[keyOf(question)] !== undefined && form) give(question, form);
    },
  };
}

/** Whether a question is answered on a tape, which may be that of another page by now. @param {HTMLElement} tape @param {Asked} question */
function onTape(tape, { kind, signal }) {
  if (kind === "draw") return tape.querySelector(`[data-signal="${signal.split(".")[0]}"]`) !== null;
  return kind === "click";
}
