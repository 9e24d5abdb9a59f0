/** What a teacher sees of a class: how many answer what, and, while it explores, what it looks at. */

/** @import { View } from "../api.js" */
/** @import { Asked, Tally } from "./question.js" */
/**
 * What is told of a class. `away` says that what keeps the rooms is not to be had. `looks` say, while it explores, how many look at which model and step, and what is offered.
 * @typedef {{view: View, mode: "follow" | "explore" | "pause", question: Asked | null, ended: boolean, followers: number, away?: string,
 *            answers?: {count: number, class: Tally[]},
 *            looks?: {models: [string, number][], steps: Record<string, number>, offers: View[], count: number}}} Told
 */
import { markSteps } from "./marks.js";
import { byStep, histogram, made } from "./question.js";
import { mountPicking } from "./sketches.js";

const STATUS = { open: "taking answers", locked: "no more answers", revealed: "answer shown" };

/**
 * @param {HTMLElement} panel
 * @param {HTMLElement | null} tape
 * @param {(part: string, body: object) => Promise<unknown>} command
 * @param {() => {code: string, headers: Record<string, string>}} room
 * @returns {(told: Told | null) => void}
 */
export function mountClass(panel, tape, command, room) {
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (panel.querySelector(selector));
  const button = (/** @type {string} */ what) => part(`[data-room=${what}]`);
  const [asked, looking, peek] = [".asked", ".looking", ".asked details"].map(part);
  for (const turn of ["close", "again", "reveal", "dismiss"])
    button(turn).addEventListener("click", () => command("turn", { turn }));
  /** @type {((question: Asked | null) => void) | null} */
  let picking = null;
  /** @type {Told | null} */
  let last = null;
  peek.addEventListener("toggle", () => last && mark(last));

  /** @param {Told} told */
  function mark({ question, answers, looks, mode }) {
    const seen = question?.status === "revealed" || /** @type {HTMLDetailsElement} */ (peek).open;
    const rounds = question?.class ?? answers?.class;
    if (question?.kind === "click" && rounds && seen) markSteps(tape, byStep(rounds[rounds.length - 1].counts));
    else markSteps(tape, mode === "explore" && looks ? looks.steps : {});
  }

  /** @param {Asked} question @param {NonNullable<Told["answers"]>} answers @param {number} followers */
  function tellQuestion(question, answers, followers) {
    const { status, round, rounds, revealed } = question;
    part(".asked .ask").innerHTML = question.ask;
    const which = rounds > 1 ? `, round ${round} of ${rounds}` : "";
    part(".asked .count").textContent = `${answers.count} of ${followers} answered; ${STATUS[status]}${which}`;
    button("close").hidden = status !== "open";
    button("again").hidden = status !== "locked";
    button("again").textContent = round < rounds ? "Second round" : "Take answers again";
    button("reveal").hidden = peek.hidden = status === "revealed";
    const bars = histogram(question, question.class ?? answers.class);
    part(".peek").replaceChildren(...(revealed ? [] : [bars]));
    const result = part(".result");
    result.replaceChildren(...(revealed ? [bars, made("div", { className: "prose", innerHTML: revealed.reveal + revealed.why })] : []));
  }

  /** @param {NonNullable<Told["looks"]>} looks @param {number} followers */
  function tellLooks({ count, models, offers }, followers) {
    const where = tape ? " The bars below the inputs show how many students look at each step. They count only students with your model and sequence." : "";
    part(".looking .count").textContent = count ? `${count} of ${followers} students have explored.${where}` : "No student has explored yet.";
    part(".models").replaceChildren(...models.map(([name, many]) => made("li", {}, [`${name} `, made("b", { textContent: String(many) })]))); // prettier-ignore
    part(".offers").replaceChildren(...offers.map(offered));
  }

  /** @param {View} offer */
  function offered({ page, link, step, upto }) {
    const keys = new URLSearchParams(link);
    const changes = ["sequence", "clamps", "weights"].flatMap((key) => keys.get(key) ?? []).join(", ");
    const show = made("button", { type: "button", textContent: "Show to everyone" });
    show.addEventListener("click", async () => {
      await command("view", { page, link, step, upto, by: "" });
      await command("mode", { mode: "follow" });
    });
    return made("li", {}, [`${keys.get("model") ?? keys.get("task") ?? (page || "Lab")}: ${changes} `, show]);
  }

  return (told) => {
    last = told;
    panel.hidden = !told || (!told.question && told.mode !== "explore");
    if (!told) {
      picking = null; // the next room has its own
      return markSteps(tape, {});
    }
    const { question, answers, looks, followers } = told;
    asked.hidden = !question;
    looking.hidden = Boolean(question) || !looks;
    if (question && answers) tellQuestion(question, answers, followers);
    if (question?.kind === "draw") picking ??= mountPicking(part(".picking"), room().code, room().headers, command);
    picking?.(question);
    if (looks) tellLooks(looks, followers);
    mark(told);
  };
}
