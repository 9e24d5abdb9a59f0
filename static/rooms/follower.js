/** The student's side of a room. It shows the teacher's view, sends answers, and lets the student explore alone and return. */

/** @import { Answer } from "../lesson/answers.js" */
/** @import { Figure, LessonControl } from "../lesson/lesson.js" */
/** @import { Connection } from "./bar.js" */
/** @import { ClassMode } from "./class.js" */
/** @import { RoomQuestion } from "./question.js" */
/** @import { View } from "./requests.js" */
/** @typedef {{view: View, mode: ClassMode, question: RoomQuestion | null, ended: boolean}} RoomState */
import { finder } from "../elements.js";
import { home } from "../frame.js";
import { readStoredJson, writeStored } from "../storage.js";
import { createAnswering } from "./answering.js";
import { mountBar } from "./bar.js";
import { postToRoom, roomUrl } from "./requests.js";
import { listenTogether } from "./together.js";
import { createView } from "./view.js";

const LOOK = 2500; // ms between two reports of the student's view
const ENDED = "The room has ended. You can go on from here by yourself.";
const same = (/** @type {unknown} */ a, /** @type {unknown} */ b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Mount a student's page of a room.
 * @param {{code: string, shape: string}} room
 * @param {Figure} figure
 * @param {LessonControl | null} lesson on a lesson's page
 */
export function mountFollower({ code, shape }, figure, lesson) {
  const { memory, save, forget } = createMemory(code);
  const headers = () => ({ "x-device": memory.device });
  const post = (/** @type {string} */ part, /** @type {object} */ body) => postToRoom(code, part, headers(), body);

  const bar = mountBar(/** @type {HTMLElement} */ (document.querySelector(".room.following")));
  const view = createView(figure, lesson, shape);
  const [box, tape] = [".room-question", "#tape"].map(finder(document));
  const answer = (/** @type {object} */ body) => post("answers", body);
  const { show: showQuestion, repeat } = createAnswering(box, tape, figure, memory, save, code, answer);
  const reportSoon = mountLooks(bar, (offered) => post("looks", { view: view.current(), offered }));
  /** The state of the room. @type {RoomState | null} */
  let state = null;
  let [following, ended] = [true, false];

  const update = () =>
    bar.update({ state, following, ended, connection: room.connection(), hasOwnView: memory.mine !== null });
  const show = (/** @type {View} */ shown) => view.show(shown, () => state?.view === shown); // the teacher may go on meanwhile

  /** @param {boolean} on */
  function setFollowing(on) {
    if (on === following) return;
    if (on) memory.mine = view.current();
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
    // Students stop following when the class starts to explore, and follow again when the teacher ends the exploration.
    const [explored, explores] = [before, next].map((room) => room?.mode === "explore");
    if (explores !== explored) setFollowing(!explores);
    else if (following && !same(before?.view, next.view)) show(next.view);
    const [previous, question] = [before?.question ?? null, next.question];
    if (before && question && callsAll(question, previous)) setFollowing(true);
    if (!before || !same(previous, question)) showQuestion(question, previous);
    update();
  }

  /** @param {string} message */
  function end(message) {
    ended = true;
    room.stop();
    bar.write(message);
    showQuestion(null, null);
    forget();
    leaveRoom(view.current());
    update();
  }

  figure.subscribe(() => {
    if (state && following && !ended && view.isChanged()) {
      following = false;
      update();
    }
    if (!following && !ended && state?.mode === "explore") reportSoon();
  });
  bar.on("wander", () => setFollowing(false));
  bar.on("follow", () => setFollowing(true));
  bar.on("mine", () => {
    const mine = /** @type {View} */ (memory.mine);
    if (mine.page !== view.current().page) return void open(home + mine.page + mine.link, "_blank", "noopener");
    following = false;
    figure.show(mine.link, mine.upto);
    update();
  });

  const room = connect(code, headers, {
    name(device) {
      memory.device = device;
      save();
    },
    receive,
    // A server that has restarted may have lost the student's answer. Send it again: an answer is counted only once.
    reconnected: ({ question }) => repeat(question),
    lost: bar.write,
    closed: (message) => end(state ? ENDED : message),
    update,
  });
  update();
}

/**
 * Connect to a room as a student.
 * @param {string} code @param {() => Record<string, string>} headers
 * @param {{name: (device: string) => void, receive: (state: RoomState) => void, reconnected: (state: RoomState) => void,
 *          lost: (message: string) => void, closed: (message: string) => void, update: () => void}} hooks `name` receives the name of
 *   this device, and `receive` each state of the room. After a lost connection, `reconnected` also receives the first state. When the
 *   connection is lost, `lost` receives a message, or `closed` if the page will not reconnect. `update` is called when the name or the
 *   connection has changed
 */
function connect(code, headers, hooks) {
  /** @type {Connection} */
  let connection = "lost";
  let wasLost = false;
  const stream = listenTogether(roomUrl(code, "events"), headers, {
    receive(name, data) {
      if (connection === "lost") connection = "connected";
      if (name === "you") {
        hooks.name(data.device);
        return hooks.update();
      }
      hooks.receive(data);
      if (wasLost) hooks.reconnected(data);
      wasLost = false;
    },
    lost(message, forGood) {
      [connection, wasLost] = ["lost", true];
      if (forGood) return hooks.closed(message);
      hooks.lost(message);
      hooks.update();
    },
    delayed(delayed) {
      connection = delayed ? "delayed" : "connected";
      hooks.update();
    },
  });
  return { connection: () => connection, stop: stream.stop };
}

/**
 * Return whether a question calls back all students who explore. A new question does, and so do its second round and the display of its
 * answer.
 * @param {RoomQuestion} question
 * @param {RoomQuestion | null} before
 */
const callsAll = ({ id, status }, before) => status !== "locked" && (id !== before?.id || status !== before.status);

/**
 * Return what this device stores about a room (`memory`), and functions that save and delete it. If the browser allows no storage,
 * `memory` lasts as long as the page.
 * @param {string} code
 */
function createMemory(code) {
  const key = `gruscope-in-${code}`;
  /** @type {{device: string, mine: View | null, answers: Record<string, Answer>}} */
  const memory = { device: "", mine: null, answers: {}, ...readStoredJson(key) };
  return { memory, save: () => writeStored(key, JSON.stringify(memory)), forget: () => writeStored(key, null) };
}

/**
 * Mount the button that suggests the student's view to the teacher.
 * @param {ReturnType<typeof mountBar>} bar
 * @param {(offered: boolean) => Promise<unknown>} report
 * @returns {() => void} a function that reports the view of a student who explores, within a few seconds
 */
function mountLooks(bar, report) {
  /** @type {number | undefined} */
  let timer;
  bar.on("offer", () =>
    report(true).then(
      () => bar.write("Your view is suggested. The teacher can show it to everyone, without your name."),
      (error) => bar.write(error.message),
    ),
  );
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      report(false).catch(() => {}); // the next look is reported as well
    }, LOOK);
  };
}

/** Leave the room, and continue alone from a view: at the Lab's address, or in the whole lesson. @param {View} view */
function leaveRoom({ page, link, step }) {
  // In a room, the lesson's page has only the steps that the teacher has shown. The page outside the room has all steps.
  if (page.startsWith("lessons/")) return location.replace(`${home}${page}?step=${step ?? 1}`);
  history.replaceState(null, "", home + page + link);
  const pages = document.querySelector(".masthead nav");
  if (pages instanceof HTMLElement) pages.hidden = false;
}
