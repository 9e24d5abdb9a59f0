/** “Be the gate” for a class: students play on their own devices, and the network's gates stay hidden until the teacher shows them. */

/** @import { RoomQuestion } from "../rooms/question.js" */
/** @import { Gates } from "./game.js" */
import { room } from "../boot.js";
import { newButton, newElement } from "../elements.js";
import { keyOf } from "../rooms/question.js";
import { mountRoom } from "../rooms/room.js";
import { readStoredJson, writeStored } from "../storage.js";

const STORED = "gruscope-gate";

/**
 * Mount the game for a class.
 * @param {HTMLElement} play the part of the page in which the gates are set
 * @param {() => void} restart starts the game again
 * @param {() => void} reveal is called when the network's gates are no longer hidden
 * @param {(game: {gates: Gates[], done: boolean}) => void} resumeAt continues a game after a reload
 */
export function mountClassroom(play, restart, reveal, resumeAt) {
  /** The room's question if this game is the question, otherwise null. @type {RoomQuestion | null} */
  let question = null;
  /** Sends a student's answer; null on the teacher's page. @type {((answer: number[]) => void) | null} */
  let send = null;
  let hidden = room !== null; // until the room's state arrives
  const heading = newElement("h2", { textContent: "You have played all letters.", tabIndex: -1 });
  const wait = newElement("section", { className: "wait", hidden: true }, [
    heading,
    newElement(
      "p",
      room
        ? "Wait for the teacher. The network’s z appears here when the teacher shows the answer."
        : "The network’s z appears here when you press “Show answer”.",
    ),
    newElement("p", { className: "act" }, [newButton("Play again", restart)]),
  ]);
  play.after(wait);

  /**
   * Start, continue or end the game, as the room's question requires.
   * @param {RoomQuestion | null} next @param {((answer: number[]) => void) | null} [submit]
   */
  function showQuestion(next, submit = null) {
    const before = question;
    question = next?.kind === "gate" ? next : null;
    send = question?.status === "open" ? submit : null;
    const wasHidden = hidden;
    hidden = question !== null && question.status !== "revealed";
    // Restart: the teacher may already have played to the end, where the page shows the network's gates.
    if (question && (before ? keyOf(before) !== keyOf(question) : !room)) restart();
    const stored = readStoredJson(STORED, "sessionStorage");
    if (!before && question && stored?.key === `${room?.code} ${keyOf(question)}`) resumeAt(stored);
    if (wasHidden && !hidden) reveal();
  }

  const page = { show() {}, address: () => "", upto: () => null, subscribe() {} };
  mountRoom({ ...page, ask: showQuestion, opening: { subject: "gate" } }, null);
  return {
    /** Return whether the network's gates are currently hidden. */
    isHidden: () => hidden,
    /** Store the student's game until the tab is closed. @param {readonly Gates[]} gates @param {boolean} done */
    store(gates, done) {
      if (question && room)
        writeStored(STORED, JSON.stringify({ key: `${room?.code} ${keyOf(question)}`, gates, done }), "sessionStorage");
    },
    /** Send the gates at all letters to the room, and ask the student to wait for the teacher. @param {readonly Gates[]} gates */
    finish(gates) {
      send?.([...gates.map(({ z }) => z), ...gates.map(({ r }) => r)]);
      wait.hidden = false;
      heading.focus();
    },
    /** Remove the text that asks the student to wait. */
    resume: () => (wait.hidden = true),
  };
}
