/** A teacher's side of a room: opens it, shows it what this page shows, asks, and sees what the class does. */

/** @import { View } from "../api.js" */
/** @import { Figure } from "../lesson/lesson.js" */
/** @import { Capability } from "./capability.js" */
/** @import { Told } from "./class.js" */
import { UP, Refusal, openRoom, request, roomAt, say } from "../api.js";
import { boot, lesson as course } from "../boot.js";
import { pageCell } from "../cells.js";
import { copy } from "../clipboard.js";
import { sentence } from "../elements.js";
import { home } from "../frame.js";
import { LONGEST } from "../link.js";
import { mountAsk } from "./ask.js";
import { asHash, capability, credentials, hold } from "./capability.js";
import { mountClass } from "./class.js";
import { DELAYED, listen } from "./stream.js";

const PAUSE = 120; // ms between two views that are told: the newest is what counts
const AGAIN = 1000; // ms until one that was not heard is told again

/** This window, so that it knows its own words. */
const by = Math.random().toString(36).slice(2, 10);

/**
 * @param {Figure} figure
 * @param {{go: (n: number) => void, step: () => number} | null} lesson where the page is a lesson's
 */
export function mountTeacher(figure, lesson) {
  const opener = document.querySelector("#room-open");
  if (!(opener instanceof HTMLElement)) return;
  const bar = /** @type {HTMLElement} */ (document.querySelector(".room.teaching"));
  const has = mountClass(/** @type {HTMLElement} */ (document.querySelector(".room-class")), document.querySelector("#tape"), command, () => ({ code: own?.code ?? "", headers: credentials(own) }));
  const dialog = /** @type {HTMLDialogElement} */ (document.querySelector("#room"));
  const word = /** @type {HTMLElement} */ (bar.querySelector(".word"));
  const button = (/** @type {string} */ what) => /** @type {HTMLElement} */ (document.querySelector(`[data-room=${what}]`));
  const modes = /** @type {NodeListOf<HTMLInputElement>} */ (bar.querySelectorAll("[name=mode]"));
  const page = course ? `lessons/${course.name}` : location.pathname.slice(UP.length);

  let own = capability();
  // A page that is loaded again, or a second tab, takes over what the room shows. One that the teacher went on to shows the class itself.
  const whereabouts = () => location.pathname + location.search;
  let takesOver = own !== null && (own.at ?? whereabouts()) === whereabouts();
  let goes = ""; // where this page goes since the room does
  addEventListener("pagehide", () => own && hold({ ...own, at: goes || whereabouts() }));
  /** @type {Told | null} */
  let told = null;
  /** @type {ReturnType<typeof listen> | null} */
  let stream = null;

  /** @returns {View} */
  const here = () => ({ page, link: figure.address(), step: lesson?.step() ?? null, upto: figure.upto(), by });

  /** What can be asked from here. @returns {import("./ask.js").Place} */
  function place() {
    const step = lesson?.step() ?? 1;
    const asked = Object.keys(course?.questions ?? {}).filter((id) => Number(id.split(".")[0]) === step);
    const words = (/** @type {string} */ id) => document.querySelector(`form.predict[data-question="${id}"] .ask`)?.textContent?.trim() ?? id;
    const questions = Object.fromEntries(asked.map((id) => [id, words(id)]));
    const inLab = (course ? course.steps[step - 1].page : page) === "";
    return { view: here(), lesson: course && { name: course.name, questions }, cell: inLab && boot.cells[pageCell.cell] ? pageCell.cell : null };
  }

  /** @param {View} view */
  const written = ({ page, link, step, upto }) => JSON.stringify([page, link, step, upto]);
  let said = "";
  let saying = false;

  /** Tell the class what this page shows, one word at a time; what came in between is left out. */
  async function tell() {
    if (!own || saying || !told || told.mode === "pause" || figure.busy?.()) return;
    const view = here();
    if (written(view) === said) return;
    if (view.link.length > LONGEST) return write("This figure is too large for a link, so the class still sees the previous figure.", "refused");
    saying = true;
    said = written(view);
    const heard = await command("view", view);
    if (!heard) said = ""; // it is said again
    setTimeout(
      () => {
        saying = false;
        tell();
      },
      heard ? PAUSE : AGAIN,
    );
  }

  /** Whether it was heard. @param {string} part @param {object} body @param {RequestInit} [init] */
  async function command(part, body, init) {
    if (!own) return true;
    try {
      await say(own.code, part, { authorization: `Bearer ${own.secret}` }, body, init);
      if (word.dataset.kind === "refused") write("");
      return true;
    } catch (error) {
      write(/** @type {Error} */ (error).message, "refused");
      return error instanceof Refusal && error.status > 0 && error.status < 500 && error.status !== 429;
    }
  }

  /** @param {string} text @param {string} [kind] */
  function write(text, kind = "") {
    word.dataset.kind = kind;
    word.textContent = text;
  }

  /** @param {Told} now */
  function hear(now) {
    if (now.away) write(sentence(now.away), "lost");
    else if (word.dataset.kind === "lost") write("");
    const before = told?.view ? told : null;
    told = now;
    if (!now.view) return;
    if (now.ended) return leave("The room has ended.");
    /** @type {HTMLElement} */ (bar.querySelector(".count")).textContent = `${now.followers} ${now.followers === 1 ? "student" : "students"}`;
    for (const mode of modes) mode.checked = mode.value === now.mode;
    if (!before) {
      write("");
      if (takesOver) follow(now.view);
      else {
        said = written(now.view);
        tell();
      }
      takesOver = false;
    } else if (now.view.by !== by && written(now.view) !== written(before.view)) follow(now.view);
    has(now);
  }

  /** What another window of the teacher's has shown, or a question wants. @param {View} view */
  function follow(view) {
    said = written(view);
    const at = view.page.startsWith("lessons/") ? `${view.page}?step=${view.step ?? 1}` : view.page + view.link;
    if (view.page !== page) {
      goes = new URL(home + at).href.slice(location.origin.length);
      return location.assign(home + at);
    }
    if (lesson && view.step && lesson.step() !== view.step) lesson.go(view.step);
    figure.show(view.link, view.upto);
  }

  function lead() {
    if (!own) return;
    const { code, secret } = own;
    bar.hidden = false;
    /** @type {HTMLElement} */ (bar.querySelector(".code")).textContent = code;
    /** @type {HTMLAnchorElement} */ (button("presenter")).href = `${home}rooms/${code}/presenter${asHash(own)}`;
    stream = listen(roomAt(code, "class"), () => ({ authorization: `Bearer ${secret}` }), {
      hear: (name, data) => name && hear(data),
      lost: (message, forGood) => (forGood ? leave(message) : lost(message)),
      held: (held) => held && write(DELAYED, "lost"),
    });
  }

  /** @param {string} message */
  async function lost(message) {
    write(message, "lost");
    if (!own || !told) return;
    // A server that has begun anew knows no room of ours: it is opened again, under the same code.
    try {
      await request(roomAt(own.code, "qr.svg"), {});
    } catch (error) {
      // 429: a whole class has asked for a room that is not there.
      if (error instanceof Refusal && [404, 429].includes(error.status)) await reopen(own.secret);
    }
  }

  /** What was asked is gone, and what it covered is not covered any more. @param {string} secret */
  async function reopen(secret) {
    const view = lesson ? here() : { ...here(), upto: null };
    await openRoom(view, secret).then(
      () => {
        figure.show(view.link, view.upto);
        write("The server has restarted. The room is open again, with the same code.", "lost");
      },
      () => {}, // it is tried again
    );
  }

  /** @param {string} message */
  function leave(message) {
    stream?.stop();
    hold(null);
    [own, told] = [null, null];
    has(null);
    write(message);
    bar.classList.add("over");
  }

  /** Fill the dialog: how to come in, or how to begin. */
  function invite() {
    const inside = /** @type {HTMLElement} */ (dialog.querySelector(".invitation"));
    const before = /** @type {HTMLElement} */ (dialog.querySelector(".beginning"));
    [inside.hidden, before.hidden] = [!own, Boolean(own)];
    if (!own) return;
    const address = `${home}rooms/${own.code}`;
    /** @type {HTMLElement} */ (inside.querySelector(".big")).textContent = own.code;
    /** @type {HTMLElement} */ (inside.querySelector(".address")).textContent = address.replace(/^https?:\/\//, "");
    /** @type {HTMLImageElement} */ (inside.querySelector("img")).src = `${UP}${roomAt(own.code, "qr.svg")}`;
    const local = /^(localhost|127\.|\[::1\])/.test(location.host);
    /** @type {HTMLElement} */ (inside.querySelector(".local")).hidden = !local;
  }

  opener.addEventListener("click", () => {
    invite();
    dialog.showModal();
  });
  button("code").addEventListener("click", () => {
    invite();
    dialog.showModal();
  });
  button("open").addEventListener("click", async () => {
    const refused = /** @type {HTMLElement} */ (dialog.querySelector(".error"));
    refused.textContent = "";
    try {
      const { code, secret } = await openRoom(here());
      own = { code, secret };
      takesOver = false;
      hold(own);
      bar.classList.remove("over");
      write("");
      lead();
      invite();
    } catch (error) {
      refused.textContent = /** @type {Error} */ (error).message;
    }
  });
  for (const mode of modes)
    mode.addEventListener("change", async () => {
      await command("mode", { mode: mode.value });
      if (told) told.mode = /** @type {Told["mode"]} */ (mode.value);
      if (mode.value === "follow") tell();
    });
  button("end").addEventListener("click", () => /** @type {HTMLDialogElement} */ (document.querySelector("#room-end")).showModal());
  button("end-now").addEventListener("click", async () => {
    if (own) await command("", {}, { method: "DELETE", body: null });
  });
  button("copy").addEventListener("click", async () => {
    if (!own) return;
    const { page, link, step } = here();
    const copied = await copy(home + (step ? `${page}?step=${step}` : page + link) + asHash(own));
    /** @type {HTMLElement} */ (dialog.querySelector(".own .done")).textContent = copied ? "Copied. Anyone with this link can control the room. Keep it private." : "The link could not be copied here. Copy the link address of “Presenter window” instead."; // prettier-ignore
  });
  for (const form of ["csv", "html"])
    for (const one of document.querySelectorAll(`[data-room=${form}]`))
      one.addEventListener("click", () => own && keepRecord(own, form).catch((error) => write(error.message, "refused")));
  mountAsk(/** @type {HTMLDialogElement} */ (document.querySelector("#room-ask-dialog")), button("ask"), place, (ask) =>
    say(/** @type {Capability} */ (own).code, "question", { authorization: `Bearer ${own?.secret}` }, ask),
  );

  // A clicker's two keys: the lesson's next step and the one before, or the run's.
  addEventListener("keydown", (event) => {
    const on = { PageDown: 1, PageUp: -1 }[event.key];
    if (!own || !on || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (!lesson || !course) return document.getElementById(on > 0 ? "next-step" : "previous-step")?.click();
    const n = lesson.step() + on;
    if (n >= 1 && n <= course.steps.length) lesson.go(n);
  });

  figure.subscribe(tell);
  if (own) lead();
}

/** Keep a room's record as a file. @param {Capability} own @param {string} form */
export async function keepRecord({ code, secret }, form) {
  const response = await request(roomAt(code, `record.${form}`), { headers: { authorization: `Bearer ${secret}` } });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `room-${code}.${form}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
