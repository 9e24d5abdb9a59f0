/** The presenter window of a teacher, which describes the view of the class. Its buttons move the teacher's main window to another step. */

/** @import { ClassState } from "./class.js" */
/** @import { View } from "./requests.js" */
/** @typedef {{title: string, notes: string, questions: Record<string, string>, link: string, upto: number | null}} Step */
import { boot } from "../boot.js";
import { finder, mountChoice, newButton, newElement } from "../elements.js";
import { mountTheme } from "../experiments/theme.js";
import { getJson } from "../server.js";
import { mountAsk } from "./ask.js";
import { credentials, readCapability } from "./capability.js";
import { mountClass } from "./class.js";
import { countStudents } from "./marks.js";
import { seenBy } from "./question.js";
import { postToRoom, roomUrl } from "./requests.js";
import { createStatus } from "./status.js";
import { DELAYED, listen } from "./stream.js";
import { mountTimer } from "./timer.js";

const find = finder(document);
const status = createStatus(find(".room .word"));
const showMode = mountChoice(document, "[name=mode]", (mode) => command("mode", { mode }));
const two = /** @type {HTMLInputElement} */ (find("[name=two]"));
const capability = readCapability();
const headers = credentials(capability);

/** The outline of the lesson that the class sees, or null on other pages. @type {{name: string, steps: Step[]} | null} */
let outline = null;
/** @type {ClassState | null} */
let state = null;
let drawn = "";
/** @type {ReturnType<typeof listen> | null} */
let stream = null;

/** Send a request to the room. @param {string} part @param {object} body */
async function command(part, body) {
  if (!capability) return;
  try {
    await postToRoom(capability.code, part, headers, body);
    status.write("");
  } catch (error) {
    status.write(/** @type {Error} */ (error).message);
  }
}

/** Move the class forward or back. @param {number} steps steps of the lesson, or of the run */
function go(steps) {
  if (!state) return;
  const { page, link, step, upto } = state.view;
  const question = seenBy(state.question);
  if (outline) {
    const n = (step ?? 1) + steps;
    const next = outline.steps[n - 1];
    if (next) command("view", { page, link: next.link, step: n, upto: next.upto, by: "presenter", question });
    return;
  }
  const keys = new URLSearchParams(link);
  const t = Number(keys.get("t") ?? 1) + steps;
  if (t < 1) return;
  keys.set("t", String(t));
  command("view", { page, link: `?${keys}`, step: null, upto, by: "presenter", question });
}

/** @param {ClassState} next */
async function receive(next) {
  state = next;
  find(".room .count").textContent = countStudents(next.followers);
  showMode(next.mode);
  showClass(next);
  if (next.ended) {
    stream?.stop();
    status.write("The room has ended.");
    return;
  }
  const name = /^lessons\/(.+)$/.exec(next.view.page)?.[1] ?? "";
  if (name !== (outline?.name ?? "")) {
    const url = `api/lessons/${encodeURIComponent(name)}/outline`;
    outline = name ? { name, steps: await getJson(url, { headers }) } : null;
    drawn = "";
  }
  draw(next.view);
}

/** @param {View} view */
function draw(view) {
  const key = JSON.stringify([view.page, view.step, outline ? "" : view.link]);
  if (key === drawn) return;
  drawn = key;
  const keys = new URLSearchParams(view.link);
  const n = view.step ?? 1;
  const steps = outline?.steps ?? [];
  const current = steps[n - 1];
  const run = `${keys.get("model") ?? keys.get("task") ?? ""} ${keys.get("sequence") ?? ""}, t = ${keys.get("t") ?? 1}`;
  find(".shown .where").textContent = current ? `Lesson, part ${n} of ${steps.length}` : view.page || "Lab";
  find(".shown h2").textContent = current ? current.title : view.page === "start" ? "Be the gate" : run;
  find(".shown .notes").innerHTML = current?.notes ?? "";
  const questions = Object.entries(current?.questions ?? {}).map(([question, html]) => {
    const put = () =>
      command("question", { subject: "lesson", lesson: outline?.name, question, rounds: two.checked ? 2 : 1 });
    return newElement("li", {}, [newButton("", put, { innerHTML: html })]);
  });
  find(".shown .ready").replaceChildren(...questions);
  find(".shown .two").hidden = questions.length === 0;
  const items = steps.map(({ title }, i) => {
    const button = newButton(`${i + 1} ${title}`, () => go(i + 1 - (state?.view.step ?? 1)), { className: "quiet" });
    if (i + 1 === n) button.setAttribute("aria-current", "step");
    return newElement("li", {}, [button]);
  });
  find(".ahead ol").replaceChildren(...items);
}

/** Return the view of the class as the place that the teacher's questions are about. @returns {import("./ask.js").Place} */
function place() {
  const { page, link, step, upto, shape = "" } = /** @type {ClassState} */ (state).view;
  const questions = Object.entries(outline?.steps[(step ?? 1) - 1]?.questions ?? {});
  const texts = questions.map(([id, html]) => [id, newElement("div", { innerHTML: html }).textContent ?? ""]);
  const lesson = outline && { name: outline.name, questions: Object.fromEntries(texts) };
  const cell = shape.split("|")[1];
  return { view: { page, link, step, upto }, lesson, cell: boot.cells[cell] ? cell : null };
}

const access = () => ({ code: capability?.code ?? "", headers });
const showClass = mountClass(find(".room-class"), null, command, access);
/** @type {HTMLDetailsElement} */ (document.querySelector(".room-class details")).open = true; // nobody else sees this window

find("[data-do=on]").addEventListener("click", () => go(1));
find("[data-do=back]").addEventListener("click", () => go(-1));
addEventListener("keydown", (event) => {
  const steps = { PageDown: 1, PageUp: -1 }[event.key];
  if (!steps) return;
  event.preventDefault();
  go(steps);
});
mountTimer(find(".timer output"), find("[data-do=restart]"));
mountTheme(find("#theme"));

if (capability) {
  const { code } = capability;
  const dialog = /** @type {HTMLDialogElement} */ (find("#room-ask-dialog"));
  mountAsk(dialog, find("[data-room=ask]"), place, (question) => postToRoom(code, "question", headers, question));
  stream = listen(roomUrl(code, "class"), () => headers, {
    receive(name, data) {
      status.clear("lost");
      if (name) receive(data);
    },
    lost: (message) => status.write(message, "lost"),
    delayed: (delayed) => (delayed ? status.write(DELAYED, "delayed") : status.clear("delayed")),
  });
} else {
  find("[data-room=ask]").hidden = true;
  status.write("This window controls no room. Open it with the “Presenter window” link of your room.");
}
