/** The form for the run's initial state. The visitor types numbers, or continues from the last state of the run on the tape. */

/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { startFrom } from "../changes.js";
import { mountFold, setText } from "../elements.js";
import { readStates, writeStates } from "../link.js";

/**
 * Mount the form for the initial state.
 * @param {HTMLElement} opener
 * @param {HTMLFormElement} form
 * @param {Store} store
 * @param {{alter: Update}} actions
 */
export function mountInitial(opener, form, store, actions) {
  const box = /** @type {HTMLInputElement} */ (form.querySelector("input"));
  const status = /** @type {HTMLElement} */ (form.querySelector("[role=status]"));
  const last = /** @type {HTMLButtonElement} */ (form.querySelector("[data-do=last]"));

  /** @param {State} state */
  function update(state) {
    const { h0 = null, run } = state;
    const isTyped = document.activeElement === box;
    form.hidden = h0 === null && form.hidden;
    opener.hidden = !form.hidden;
    if (!isTyped) box.value = writeStates(h0);
    last.hidden = run.layers.some(({ backward_units }) => backward_units > 0);
    last.disabled = state.received < run.T || run.layers.some(({ moved }) => moved === null);
    if (!isTyped || readStates(box.value) !== undefined) tell(state);
  }

  /** Describe the numbers that the box accepts. @param {State} state */
  function tell({ run }) {
    const sizes = run.layers.map(({ h0 }) => h0.length).join("; ");
    const form =
      run.layers.length > 1
        ? `Commas between numbers, semicolons between layers (${sizes} numbers).`
        : sizes === "1"
          ? "One number."
          : `${sizes} numbers, separated by commas.`;
    // A bidirectional network reads the whole sequence, so no run can continue another one.
    const backward = last.hidden ? " Units that read from the end start from it after the last timestep." : "";
    setText(status, `${form} Empty: zero.${backward}`);
  }

  function open() {
    update(store.get());
    box.focus();
  }

  function close() {
    box.blur();
    box.removeAttribute("aria-invalid");
    form.hidden = true;
    actions.alter(startFrom, null);
  }

  mountFold(opener, form, open, close);
  box.addEventListener("input", () => {
    const states = readStates(box.value);
    if (states === undefined) box.setAttribute("aria-invalid", "true");
    else box.removeAttribute("aria-invalid");
    if (states !== undefined) actions.alter(startFrom, states);
    else setText(status, "Write numbers separated by commas, and layers separated by semicolons.");
  });
  last.addEventListener("click", () => actions.alter(startFrom, lastStates(store.get())));
  store.subscribe(update);
}

/**
 * Return the state of each layer after the last timestep, as one list of numbers per layer: h, followed by c in an LSTM.
 * @param {State} state
 */
const lastStates = ({ run }) =>
  run.last ??
  run.layers.map(({ rows }) => ["h", "c"].flatMap((name) => (rows[name] ?? []).map((row) => row[run.T - 1])));
