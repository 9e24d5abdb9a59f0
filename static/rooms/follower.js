/** A student's side of a room: sees what the teacher sees, answers, explores alone, and comes back. */

/** @import { Answer } from "../lesson/answers.js" */
/** @import { Figure, LessonControl } from "../lesson/lesson.js" */
/** @import { RoomQuestion } from "./question.js" */
/** @import { View } from "./requests.js" */
/** @typedef {{view: View, mode: "follow" | "explore" | "pause", question: RoomQuestion | null, ended: boolean}} RoomState */
import { room } from "../boot.js";
import { finder } from "../elements.js";
import { home } from "../frame.js";
import { createAnswering } from "./answering.js";
import { forget, recall, remember } from "./memory.js";
import { postToRoom, roomUrl } from "./requests.js";
import { DELAYED } from "./stream.js";
import { listenTogether } from "./together.js";
import { watchTouches } from "./touches.js";

const LOOK = 2500; // ms between two reports of what is looked at
const ENDED = "The room has ended. You can go on from here by yourself.";

/**
 * @param {Figure} figure
 * @param {LessonControl | null} lesson on a lesson's page
 */
export function mountFollower(figure, lesson) {
  if (!room) return;
  const { code, shape } = room;
  const bar = mountBar(/** @type {HTMLElement} */ (document.querySelector(".room.following")));
  const box = /** @type {HTMLElement} */ (document.querySelector(".room-question"));
  const tape = /** @type {HTMLElement | null} */ (document.querySelector("#tape"));

  /** @type {{device: string, mine: View | null, answers: Record<string, Answer>}} */
  const memory = { device: "", mine: null, answers: {}, ...recall(code) };
  const save = () => remember(code, memory);
  const post = (/** @type {string} */ part, /** @type {object} */ body) => postToRoom(code, part, { "x-device": memory.device }, body);
  const { ask, repeat } = createAnswering(box, tape, memory, save, code, (answer) => post("answers", answer));
  /** What the room shows. @type {RoomState | null} */
  let state = null;
  let following = true;
  let ended = false;
  /** @type {"connected" | "lost" | "delayed"} */
  let connection = "lost";
  let reconnected = false; // after a lost connection
  let shown = figure.address();

  /** @returns {View} */
  const ownView = () => ({ page: shape.split("|")[0], link: figure.address(), step: lesson?.step() ?? null, upto: figure.upto() });
  const update = () => bar.update({ state, following, ended, connection, hasOwnView: memory.mine !== null });

  /** @param {View} view */
  async function show(view) {
    if (view.shape !== shape) {
      save();
      return location.reload(); // another kind of page, which comes as the teacher has it
    }
    if (lesson && view.step && lesson.step() !== view.step) {
      await lesson.fetchStep(view.step);
      if (state && state.view !== view) return; // the teacher has gone on meanwhile
      lesson.go(view.step);
    }
    figure.show(view.link, view.upto);
    shown = figure.address();
  }

  /** @param {boolean} on */
  function setFollowing(on) {
    if (on === following) return;
    if (on) memory.mine = ownView();
    following = on;
    save();
    if (on && state) show(state.view);
    update();
  }

  /** @param {RoomState} next */
  function receive(next) {
    const before = state;
    state = next;
    if (next.ended) return end(ENDED);
    if (next.mode === "explore" && before?.mode !== "explore") setFollowing(false); // everybody explores
    else if (before?.mode === "explore" && next.mode !== "explore") setFollowing(true); // and is called back
    else if (following && JSON.stringify(before?.view) !== JSON.stringify(next.view)) show(next.view);
    const { question } = next;
    const isNew = question && (question.id !== before?.question?.id || question.status !== before?.question?.status);
    if (isNew && question.status !== "locked" && before) setFollowing(true); // a question, and its answer, are for all
    if (JSON.stringify(before?.question) !== JSON.stringify(question)) ask(question, before?.question ?? null);
    update();
  }

  /** @param {string} message */
  function end(message) {
    ended = true;
    stream.stop();
    bar.write(message);
    ask(null, null);
    forget(code);
    const { page, link, step } = ownView();
    // A lesson's page in a room has only the steps that were shown: the lesson itself has all.
    if (page.startsWith("lessons/")) return location.replace(`${home}${page}?step=${step ?? 1}`);
    history.replaceState(null, "", home + page + link);
    const pages = document.querySelector(".masthead nav");
    if (pages instanceof HTMLElement) pages.hidden = false;
    update();
  }

  const touched = watchTouches();
  const report = (/** @type {boolean} */ offered) => post("looks", { view: ownView(), offered });
  /** @type {number | undefined} */
  let reporting;
  figure.subscribe(() => {
    if (state && following && !ended && touched() && figure.address() !== shown) {
      following = false;
      update();
    }
    if (following || ended || state?.mode !== "explore") return;
    reporting ??= setTimeout(() => {
      reporting = undefined;
      report(false).catch(() => {}); // the next look is reported as well
    }, LOOK);
  });
  bar.on("wander", () => setFollowing(false));
  bar.on("follow", () => setFollowing(true));
  bar.on("mine", () => {
    const view = memory.mine;
    if (!view) return;
    if (view.page !== shape.split("|")[0]) return void open(home + view.page + view.link, "_blank", "noopener");
    following = false;
    figure.show(view.link, view.upto);
    update();
  });
  bar.on("offer", () =>
    report(true).then(
      () => bar.write("Your view is suggested. The teacher can show it to everyone, without your name."),
      (error) => bar.write(error.message),
    ),
  );

  const stream = listenTogether(roomUrl(code, "events"), () => ({ "x-device": memory.device }), {
    receive(name, data) {
      if (connection === "lost") connection = "connected";
      if (name === "you") {
        memory.device = data.device;
        save();
        return update();
      }
      receive(data);
      // A server that has restarted may not know our answer: it is sent again, and counts once.
      if (reconnected) repeat(data.question);
      reconnected = false;
    },
    lost(message, forGood) {
      [connection, reconnected] = ["lost", true];
      if (forGood) return end(state ? ENDED : message);
      bar.write(message);
      update();
    },
    delayed(delayed) {
      connection = delayed ? "delayed" : "connected";
      update();
    },
  });
  update();
}

/** The student's bar: what goes on, and what they can do. @param {HTMLElement} element */
function mountBar(element) {
  const find = finder(element);
  const status = find(".word");
  const [wander, follow, mine, offer] = ["wander", "follow", "mine", "offer"].map((name) => find(`[data-do=${name}]`));
  const write = (/** @type {string} */ text) => (status.textContent = text);
  return {
    write,
    /** @param {"wander" | "follow" | "mine" | "offer"} name @param {() => void} action */
    on: (name, action) => find(`[data-do=${name}]`).addEventListener("click", action),
    /** @param {{state: RoomState | null, following: boolean, ended: boolean, connection: string, hasOwnView: boolean}} now */
    update({ state, following, ended, connection, hasOwnView }) {
      const { mode = "follow", question = null } = state ?? {};
      wander.hidden = ended || !following;
      follow.hidden = ended || following;
      mine.hidden = ended || !hasOwnView || !following;
      offer.hidden = ended || following || mode !== "explore";
      element.dataset.state = ended ? "ended" : connection === "lost" ? "lost" : following ? "with" : "alone";
      if (ended || connection === "lost") return;
      write(connection === "delayed" && question?.status !== "open" ? DELAYED : messageOf(mode, question, following));
    },
  };
}

/** @param {RoomState["mode"]} mode @param {RoomQuestion | null} question @param {boolean} following */
function messageOf(mode, question, following) {
  if (question?.status === "open") return "The teacher asks you a question.";
  if (mode === "pause") return "The teacher has paused the room.";
  if (following) return "You see the teacher’s view.";
  if (mode === "explore") return "Explore by yourself. The teacher sees which models and steps the class looks at, without names.";
  return "You are exploring by yourself.";
}
