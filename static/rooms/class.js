/** The teacher's display of a class: the counts of the answers, and the views of the students while they explore. */

/** @import { View } from "./requests.js" */
/** @import { RoomQuestion, Status, Tally } from "./question.js" */
/** Whether students see the teacher's view, have views of their own, or keep the last view. @typedef {"follow" | "explore" | "pause"} ClassMode */
/**
 * The state of a class for its teacher. `away` is a message if the server cannot reach its rooms. While the class explores, `looks`
 * counts the students at each model and step, and `looks.offers` has the views that students suggest.
 * @typedef {{view: View, mode: ClassMode, question: RoomQuestion | null, ended: boolean, followers: number, away?: string,
 *            answers?: {count: number, class: Tally[]},
 *            looks?: {models: [string, number][], steps: Record<string, number>, offers: View[], count: number}}} ClassState
 */
import { finder, newButton, newElement } from "../elements.js";
import { KINDS } from "../questions/kinds.js";
import { markSteps } from "./marks.js";
import { createPicking } from "./picking.js";
import { byStep } from "./question.js";

/** @type {Record<Status, string>} */
const STATUS = { open: "taking answers", locked: "no more answers", revealed: "answer shown" };

/**
 * Mount the display of the class.
 * @param {HTMLElement} panel
 * @param {HTMLElement | null} tape
 * @param {(part: string, body: object) => Promise<unknown>} command sends a request to the room
 * @param {() => {code: string, headers: Record<string, string>}} access returns the code and the headers for requests
 * @returns {(state: ClassState | null) => void} a function that shows a state; null means that the room has ended
 */
export function mountClass(panel, tape, command, access) {
  const find = finder(panel);
  const [questionPart, looking, peek] = [".asked", ".looking", ".asked details"].map(find);
  /** @type {((question: RoomQuestion | null) => void) | null} */
  let pick = null;
  /** @type {ClassState | null} */
  let last = null;

  for (const turn of ["close", "again", "reveal", "dismiss"])
    find(`[data-room=${turn}]`).addEventListener("click", () => command("turn", { turn }));
  peek.addEventListener("toggle", () => last && mark(last));

  /** @param {ClassState} state */
  function mark({ question, answers, looks, mode }) {
    const seen = question?.status === "revealed" || /** @type {HTMLDetailsElement} */ (peek).open;
    const rounds = question?.class ?? answers?.class;
    if (question && KINDS[question.kind].marksSteps && rounds && seen)
      markSteps(tape, byStep(rounds[rounds.length - 1].counts));
    else markSteps(tape, mode === "explore" && looks ? looks.steps : {});
  }

  /** @param {RoomQuestion} question @param {NonNullable<ClassState["answers"]>} answers @param {number} followers */
  function showQuestion(question, answers, followers) {
    const { status, round, rounds, revealed } = question;
    find(".asked .ask").innerHTML = question.ask;
    const which = rounds > 1 ? `, round ${round} of ${rounds}` : "";
    const { did = "answered", picture } = KINDS[question.kind];
    find(".asked .count").textContent = `${answers.count} of ${followers} ${did}; ${STATUS[status]}${which}`;
    const labels = revealed ? [] : question.options.map((innerHTML) => newElement("li", { innerHTML }));
    find(".asked .choices").replaceChildren(...labels);
    find("[data-room=close]").hidden = status !== "open";
    find("[data-room=again]").hidden = status !== "locked";
    find("[data-room=again]").textContent = round < rounds ? "Second round" : "Take answers again";
    find("[data-room=reveal]").hidden = peek.hidden = status === "revealed";
    const bars = picture(question, question.class ?? answers.class, null);
    find(".peek").replaceChildren(...(revealed ? [] : [bars]));
    const prose = newElement("div", { className: "prose", innerHTML: revealed ? revealed.reveal + revealed.why : "" });
    find(".result").replaceChildren(...(revealed ? [bars, prose] : []));
  }

  /** @param {NonNullable<ClassState["looks"]>} looks @param {number} followers */
  function showLooks({ count, models, offers }, followers) {
    const where = tape
      ? " The bars below the inputs show how many students look at each timestep. They count only students with your model and sequence."
      : "";
    find(".looking .count").textContent = count
      ? `${count} of ${followers} students have explored.${where}`
      : "No student has explored yet.";
    find(".models").replaceChildren(
      ...models.map(([name, many]) => newElement("li", {}, [`${name} `, newElement("b", String(many))])),
    );
    find(".offers").replaceChildren(...offers.map(itemOf));
  }

  /** Create the list item of a suggested view, with a button that shows this view to the class. @param {View} offer */
  function itemOf({ page, link, step, upto }) {
    const keys = new URLSearchParams(link);
    const changes = ["sequence", "clamps", "weights"].flatMap((key) => keys.get(key) ?? []).join(", ");
    const show = newButton("Show to everyone", async () => {
      await command("view", { page, link, step, upto, by: "" });
      await command("mode", { mode: "follow" });
    });
    return newElement("li", {}, [`${keys.get("model") ?? keys.get("task") ?? (page || "Lab")}: ${changes} `, show]);
  }

  return (state) => {
    const before = last;
    last = state;
    panel.hidden = !state || (!state.question && state.mode !== "explore");
    if (!state) {
      pick = null; // the next room gets a new one
      return markSteps(tape, {});
    }
    const { question, answers, looks, followers } = state;
    questionPart.hidden = !question;
    looking.hidden = Boolean(question) || !looks;
    if (question && answers) showQuestion(question, answers, followers);
    const kind = question && KINDS[question.kind];
    if (kind?.opensWhenLocked && question?.status === "locked" && before?.question?.status === "open")
      /** @type {HTMLDetailsElement} */ (peek).open = true;
    if (kind?.hasSketches) pick ??= createPicking(find(".picking"), access().code, access().headers, command);
    pick?.(question);
    if (looks) showLooks(looks, followers);
    mark(state);
  };
}
