/** An experiment in a lesson or a room. It shows no link: another step of the same loads it anew. */

import { room } from "../boot.js";
import { mountLesson } from "../lesson/lesson.js";
import { mountRoom } from "../rooms/room.js";

export function mountGuided() {
  const show = () => room === null && location.reload();
  const figure = { show, address: () => "", upto: () => null, subscribe() {} };
  mountRoom(figure, mountLesson(figure));
}
