/** The student's bar in a room: the state of the room, and the student's buttons. */

/** @import { RoomState } from "./follower.js" */
import { finder } from "../elements.js";
import { DELAYED } from "./stream.js";

/** @typedef {"connected" | "lost" | "delayed"} Connection */

/**
 * Mount the student's bar. Return functions that write the text, add a click handler to a button, and update the bar.
 * @param {HTMLElement} element
 */
export function mountBar(element) {
  const find = finder(element);
  const status = find(".word");
  const [wander, follow, mine, offer] = ["wander", "follow", "mine", "offer"].map((name) => find(`[data-do=${name}]`));
  const write = (/** @type {string} */ text) => (status.textContent = text);
  return {
    write,
    /** @param {"wander" | "follow" | "mine" | "offer"} name @param {() => void} action */
    on: (name, action) => find(`[data-do=${name}]`).addEventListener("click", action),
    /** @param {{state: RoomState | null, following: boolean, ended: boolean, connection: Connection, hasOwnView: boolean}} student */
    update({ state, following, ended, connection, hasOwnView }) {
      wander.hidden = ended || !following;
      follow.hidden = ended || following;
      mine.hidden = ended || !hasOwnView || !following;
      offer.hidden = ended || following || state?.mode !== "explore";
      element.dataset.state = ended ? "ended" : connection === "lost" ? "lost" : following ? "with" : "alone";
      if (ended || connection === "lost") return;
      write(connection === "delayed" && state?.question?.status !== "open" ? DELAYED : messageOf(state, following));
    },
  };
}

/** @param {RoomState | null} state @param {boolean} following */
function messageOf(state, following) {
  if (state?.question?.status === "open") return "The teacher asks you a question.";
  if (state?.mode === "pause") return "The teacher has paused the room.";
  if (following && state?.view.behind) return "The teacher’s figure is too large for a room. You see another one.";
  if (following) return "You see the teacher’s view.";
  if (state?.mode === "explore")
    return "Explore by yourself. The teacher sees which models and steps the class looks at, without names.";
  return "You are exploring by yourself.";
}
