/**
 * A lesson beside a figure. Each step of the lesson is a link that also sets the figure. A question hides the rest of the run until the
 * visitor answers. The figure then shows the whole run, and the page shows the visitor's answer beside the result.
 */

/**
 * The figure that a lesson controls. `show` opens a link; until the visitor answers, the run ends after the timestep `upto`.
 * `address` returns the link to the current view, and `upto` returns the last timestep of the run. `subscribe` adds a listener, which is
 * called when the address or the last timestep may have changed. The figure is `busy` while it loads a link. In a room, `ask` passes the
 * room's question to a figure in which students can answer; on a student's page it also passes the function that sends an answer.
 * `opening` is the request for a question that a new room asks at once.
 * @typedef {{show: (query: string, upto: number | null) => void, address: () => string, upto: () => number | null,
 *            subscribe: (listener: () => void) => void, busy?: () => boolean, opening?: object,
 *            ask?: (question: RoomQuestion | null, submit?: (answer: number[]) => void) => void}} Figure
 */
/**
 * The controls of a lesson for a room. While the page leads a room (`lead`), the class answers the questions: the page does not show the
 * teacher's own answers, and each step with a question starts with the view `beginning`. `cover` hides an experiment until the answer is
 * shown.
 * @typedef {{go: (n: number) => void, step: () => number, fetchStep: (n: number) => Promise<void>, lead: (on: boolean) => void,
 *            beginning: () => {link: string, upto: number | null} | null, cover: (on: boolean) => void}} LessonControl
 */
/** @import { RoomQuestion } from "../rooms/question.js" */
import { lesson, room } from "../boot.js";
import { finder } from "../elements.js";
import { recording } from "../recording.js";
import { addressOf, leave, push, stepIn, stepInAddress } from "./address.js";
import { mountPoints } from "./points.js";
import { mountQuestions } from "./questions.js";
import { mountReturn } from "./return.js";
import { mountYours } from "./yours.js";

/**
 * Mount the lesson. In a room, the teacher chooses the step and asks the questions.
 * @param {Figure} figure
 * @returns {LessonControl | null}
 */
export function mountLesson(figure) {
  if (!lesson) return null;
  const { steps } = lesson;
  const aside = /** @type {HTMLElement} */ (document.querySelector("aside.lesson"));
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const find = finder(aside);
  const sectionOf = (/** @type {number} */ n) => find(`.step[data-step="${n}"]`);
  const announce = (/** @type {string} */ text) => (find("footer [role=status]").textContent = text);
  const { shape } = steps[lesson.step - 1]; // of the figure on this page
  let current = lesson.step;

  const { spotlight } = mountPoints(aside, main);
  const updateNumbers = mountYours(figure, () => sectionOf(current));
  const asks = () => sectionOf(current).querySelector("form.predict") !== null;
  const back = /** @type {HTMLElement | null} */ (aside.querySelector("[data-do=return]"));
  const showFigure = mountReturn(back, main, figure, steps[current - 1], asks, announce);
  const questions = mountQuestions(aside, lesson, showFigure, updateNumbers, announce);

  /** Go to a step. @param {number} n @param {boolean} [enter] whether to add an entry to the browser's history */
  function go(n, enter = true) {
    const { link, upto } = steps[n - 1];
    if (steps[n - 1].shape !== shape) return leave(n);
    if (enter && !room) push(n);
    current = n;
    showStep(aside, n);
    questions.enter(n);
    if (!room) showFigure(link, upto);
    questions.restore();
    aside.scrollTop = 0;
    const heading = /** @type {HTMLElement} */ (sectionOf(n).querySelector("h2"));
    if (!room) heading.focus({ preventScroll: matchMedia("(min-width: 60rem)").matches });
    spotlight(sectionOf(n));
  }

  aside.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest("a");
    const n = link && !event.ctrlKey && !event.metaKey && !event.shiftKey ? stepIn(link) : 0;
    if (!n) return;
    event.preventDefault();
    // In a room, a student's page has only the steps that the teacher has reached.
    if (!room || aside.querySelector(`.step[data-step="${n}"]`)) go(n);
  });
  addEventListener("popstate", () => {
    const n = stepInAddress();
    go(n >= 1 && n <= steps.length ? n : 1, false);
  });

  /** Return the first view of the current step, or null if the step has no question. */
  const beginning = () => (asks() ? steps[current - 1] : null);

  questions.enter(current);
  questions.restore();
  spotlight(sectionOf(current));
  // In a saved lesson, the name of the frame contains the number of the step to show.
  const named = recording ? Number(/^step-(\d+)$/.exec(window.name)?.[1] ?? current) : current;
  if (named !== current) go(named, false);

  return {
    go,
    step: () => current,
    fetchStep: (n) => fetchStep(aside, n),
    lead(on) {
      document.body.classList.toggle("leading", on);
      questions.lead(on);
      const view = on && beginning();
      if (view) showFigure(view.link, view.upto);
    },
    beginning,
    cover: (on) => document.body.classList.toggle("covered", on),
  };
}

/** Show the section of a step, and mark the link to the step. @param {HTMLElement} aside @param {number} n */
function showStep(aside, n) {
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (aside.querySelectorAll(".step")))
    section.hidden = Number(section.dataset.step) !== n;
  for (const link of aside.querySelectorAll(".steps a")) {
    if (link.getAttribute("href") === addressOf(n)) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
}

/**
 * Fetch the section of a step from a new copy of the page. In a room, the page only has the steps that the teacher has reached.
 * @param {HTMLElement} aside @param {number} n
 */
async function fetchStep(aside, n) {
  if (aside.querySelector(`.step[data-step="${n}"]`)) return;
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const section = page.querySelector(`aside.lesson .step[data-step="${n}"]`);
  if (!section) return location.reload(); // the teacher has gone on to another page
  const sections = [...aside.querySelectorAll(".step")];
  sections[sections.length - 1].after(...[...page.querySelectorAll("aside.lesson .step")].slice(sections.length));
}
