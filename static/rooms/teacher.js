/** The teacher's side of a room. It opens the room, sends the view of this page, asks questions, and shows the state of the class. */

/** @import { Figure, LessonControl } from "../lesson/lesson.js" */
/** @import { View } from "./requests.js" */
/** @import { StatusLine } from "./status.js" */
/** @typedef {ReturnType<typeof createLeadership>} Leadership */
import { boot, lesson as course } from "../boot.js";
import { pageCell } from "../cells.js";
import { CHANGED, isProjected, setProjected } from "../display.js";
import { finder, mountChoice } from "../elements.js";
import { ROOT } from "../server.js";
import { mountAsk } from "./ask.js";
import { createBroadcast, fits, fitted, keyOf } from "./broadcast.js";
import { credentials, readCapability } from "./capability.js";
import { mountClass } from "./class.js";
import { mountInvitation } from "./invitation.js";
import { createLeadership } from "./leadership.js";
import { countStudents } from "./marks.js";
import { seenBy } from "./question.js";
import { downloadRecord } from "./record.js";
import { openRoom, postToRoom } from "./requests.js";
import { createStatus } from "./status.js";

/** The id of this window, which marks the views that the window has sent. */
const WINDOW = Math.random().toString(36).slice(2, 10);

const NOTICED = 10_000; // ms for which the message about the projector mode is shown

/** Return the address of a view, without the address of the server. @param {View} view */
const addressOf = ({ page, step, link }) => (page.startsWith("lessons/") ? `${page}?step=${step ?? 1}` : page + link);

/** Return the text of each question at a step of the lesson, by id. @param {number} step */
function questionsOf(step) {
  const ids = Object.keys(course?.questions ?? {}).filter((id) => Number(id.split(".")[0]) === step);
  const text = (/** @type {string} */ id) =>
    document.querySelector(`form.predict[data-question="${id}"] .ask`)?.textContent?.trim() ?? id;
  return Object.fromEntries(ids.map((id) => [id, text(id)]));
}

/**
 * Mount the buttons with which this window opens a room and leads it.
 * @param {Figure} figure
 * @param {LessonControl | null} lesson on a lesson's page
 */
export function mountTeacher(figure, lesson) {
  const opener = document.querySelector("#room-open");
  if (!(opener instanceof HTMLElement)) return;
  const find = finder(document);
  const button = (/** @type {string} */ name) => find(`[data-room=${name}]`);
  const bar = find(".room.teaching");
  const status = createStatus(/** @type {HTMLElement} */ (bar.querySelector(".word")));
  const showMode = mountChoice(bar, "[name=mode]", async (mode) => {
    await leadership.setMode(mode);
    if (mode === "follow") broadcast.update();
  });
  const page = course ? `lessons/${course.name}` : location.pathname.slice(ROOT.length);

  const { ownView, firstView, place } = createPlace(page, figure, lesson);

  /** The view that the class has. @type {View | null} */
  let shown = null;

  /** The id of the room's current question; null if there is no question or its answer is already shown. @type {number | null} */
  let seen = null;

  const leadership = createLeadership(readCapability(), status, {
    start(code, presenter) {
      bar.hidden = false;
      bar.classList.remove("over");
      /** @type {HTMLElement} */ (bar.querySelector(".code")).textContent = code;
      /** @type {HTMLAnchorElement} */ (button("presenter")).href = presenter;
    },
    change(state, before) {
      /** @type {HTMLElement} */ (bar.querySelector(".count")).textContent = countStudents(state.followers);
      showMode(state.mode);
      figure.ask?.(state.question);
      const { view } = state;
      shown = view;
      seen = seenBy(state.question);
      if (!before && (view.by === WINDOW || !leadership.takesOver)) {
        broadcast.note(view);
        broadcast.update();
      } else if (!before || (view.by !== WINDOW && keyOf(view) !== keyOf(before.view))) follow(view);
      if (view.page === page && view.step === lesson?.step()) lesson?.cover(Boolean(view.covered));
      showClass(state);
    },
    end() {
      showClass(null);
      figure.ask?.(null);
      lesson?.lead(false);
      bar.classList.add("over");
    },
    cover: (view) => view.page === page && follow(view),
    // The restarted server has no question. The figure that the question covered is shown again.
    async reopen(secret) {
      const view = lesson ? ownView() : { ...ownView(), upto: null };
      await openRoom(await fitted(view), secret);
      figure.show(view.link, view.upto);
    },
  });
  const access = () => ({ code: leadership.capability()?.code ?? "", headers: credentials(leadership.capability()) });
  const showClass = mountClass(find(".room-class"), document.querySelector("#tape"), leadership.command, access);

  const broadcast = createBroadcast(
    () => (leadership.isOpen() && !figure.busy?.() ? ownView() : null),
    (view) => (fits(view) ? leadership.command("view", { ...view, question: seen }) : reportBehind()),
  );

  /** Report to the teacher and to the class that the class sees another figure, because the current one is too large. */
  async function reportBehind() {
    if (shown && !shown.behind) {
      const { page, link, step, upto } = shown;
      if (!(await leadership.command("view", { page, link, step, upto, by: WINDOW, behind: true, question: seen })))
        return false;
    }
    status.write("This figure is too large for a room. The class sees another one, and a note about it.", "refused");
    return true;
  }

  /** Show a view that another of the teacher's windows has sent, or that a question needs. @param {View} view */
  function follow(view) {
    broadcast.note(view);
    if (view.page !== page) return leadership.goTo(addressOf(view));
    if (lesson && view.step && lesson.step() !== view.step) lesson.go(view.step);
    figure.show(view.link, view.upto);
  }

  const dialog = /** @type {HTMLDialogElement} */ (find("#room"));
  const send = (/** @type {object} */ question) => postToRoom(access().code, "question", access().headers, question);
  mountInvitation(dialog, [opener, button("code")], leadership, ownView, firstView, async () => {
    lesson?.lead(true);
    if (figure.opening) await send(figure.opening);
  });
  mountProjector(button("presenter"), status);
  mountEnd(button, /** @type {HTMLDialogElement} */ (find("#room-end")), leadership);
  mountRecord(leadership, status);
  mountAsk(/** @type {HTMLDialogElement} */ (find("#room-ask-dialog")), button("ask"), place, send);
  mountClicker(leadership, lesson);
  figure.subscribe(broadcast.update);
  if (leadership.capability()) lesson?.lead(true);
  leadership.start();
}

/**
 * Return three functions: they return the view of this window, the first view of a new room, and the place that questions are about.
 * @param {string} page @param {Figure} figure @param {LessonControl | null} lesson
 */
function createPlace(page, figure, lesson) {
  /** @returns {View} */
  const ownView = () => {
    const [link, upto] = [figure.address(), figure.upto()];
    return { page, link, step: lesson?.step() ?? null, upto, by: WINDOW };
  };
  return {
    ownView,
    /** Return the first view of a new room. If the lesson's step has a question, this view does not show the answer. */
    firstView() {
      const { link, upto } = lesson?.beginning() ?? ownView();
      return fitted({ ...ownView(), link, upto });
    },
    /** Return this page as the place that the teacher's questions are about. @returns {import("./ask.js").Place} */
    place() {
      const step = lesson?.step() ?? 1;
      const questions = questionsOf(step);
      const inLab = (course ? course.steps[step - 1].page : page) === "";
      return {
        view: ownView(),
        lesson: course && { name: course.name, questions },
        cell: inLab && boot.cells[pageCell.cell] ? pageCell.cell : null,
      };
    },
  };
}

/**
 * Let the button that opens the presenter window also switch this window to the projector mode. The class sees this window, and only
 * the teacher sees the presenter window.
 * @param {HTMLElement} button @param {StatusLine} status
 */
function mountProjector(button, status) {
  button.addEventListener("click", () => {
    setProjected(true);
    status.write("This window is now in the projector mode. Press P to leave it.", "projected");
    setTimeout(() => status.clear("projected"), NOTICED);
  });
  addEventListener(CHANGED, () => !isProjected() && status.clear("projected"));
}

/**
 * Mount the button that asks whether to end the room, and the button that ends it.
 * @param {(name: string) => HTMLElement} button @param {HTMLDialogElement} dialog @param {Leadership} leadership
 */
function mountEnd(button, dialog, leadership) {
  button("end").addEventListener("click", () => dialog.showModal());
  button("end-now").addEventListener("click", () => leadership.command("", {}, { method: "DELETE", body: null }));
}

/** Mount the buttons that download the record of the room. @param {Leadership} leadership @param {StatusLine} status */
function mountRecord(leadership, status) {
  for (const format of ["csv", "html"])
    for (const element of document.querySelectorAll(`[data-room=${format}]`))
      element.addEventListener("click", () => {
        const capability = leadership.capability();
        if (capability) downloadRecord(capability, format).catch((error) => status.write(error.message, "refused"));
      });
}

/**
 * Let the two keys of a clicker move through the lesson, or through the run, while the room is open.
 * @param {Leadership} leadership @param {LessonControl | null} lesson
 */
function mountClicker(leadership, lesson) {
  addEventListener("keydown", (event) => {
    if (leadership.capability() && pressClicker(event, lesson)) event.preventDefault();
  });
}

/**
 * Return whether an event is one of the two keys of a clicker. If it is, go to the next or previous step of the lesson, or of the run.
 * @param {KeyboardEvent} event @param {LessonControl | null} lesson
 */
function pressClicker(event, lesson) {
  const steps = { PageDown: 1, PageUp: -1 }[event.key];
  if (!steps || document.querySelector("dialog[open]")) return false;
  if (!lesson || !course) document.getElementById(steps > 0 ? "next-step" : "previous-step")?.click();
  else if (course.steps[lesson.step() - 1 + steps]) lesson.go(lesson.step() + steps);
  return true;
}
