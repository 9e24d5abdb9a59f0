/** The teacher's second window: it sees what the class sees as words, and moves the first window on. */

/** @import { View } from "../api.js" */
/** @import { Told } from "./class.js" */
/** @typedef {{title: string, notes: string, questions: Record<string, string>, link: string, upto: number | null}} Step */
import { request, roomAt, say } from "../api.js";
import { boot } from "../boot.js";
import { mountTheme } from "../labs/theme.js";
import { mountAsk } from "./ask.js";
import { capability, credentials } from "./capability.js";
import { mountClass } from "./class.js";
import { made } from "./question.js";
import { DELAYED, listen } from "./stream.js";

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const word = find(".room .word");
const modes = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[name=mode]"));
const two = /** @type {HTMLInputElement} */ (find("[name=two]"));
const own = capability();

/** The outline of the lesson that is shown. @type {{name: string, steps: Step[]} | null} */
let outline = null;
/** @type {Told | null} */
let told = null;

/** @param {string} part @param {object} body */
async function command(part, body) {
  if (!own) return;
  try {
    await say(own.code, part, { authorization: `Bearer ${own.secret}` }, body);
    word.textContent = "";
  } catch (error) {
    word.textContent = /** @type {Error} */ (error).message;
  }
}

const has = mountClass(find(".room-class"), null, command, () => ({ code: own?.code ?? "", headers: credentials(own) }));
/** @type {HTMLDetailsElement} */ (document.querySelector(".room-class details")).open = true; // nobody else sees this window

/** @param {number} by steps of the lesson, or of the run */
function go(by) {
  if (!told) return;
  const { page, link, step } = told.view;
  if (outline) {
    const n = (step ?? 1) + by;
    const next = outline.steps[n - 1];
    if (next) command("view", { page, link: next.link, step: n, upto: next.upto, by: "presenter" });
    return;
  }
  const keys = new URLSearchParams(link);
  const t = Number(keys.get("t") ?? 1) + by;
  if (t < 1) return;
  keys.set("t", String(t));
  command("view", { page, link: `?${keys}`, step: null, upto: told.view.upto, by: "presenter" });
}

/** @param {Told} now */
async function hear(now) {
  told = now;
  find(".room .count").textContent = `${now.followers} ${now.followers === 1 ? "student" : "students"}`;
  for (const mode of modes) mode.checked = mode.value === now.mode;
  has(now);
  if (now.ended) {
    stream?.stop();
    word.textContent = "The room has ended.";
    return;
  }
  const name = /^lessons\/(.+)$/.exec(now.view.page)?.[1] ?? "";
  if (name !== (outline?.name ?? "")) {
    const at = `api/lessons/${encodeURIComponent(name)}/outline`;
    outline = name ? { name, steps: await (await request(at, { headers: credentials(own) })).json() } : null;
    drawn = "";
  }
  draw(now.view);
}

let drawn = "";

/** @param {View} view */
function draw(view) {
  const key = JSON.stringify([view.page, view.step, outline ? "" : view.link]);
  if (key === drawn) return;
  drawn = key;
  const keys = new URLSearchParams(view.link);
  const n = view.step ?? 1;
  const steps = outline?.steps ?? [];
  const now = steps[n - 1];
  find(".shown .where").textContent = now ? `Lesson, step ${n} of ${steps.length}` : view.page || "Lab";
  find(".shown h2").textContent = now ? now.title : `${keys.get("model") ?? keys.get("task") ?? ""} ${keys.get("sequence") ?? ""}, t = ${keys.get("t") ?? 1}`;
  find(".shown .notes").innerHTML = now?.notes ?? "";
  const asks = Object.entries(now?.questions ?? {}).map(([question, html]) => {
    const button = made("button", { type: "button", innerHTML: html });
    button.addEventListener("click", () => command("question", { of: "lesson", lesson: outline?.name, question, rounds: two.checked ? 2 : 1 }));
    return made("li", {}, [button]);
  });
  find(".shown .ready").replaceChildren(...asks);
  find(".shown .two").hidden = asks.length === 0;
  const items = steps.map((step, i) => {
    const button = made("button", { type: "button", className: "quiet", textContent: `${i + 1} ${step.title}` });
    if (i + 1 === n) button.setAttribute("aria-current", "step");
    button.addEventListener("click", () => go(i + 1 - (told?.view.step ?? 1)));
    return made("li", {}, [button]);
  });
  find(".ahead ol").replaceChildren(...items);
}

for (const mode of modes) mode.addEventListener("change", () => command("mode", { mode: mode.value }));
find("[data-do=on]").addEventListener("click", () => go(1));
find("[data-do=back]").addEventListener("click", () => go(-1));
addEventListener("keydown", (event) => {
  const by = { PageDown: 1, PageUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  go(by);
});

let begun = Date.now();
const clock = find(".timer output");
const tick = () => {
  const seconds = Math.floor((Date.now() - begun) / 1000);
  clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};
setInterval(tick, 1000);
tick();
find("[data-do=restart]").addEventListener("click", () => {
  begun = Date.now();
  tick();
});
mountTheme(find("#theme"));

/** What can be asked of what the class sees. @returns {import("./ask.js").Place} */
function place() {
  const { page, link, step, upto, shape = "" } = /** @type {Told} */ (told).view;
  const questions = outline?.steps[(step ?? 1) - 1]?.questions ?? {};
  const words = Object.fromEntries(Object.entries(questions).map(([id, html]) => [id, made("div", { innerHTML: html }).textContent ?? ""]));
  const cell = shape.split("|")[1];
  return { view: { page, link, step, upto }, lesson: outline && { name: outline.name, questions: words }, cell: boot.cells[cell] ? cell : null };
}

/** What is said of the connection. @param {"lost" | "held"} kind @param {string} message "" once this is over */
function trouble(kind, message) {
  if (!message && word.dataset.kind !== kind) return;
  word.textContent = message;
  word.dataset.kind = kind;
}

/** @type {ReturnType<typeof listen> | null} */
let stream = null;
if (own) {
  const { code } = own;
  const dialog = /** @type {HTMLDialogElement} */ (find("#room-ask-dialog"));
  mountAsk(dialog, find("[data-room=ask]"), place, (ask) => say(code, "question", credentials(own), ask));
  stream = listen(roomAt(code, "class"), () => credentials(own), {
    hear(name, data) {
      trouble("lost", "");
      if (name) hear(data);
    },
    lost: (message) => trouble("lost", message),
    held: (held) => trouble("held", held ? DELAYED : ""),
  });
} else {
  find("[data-room=ask]").hidden = true;
  word.textContent = "This window controls no room. Open it with the “Presenter window” link of your room.";
}
