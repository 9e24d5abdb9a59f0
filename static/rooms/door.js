/** The field for a room's code, which opens the room. */

import { switchTheme } from "../theme.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const code = /** @type {HTMLInputElement} */ (document.querySelector("#code"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = code.value.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
  if (typed) location.assign(`${form.action.replace(/\?.*$/, "")}/${typed}`);
});
document.querySelector("#theme")?.addEventListener("click", switchTheme);
