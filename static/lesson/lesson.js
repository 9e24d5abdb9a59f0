/**
 * A lesson beside a figure: its steps are links, each puts the figure where the step wants it. A question keeps what follows to
 * itself until one has answered; then the network runs, and both stand side by side.
 */

/** @import { Answer } from "./answers.js" */
/** @import { Over } from "./overtape.js" */
/** @import { Revealed } from "./verdict.js" */
/**
 * What a page lets a lesson do with it: show a link, with the run ending after a step until one has answered. `address` is the link
 * to what it shows now, `upto` how far its run goes, and its listener is told when these may have changed. It is `busy` while a link is on its way.
 * @typedef {{show: (query: string, upto: number | null) => void, address: () => string, upto: () => number | null,
 *            subscribe: (listener: () => void) => void, busy?: () => boolean}} Figure
 */
import * as api from "../api.js";
import { lesson, room } from "../boot.js";
import { ended } from "../elements.js";
import { frameKeys } from "../frame.js";
import { credentials } from "../rooms/capability.js";
import { answersIn, forget, keep } from "./answers.js";
import { NOTHING, fill, mark, read, slid } from "./form.js";
import { clickOver, drawOver } from "./overtape.js";
import { mountPoints } from "./points.js";
import { verdict } from "./verdict.js";
import { mountYours } from "./yours.js";

/**
 * In a room it is the teacher who goes on, and who asks.
 * @param {Figure} figure
 */
export function mountLesson(figure) {
  if (!lesson) return null;
  const { name, steps, questions } = lesson;
  const aside = /** @type {HTMLElement} */ (document.querySelector("aside.lesson"));
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const tape = /** @type {HTMLElement | null} */ (document.querySelector("#tape"));
  const said = /** @type {HTMLElement} */ (aside.querySelector("footer [role=status]"));
  const [back, clear] = ["return", "clear"].map((what) => /** @type {HTMLElement | null} */ (aside.querySelector(`[data-do=${what}]`)));
  const shape = steps[lesson.step - 1].shape; // of the figure that the page came with
  let now = lesson.step;
  /** What stands on the tape of a question. @type {Over[]} */
  let overs = [];
  /** The link of the figure as the step has it, and how far it runs. @type {{link: string, upto: number | null}} */
  let wanted = steps[now - 1];

  const sectionOf = (/** @type {number} */ n) => /** @type {HTMLElement} */ (aside.querySelector(`.step[data-step="${n}"]`));
  const formsOf = (/** @type {number} */ n) => /** @type {HTMLFormElement[]} */ ([...sectionOf(n).querySelectorAll("form.predict")]);
  const idOf = (/** @type {HTMLElement} */ form) => form.dataset.question ?? "";

  /** Put the figure where it belongs. @param {string} link @param {number | null} upto */
  function show(link, upto) {
    wanted = { link, upto };
    figure.show(link, upto);
    if (back) back.hidden = true;
  }

  /** @param {number} n @param {boolean} [enter] whether the address is to say so */
  function go(n, enter = true) {
    const address = `?step=${n}${frameKeys}`;
    if (steps[n - 1].shape !== shape) return leave(n, address);
    if (enter && !room) enterAddress(n, address);
    now = n;
    for (const section of /** @type {NodeListOf<HTMLElement>} */ (aside.querySelectorAll(".step")))
      section.hidden = Number(section.dataset.step) !== n;
    for (const link of aside.querySelectorAll(".steps a")) {
      if (stepIn(link) === n) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    begin();
    if (!room) {
      show(steps[n - 1].link, steps[n - 1].upto);
      answerAgain();
    }
    aside.scrollTop = 0;
    if (!room) /** @type {HTMLElement} */ (sectionOf(n).querySelector("h2")).focus({ preventScroll: matchMedia("(min-width: 60rem)").matches });
    spotlight(sectionOf(n));
  }

  /** Where a link in the lesson leads, 0 where that is no step. @param {Element} link */
  const stepIn = (link) => Number(/^\?step=(\d+)$/.exec(link.getAttribute("href") ?? "")?.[1] ?? 0);

  /** @param {number} n @param {string} address */
  function enterAddress(n, address) {
    if (!api.recording) history.pushState(null, "", address);
    else if (parent === window) history.pushState(null, "", `#${n}`);
    else parent.postMessage({ type: "gruscope-at", step: n }, "*");
  }

  /** A figure of another kind comes with a page of its own; in a saved file the page around has it. @param {number} n @param {string} address */
  function leave(n, address) {
    if (api.recording) parent.postMessage({ type: "gruscope-step", step: n }, "*");
    else location.assign(address);
  }

  /** The tape is made ready for the step's questions. */
  function begin() {
    for (const over of overs) over.remove();
    overs = [];
    if (room) return;
    for (const form of formsOf(now)) {
      const question = questions[idOf(form)];
      if (!tape || !["draw", "click"].includes(question.kind)) continue;
      const over = (question.kind === "draw" ? drawOver : clickOver)(tape, question, (answer) => {
        fill(form, question, answer);
        over.show(answer);
      });
      const show = () => over.show(/** @type {number[]} */ (read(form, question) ?? []));
      form.oninput = show;
      show();
      overs.push(over);
    }
  }

  /** @param {HTMLFormElement} form @param {Answer} answer @param {boolean} anew whether it has just been given */
  async function reveal(form, answer, anew) {
    const id = idOf(form);
    const refused = /** @type {HTMLElement} */ (form.querySelector(".refused"));
    /** @type {Revealed} */
    let revealed;
    try {
      revealed = await api.reveal(name, id, credentials());
    } catch (error) {
      refused.textContent = `${ended(/** @type {Error} */ (error).message)} Your answer is saved. Press “Check answer” to try again.`;
      return;
    }
    refused.textContent = "";
    for (const control of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input, .act button"))) control.disabled = true;
    form.classList.add("committed");
    const of = questions[id];
    mark(form, of, answer, [revealed.truth].flat());
    const labels = [...form.querySelectorAll(".options label span:first-of-type")].map((one) => one.textContent?.trim() ?? "");
    const box = /** @type {HTMLElement} */ (aside.querySelector(`.revealed[data-question="${id}"]`));
    const first = document.createElement("p");
    first.className = "outcome";
    first.textContent = verdict(of, answer, revealed, labels[[answer].flat()[0]]);
    box.replaceChildren(first);
    for (const [kind, html] of [["reply", of.kind === "choose" ? revealed.replies[[answer].flat()[0]] : ""], ["reveal", revealed.reveal], ["why", revealed.why]]) {
      if (!html) continue;
      const part = document.createElement("div");
      part.className = `prose ${kind}`;
      part.innerHTML = html; // the server's own rendering, in which a lesson's HTML is text
      box.append(part);
    }
    const again = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Answer again" });
    again.addEventListener("click", () => reopen(form));
    box.append(again);
    box.hidden = false;
    if (clear) clear.hidden = false;
    if (anew || steps[now - 1].upto !== null || steps[now - 1].link !== revealed.link) show(revealed.link, null);
    const over = overs[formsOf(now).filter((one) => ["draw", "click"].includes(questions[idOf(one)].kind)).indexOf(form)];
    over?.show(/** @type {number[]} */ (answer), /** @type {number[]} */ (revealed.truth));
    if (anew) {
      box.focus({ preventScroll: true });
      box.scrollIntoView({ block: "nearest" });
      said.textContent = first.textContent;
    }
    askNumbers();
  }

  /** Take an answer back. @param {HTMLFormElement} form */
  function reopen(form) {
    const box = /** @type {HTMLElement} */ (aside.querySelector(`.revealed[data-question="${idOf(form)}"]`));
    box.hidden = true;
    box.replaceChildren();
    form.classList.remove("committed");
    for (const control of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input, .act button"))) control.disabled = false;
    for (const item of form.querySelectorAll(".is, .yours")) item.classList.remove("is", "yours");
    if (sectionOf(now).contains(form)) {
      begin();
      show(steps[now - 1].link, steps[now - 1].upto);
    }
  }

  /** What was answered on this device is answered. */
  function answerAgain() {
    const kept = answersIn(name);
    for (const form of formsOf(now)) {
      const answer = kept[idOf(form)];
      if (answer === undefined) continue;
      const question = questions[idOf(form)];
      fill(form, question, answer);
      // A question that has changed since then has no such answer.
      if (JSON.stringify(read(form, question)) !== JSON.stringify(answer)) continue;
      reveal(form, answer, false);
    }
  }

  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (aside.querySelectorAll("form.predict"))) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = read(form, questions[idOf(form)]);
      /** @type {HTMLElement} */ (form.querySelector(".refused")).textContent = answer === null ? NOTHING : "";
      if (answer === null) return;
      keep(name, idOf(form), answer);
      reveal(form, answer, true);
    });
    form.addEventListener("input", () => slid(form, questions[idOf(form)]));
    slid(form, questions[idOf(form)]);
  }
  aside.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest("a");
    const n = link && !event.ctrlKey && !event.metaKey && !event.shiftKey ? stepIn(link) : 0;
    if (!n) return;
    event.preventDefault();
    go(n);
  });
  addEventListener("popstate", () => {
    const said = new URLSearchParams(location.search).get("step") ?? (location.hash.slice(1) || "1");
    const n = Number(said);
    go(n >= 1 && n <= steps.length ? n : 1, false);
  });

  // Whoever plays with the figure can come back.
  back?.addEventListener("click", () => {
    show(wanted.link, wanted.upto);
    said.textContent = "The figure shows the lesson’s run again.";
  });
  const played = (/** @type {Event} */ event) => {
    const inside = main.contains(/** @type {Node} */ (event.target));
    const key = event instanceof KeyboardEvent && /^(Arrow|Home|End| )/.test(event.key);
    if (back && (event instanceof KeyboardEvent ? key && !(/** @type {HTMLElement} */ (event.target).closest("aside input")) : inside)) back.hidden = false;
  };
  for (const type of ["pointerdown", "input", "keydown"]) addEventListener(type, played);

  const { spotlight } = mountPoints(aside, main);
  const askNumbers = mountYours(figure, () => sectionOf(now));

  clear?.addEventListener("click", () => {
    forget(name);
    clear.hidden = true;
    for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (aside.querySelectorAll("form.committed"))) reopen(form);
    said.textContent = "Your answers to this lesson are cleared.";
  });
  if (clear) clear.hidden = !Object.keys(answersIn(name)).length;

  begin();
  if (!room) answerAgain();
  spotlight(sectionOf(now));
  // A saved file says in the frame's name which step is wanted.
  const named = api.recording ? Number(/^step-(\d+)$/.exec(window.name)?.[1] ?? now) : now;
  if (named !== now) go(named, false);

  /** In a room the page comes with the steps up to the teacher's: a later one is taken from the page as it is by now. @param {number} n */
  async function bring(n) {
    if (sectionOf(n)) return;
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const section = page.querySelector(`aside.lesson .step[data-step="${n}"]`);
    if (!section) return location.reload(); // the teacher has gone on to another page
    const sections = [...aside.querySelectorAll(".step")];
    sections[sections.length - 1].after(...[...page.querySelectorAll("aside.lesson .step")].slice(sections.length));
  }

  return { go, bring, step: () => now };
}
