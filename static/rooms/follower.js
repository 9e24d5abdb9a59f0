/** A follower's side of a room: sees what the teacher sees, answers, looks around by themselves, and comes back. */

/** @import { View } from "../api.js" */
/** @import { Answer } from "../lesson/answers.js" */
/** @import { Figure } from "../lesson/lesson.js" */
/** @import { Asked } from "./question.js" */
/** @typedef {{view: View, mode: "follow" | "explore" | "pause", question: Asked | null, ended: boolean}} RoomState */
import { roomAt, say } from "../api.js";
import { room } from "../boot.js";
import { home } from "../frame.js";
import { createAnswering } from "./answering.js";
import { DELAYED } from "./stream.js";
import { listenTogether } from "./together.js";

const TOUCHED = 1500; // ms within which a change of the figure is the follower's own doing
const LOOK = 2500; // ms between two looks that are told
const ENDED = "The room has ended. You can go on from here by yourself.";

/**
 * @param {Figure} figure
 * @param {{go: (n: number) => void, step: () => number, bring: (n: number) => Promise<void>} | null} lesson where the page is a lesson's
 */
export function mountFollower(figure, lesson) {
  if (!room) return;
  const { code, shape } = room;
  const bar = /** @type {HTMLElement} */ (document.querySelector(".room.following"));
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const box = /** @type {HTMLElement} */ (document.querySelector(".room-question"));
  const tape = /** @type {HTMLElement | null} */ (document.querySelector("#tape"));
  const word = /** @type {HTMLElement} */ (bar.querySelector(".word"));
  const button = (/** @type {string} */ what) => /** @type {HTMLButtonElement} */ (bar.querySelector(`[data-do=${what}]`));
  const [wander, follow, mine, offer] = ["wander", "follow", "mine", "offer"].map(button);

  /** What this device remembers of the room. @type {{device: string, mine: View | null, answers: Record<string, Answer>}} */
  const kept = { device: "", mine: null, answers: {}, ...recall(code) };
  const keep = () => remember(code, kept);
  /** @type {RoomState | null} */
  let now = null;
  let following = true;
  let over = false; // the room has ended
  let connected = false;
  let held = false; // the stream is held back on the way
  let back = false; // from a lost connection
  let touched = -Infinity;
  let shown = figure.address();

  /** Where one is oneself. @returns {View} */
  const here = () => ({ page: shape.split("|")[0], link: figure.address(), step: lesson?.step() ?? null, upto: figure.upto() });

  /** @param {View} view */
  async function show(view) {
    if (view.shape !== shape) {
      keep();
      return location.reload(); // another kind of page, which comes as the teacher has it
    }
    if (lesson && view.step && lesson.step() !== view.step) {
      await lesson.bring(view.step);
      if (now && now.view !== view) return; // the teacher has gone on meanwhile
      lesson.go(view.step);
    }
    figure.show(view.link, view.upto);
    shown = figure.address();
  }

  function update() {
    const { mode = "follow", question = null } = now ?? {};
    wander.hidden = over || !following;
    follow.hidden = over || following;
    mine.hidden = over || !kept.mine || !following;
    offer.hidden = over || following || mode !== "explore";
    bar.dataset.state = over ? "ended" : !connected ? "lost" : following ? "with" : "alone";
    if (connected && !over) word.textContent = held && question?.status !== "open" ? DELAYED : saying(mode, question, following);
  }

  /** @param {boolean} on */
  function setFollowing(on) {
    if (on === following) return;
    if (on) [kept.mine, following] = [here(), true];
    else following = false;
    keep();
    if (on && now) show(now.view);
    update();
  }

  /** @param {RoomState} state */
  function hear(state) {
    const before = now;
    now = state;
    if (state.ended) return end(ENDED);
    if (state.mode === "explore" && before?.mode !== "explore") setFollowing(false); // everybody is let go
    else if (before?.mode === "explore" && state.mode !== "explore") setFollowing(true); // and called back
    else if (following && JSON.stringify(before?.view) !== JSON.stringify(state.view)) show(state.view);
    const { question } = state;
    const news = question && (question.id !== before?.question?.id || question.status !== before?.question?.status);
    if (news && question.status !== "locked" && before) setFollowing(true); // what is asked, and the answer, are for all
    if (JSON.stringify(before?.question) !== JSON.stringify(state.question)) ask(state.question, before?.question ?? null);
    update();
  }

  /** @param {string} words */
  function end(words) {
    over = true;
    stream.stop();
    word.textContent = words;
    ask(null, null);
    forget(code);
    const { page, link, step } = here();
    // A lesson's page in a room has only the steps that were shown: the lesson itself has all.
    if (page.startsWith("lessons/")) return location.replace(`${home}${page}?step=${step ?? 1}`);
    history.replaceState(null, "", home + page + link);
    const pages = document.querySelector(".masthead nav");
    if (pages instanceof HTMLElement) pages.hidden = false;
    update();
  }

  const { ask, again } = createAnswering(box, tape, kept, keep, code, (given) => say(code, "answers", { "x-device": kept.device }, given));

  // Playing with the figure is looking around by oneself, but for pressing steps to answer.
  const touch = (/** @type {Event} */ event) => {
    const { target } = event;
    const inside = target instanceof Element && (main.contains(target) || target === document.body) && !target.closest(".pressed, .drawn"); // prettier-ignore
    if (inside && !(event instanceof KeyboardEvent && ["Tab", "Shift"].includes(event.key))) touched = performance.now();
  };
  for (const type of ["click", "input", "keydown"]) addEventListener(type, touch, true);
  /** @type {number | undefined} */
  let telling;
  figure.subscribe(() => {
    const { mode } = now ?? {};
    if (now && following && !over && performance.now() - touched < TOUCHED && figure.address() !== shown) {
      following = false;
      update();
    }
    if (following || over || mode !== "explore") return;
    telling ??= setTimeout(() => {
      telling = undefined;
      tell(false).catch(() => {}); // the next look is told as well
    }, LOOK);
  });
  const tell = (/** @type {boolean} */ offered) => say(code, "looks", { "x-device": kept.device }, { view: here(), offered });
  wander.addEventListener("click", () => setFollowing(false));
  follow.addEventListener("click", () => setFollowing(true));
  mine.addEventListener("click", () => {
    const own = kept.mine;
    if (!own) return;
    if (own.page !== shape.split("|")[0]) return open(home + own.page + own.link, "_blank", "noopener");
    following = false;
    figure.show(own.link, own.upto);
    update();
  });
  offer.addEventListener("click", () =>
    tell(true).then(
      () => (word.textContent = "Your view is suggested. The teacher can show it to everyone, without your name."),
      (error) => (word.textContent = error.message),
    ),
  );

  const stream = listenTogether(roomAt(code, "events"), () => ({ "x-device": kept.device }), {
    hear(name, data) {
      connected = true;
      if (name === "you") {
        kept.device = data.device;
        keep();
        return update();
      }
      hear(data);
      // A server that has restarted may not know our answer: it is sent again, and counts once.
      if (back) again(data.question);
      back = false;
    },
    lost(message, forGood) {
      [connected, back] = [false, true];
      if (forGood) return end(now ? ENDED : message);
      word.textContent = message;
      update();
    },
    held(now) {
      held = now;
      update();
    },
  });
  update();
}

/** What the bar says. @param {RoomState["mode"]} mode @param {Asked | null} question @param {boolean} following */
function saying(mode, question, following) {
  if (question?.status === "open") return "The teacher asks you a question.";
  if (mode === "pause") return "The teacher has paused the room.";
  if (following) return "You see the teacher’s view.";
  if (mode === "explore") return "Explore by yourself. The teacher sees which models and steps the class looks at, without names.";
  return "You are exploring by yourself.";
}

const KEY = "gruscope-in-";

/** @param {string} code */
function recall(code) {
  try {
    return JSON.parse(localStorage.getItem(KEY + code) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} code @param {object} kept */
function remember(code, kept) {
  try {
    localStorage.setItem(KEY + code, JSON.stringify(kept));
  } catch {
    // Nothing can be kept: it is known for as long as the page lasts.
  }
}

/** @param {string} code */
function forget(code) {
  try {
    localStorage.removeItem(KEY + code);
  } catch {
    // There is nothing.
  }
}
