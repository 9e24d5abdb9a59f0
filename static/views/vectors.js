/** Files of vectors, and the table of the numbers at one timestep. */

/** @import { Store } from "../store.js" */
import { fetchSequence } from "../api.js";
import { newRow, setText, withPeriod } from "../elements.js";
import { note } from "../state.js";
import { numbersIn } from "../tokens.js";

/**
 * Mount the button for a file of vectors, and the dialog with the numbers of the timestep at the cursor.
 * @param {HTMLElement} section
 * @param {HTMLElement} tape
 * @param {HTMLDialogElement} dialog
 * @param {Store} store
 * @param {{write: (text: string) => void}} actions
 */
export function mountVectors(section, tape, dialog, store, actions) {
  const [opener, button] = ["#vector-open", "#vector-file"].map(
    (id) => /** @type {HTMLButtonElement} */ (section.querySelector(id)),
  );
  const file = /** @type {HTMLInputElement} */ (section.querySelector("input[type=file]"));
  const excluded = /** @type {HTMLElement} */ (section.querySelector(".excluded"));
  const [title, body] = ["h2", "tbody"].map((part) => /** @type {HTMLElement} */ (dialog.querySelector(part)));

  let opened = { sequence: "", note: "" }; // contents of the last file

  store.subscribe(({ models, model, run, step, text }) => {
    setText(excluded, text === opened.sequence ? opened.note : "");
    const reads = models.find(({ id }) => id === model)?.vectors ?? 0;
    button.hidden = reads === 0;
    opener.hidden = !numbersIn(run.tokens?.[step - 1] ?? "");
    if (dialog.open) write();
  });

  function write() {
    const { run, step } = store.get();
    const numbers = (run.tokens?.[step - 1] ?? "").split(",");
    title.textContent = `Inputs at t = ${step}: ${numbers.length} numbers`;
    body.replaceChildren(...numbers.map((number, i) => newRow([run.x.labels[i] ?? String(i + 1), number])));
  }

  function open() {
    if (opener.hidden) return;
    write();
    dialog.showModal();
  }
  opener.addEventListener("click", open);
  tape.querySelector(".tokens ol")?.addEventListener("dblclick", open);

  button.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    const { model } = store.get();
    try {
      const read = await fetchSequence(model, chosen);
      if (store.get().model !== model) return;
      opened = { sequence: read.sequence, note: read.note && `${chosen.name}: ${read.note}` };
      actions.write(read.sequence);
    } catch (error) {
      store.update(note, `${chosen.name}: ${withPeriod(/** @type {Error} */ (error).message)}`);
    }
  });
}
