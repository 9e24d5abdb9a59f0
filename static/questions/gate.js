/** The question “Be the gate”: students choose z for each letter themselves, and then see the choices of the class. */

/** @import { Kind } from "./kinds.js" */
import { drawBand } from "./band.js";

/** @type {Kind} */
export const gate = {
  read: () => null,
  fill() {},
  missing: () => "",
  verdict: () => "", // the page compares the letters of the student and of the network
  picture: (question, rounds, yours) =>
    drawBand(question, rounds[rounds.length - 1], /** @type {number[] | null} */ (yours)),
  opensWhenLocked: true, // students can no longer copy answers, so the class sees how it played before it sees the network's gates
  did: "have played",
};
