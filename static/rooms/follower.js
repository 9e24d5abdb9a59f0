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
import { listen } from "./stream.js";

const TOUCHED = 1500; // ms within which a change of the figure is the follower's own doing
const LOOK = 2500; // ms between two looks that are told
const ENDED = "The room has ended. What you see is yours: go on with it.";

/**
 * @param {Figure} figure
 * @param {{go: (n: number) => void, step: () => number} | null} lesson where the page is a lesson's
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
  let back = false; // from a lost connection
  let touched = -Infinity;
  let shown = figure.address();

  /** Where one is oneself. @returns {View} */
  const here = () => ({ page: shape.split("|")[0], link: figure.address(), step: lesson?.step() ?? null, upto: figure.upto() });

  /** @param {View} view */
  function show(view) {
    if (view.shape !== shape) {
      keep();
      return location.reload(); // another kind of page, which comes as the teacher has it
    }
    if (lesson && view.step && lesson.step() !== view.step) lesson.go(view.step);
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
    if (connected && !over) word.textContent = saying(mode, question, following);
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
    stop();
    word.textContent = words;
    ask(null, null);
    const { page, link, step } = here();
    history.replaceState(null, "", home + page + (page.startsWith("lessons/") ? `?step=${step ?? 1}` : link));
    forget(code);
    update();
  }

  const { ask, again } = createAnswering(box, tape, kept, keep, (given) => say(code, "answers", { "x-device": kept.device }, given));

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
      () => (word.textContent = "Your view is offered: the teacher may show it to all, without your name."),
      (error) => (word.textContent = error.message),
    ),
  );

  const stop = listen(
    roomAt(code, "events"),
    () => ({ "x-device": kept.device }),
    (name, data) => {
      connected = true;
      if (name === "you") {
        kept.device = data.device;
        keep();
        return update();
      }
      hear(data);
      // A server that began anew knows no answers: ours is said again, and counts once.
      if (back) again(data.question);
      back = false;
    },
    (message, forGood) => {
      [connected, back] = [false, true];
      if (forGood) return end(now ? ENDED : message);
      word.textContent = message;
      update();
    },
  );
  update();
}

/** What the bar says. @param {RoomState["mode"]} mode @param {Asked | null} question @param {boolean} following */
function saying(mode, question, following) {
  if (question?.status === "open") return "A question for you.";
  if (mode === "pause") return "The teacher has paused for a moment.";
  if (following) return "You see what the teacher sees.";
  if (mode === "explore") return "Explore. The teacher sees, without names, where the class looks.";
  return "You look around by yourself.";
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
