/** A question of a room: the form that a follower answers on, and what a class has answered. */

/** @import { Question } from "../boot.js" */
/** @import { Answer } from "../lesson/answers.js" */
/** @typedef {{labels: string[], counts: number[], right: boolean[], middle: number[], answers: number}} Tally */
/**
 * `ask` and `options` are markup, in which the server has escaped all that somebody wrote. Once it is `revealed` it has that, and
 * by round what the `class` said.
 * @typedef {Question & {id: number, ask: string, options: string[], grain: number, round: number, rounds: number,
 *            status: "open" | "locked" | "revealed", class?: Tally[], picked?: string[],
 *            revealed?: {truth: any, text: string, replies: string[], reveal: string, why: string}}} Asked
 */
import { written } from "../lesson/verdict.js";

/** @param {string} tag @param {object} [about] @param {(Node | string)[]} [inside] */
export const made = (tag, about = {}, inside = []) => {
  const element = Object.assign(document.createElement(tag), about);
  element.append(...inside);
  return element;
};

/** The form of a question, with nothing answered yet. @param {Asked} question */
export function formOf(question) {
  const words = made("div", { className: "ask", id: "room-ask", innerHTML: question.ask });
  const form = /** @type {HTMLFormElement} */ (made("form", { className: "predict" }, [words]));
  form.setAttribute("aria-labelledby", "room-ask");
  const range = (/** @type {object} */ about) => {
    const { low, high, grain } = question;
    const input = /** @type {HTMLInputElement} */ (made("input", { type: "range", min: low, max: high, step: grain, ...about }));
    input.value = String((low + high) / 2);
    return input;
  };
  if (question.kind === "choose") {
    const items = question.options.map((option, i) =>
      made("li", {}, [made("label", {}, [made("input", { type: "radio", name: "answer", value: String(i) }), made("span", { innerHTML: option })])]),
    ); // prettier-ignore
    const list = made("ol", { className: "options" }, items);
    list.setAttribute("role", "radiogroup");
    list.setAttribute("aria-labelledby", "room-ask");
    form.append(list);
  } else if (question.kind === "number") {
    const slide = range({ name: "answer" });
    slide.setAttribute("aria-labelledby", "room-ask");
    form.append(made("p", { className: "slide" }, [slide, made("output")]));
  } else {
    const steps = question.steps.map((token, i) => ({ token, t: i + 1 })).slice(question.start);
    const items = steps.map(({ token, t }) => {
      const input = question.kind === "draw" ? range({ ariaLabel: `at t = ${t}, ${token}` }) : made("input", { type: "checkbox", value: String(t), ariaLabel: `t = ${t}, ${token}` });
      const span = made("span", { textContent: token });
      return made("li", {}, [made("label", {}, question.kind === "draw" ? [span, input] : [input, span])]);
    }); // prettier-ignore
    const note = question.kind === "draw" ? "Draw the curve over its row in the figure, or set each step with these sliders." : "Select the steps here, or press them in the input row of the figure.";
    form.append(made("p", { className: "note", textContent: note }), made("ol", { className: question.kind === "draw" ? "draws" : "clicks" }, items)); // prettier-ignore
  }
  const button = made("button", { className: "main", textContent: "Send answer" });
  const refused = made("span", { className: "refused" });
  refused.setAttribute("role", "alert");
  form.append(made("p", { className: "act" }, [button, " ", refused]));
  return form;
}

/**
 * What a class has answered, as bars: the last round, and the one before it under these.
 * @param {Asked} question @param {Tally[]} rounds @param {Answer | null} [yours]
 */
export function histogram(question, rounds, yours = null) {
  const now = rounds[rounds.length - 1];
  const before = rounds.length > 1 ? rounds[rounds.length - 2] : null;
  const caption = made("p", { className: "note", textContent: `${now.answers} ${now.answers === 1 ? "answer" : "answers"}${before ? `, and ${before.answers} in the first round${question.kind === "draw" ? "" : " (thin bars)"}` : ""}` }); // prettier-ignore
  if (question.kind === "draw") return made("div", { className: "histogram" }, [caption]);
  const most = Math.max(1, ...now.counts, ...(before?.counts ?? []));
  const said = [yours ?? []].flat();
  const narrow = question.kind === "number";
  const bars = now.labels.map((label, i) => {
    const count = now.counts[i];
    const value = question.kind === "click" ? i + 1 : i;
    const mine = narrow ? said.length > 0 && Math.min(now.labels.length - 1, Math.floor(((said[0] - question.low) / (question.high - question.low)) * now.labels.length)) === i : said.includes(value); // prettier-ignore
    const item = made("li", { className: `${now.right[i] ? "is" : ""}${mine ? " yours" : ""}` });
    item.style.setProperty("--share", String(count / most));
    if (before) item.style.setProperty("--before", String(before.counts[i] / most));
    item.append(made("span", { className: "label", textContent: label }), made("span", { className: "bar" }), made("span", { className: "count", textContent: String(count) }));
    if (narrow) item.title = `${label}: ${count}`;
    return item;
  });
  return made("div", { className: `histogram${narrow ? " narrow" : ""}` }, [made("ol", {}, bars), ...(narrow ? [made("p", { className: "ends" }, [made("span", { textContent: written(question.low, question) }), made("span", { textContent: written(question.high, question) })])] : []), caption]); // prettier-ignore
}

/** @param {number[]} counts */
export const byStep = (counts) => Object.fromEntries(counts.map((count, i) => [i + 1, count]));
