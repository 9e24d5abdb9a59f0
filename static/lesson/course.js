/** The page that lists all lessons. It shows how many questions of each lesson were answered on this device. */

import { switchTheme } from "../theme.js";
import { answersIn, clearAnswers, hasAnswers } from "./answers.js";

const clear = /** @type {HTMLElement} */ (document.querySelector("[data-do=clear]"));
const status = /** @type {HTMLElement} */ (document.querySelector("[role=status]"));

function update() {
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-name]"))) {
    const note = /** @type {HTMLElement} */ (link.parentElement?.querySelector(".answered"));
    const answered = Object.keys(answersIn(link.dataset.name ?? "")).length;
    note.textContent = answered ? `${Math.min(answered, Number(note.dataset.of))} of ${note.dataset.of} answered` : "";
  }
  clear.hidden = !hasAnswers();
}

clear.addEventListener("click", () => {
  clearAnswers();
  update();
  status.textContent = "Your answers are cleared.";
});
addEventListener("pageshow", update);
document.querySelector("#theme")?.addEventListener("click", switchTheme);
update();
