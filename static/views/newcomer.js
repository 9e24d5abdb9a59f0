/** An invitation to the first lesson, for visitors who have not used the Lab or a lesson on this device before. */

import { hasAnswers } from "../lesson/answers.js";
import { STEPPED, readStored, writeStored } from "../storage.js";

const DISMISSED = "newcomer";

/** @param {HTMLElement | null} line null on a page that a link, a lesson or a room opened */
export function mountNewcomer(line) {
  if (!line || hasAnswers() || [STEPPED, DISMISSED].some((key) => readStored(key) !== null)) return;
  line.hidden = false;
  line.querySelector("button")?.addEventListener("click", () => {
    line.hidden = true;
    writeStored(DISMISSED, "yes");
  });
}
