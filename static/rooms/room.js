/** A page in a room: it follows, or leads, or could open one. */

/** @import { Figure } from "../lesson/lesson.js" */
import { room } from "../boot.js";
import { mountFollower } from "./follower.js";
import { mountTeacher } from "./teacher.js";

/**
 * @param {Figure} figure
 * @param {{go: (n: number) => void, step: () => number, bring: (n: number) => Promise<void>} | null} [lesson] where the page is a lesson's
 */
export function mountRoom(figure, lesson = null) {
  if (room) mountFollower(figure, lesson);
  else mountTeacher(figure, lesson);
}
