/** The role of a page in a room: it follows a room, leads a room, or offers to open one. */

/** @import { Figure, LessonControl } from "../lesson/lesson.js" */
import { room } from "../boot.js";
import { mountFollower } from "./follower.js";
import { mountTeacher } from "./teacher.js";

/**
 * Mount the role of the page: follow a room, or lead one.
 * @param {Figure} figure @param {LessonControl | null} lesson on a lesson's page
 */
export function mountRoom(figure, lesson) {
  if (room) mountFollower(room, figure, lesson);
  else mountTeacher(figure, lesson);
}
