/** An experiment in a lesson or a room. It has no link of its own: another step of the lesson loads the page again. */

import { room } from "../boot.js";
import { mountLesson } from "../lesson/lesson.js";
import { mountRoom } from "../rooms/room.js";

export function mountGuided() {
  const show = () => room === null && location.reload();
  const figure = { show, address: () => "", upto: () => null, subscribe() {} };
  mountRoom(figure, mountLesson(figure));
}
