/** The input sequence: its text box, examples, a random sequence, and error messages. */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
import { finder, newElement, setText } from "../elements.js";

/**
 * Mount the text box of the sequence, the examples and the error messages.
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {{write: (text: string) => void, follow: (query: string) => void, draw: () => void}} actions
 */
export function mountSequence(section, store, actions) {
  const find = finder(section);
  const box = /** @type {HTMLInputElement} */ (find("#sequence"));
  const examples = /** @type {HTMLSelectElement} */ (find("#examples"));
  const [hint, error, random] = ["#hint", "#error", "#random"].map(find);
  let shown = "";

  /** @param {State} state */
  function update(state) {
    if (box.value !== state.text) box.value = state.text;
    setText(error, state.error);
    if (state.invalid) box.setAttribute("aria-invalid", "true");
    else box.removeAttribute("aria-invalid");
    if (shown === state.model) return;
    shown = state.model;
    const entry = state.models.find(({ id }) => id === shown);
    hint.textContent = entry?.hint ?? "";
    random.hidden = !entry?.drawn;
    const sequences = (entry?.examples ?? []).map((text) => new Option(text, text));
    const questions = (entry?.questions ?? []).map(
      ({ ask: text, link }) => new Option(text, `?model=${shown}&${link}`),
    );
    examples.replaceChildren(new Option("Examples", ""), group("Sequences", sequences), group("What if", questions));
  }

  box.addEventListener("input", () => actions.write(box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") actions.write(box.value);
  });
  examples.addEventListener("change", () => {
    if (examples.value.startsWith("?model=")) actions.follow(examples.value);
    else if (examples.value) actions.write(examples.value);
    examples.value = "";
  });
  random.addEventListener("click", actions.draw);
  store.subscribe(update);
}

/** @param {string} label @param {HTMLOptionElement[]} options */
function group(label, options) {
  return newElement("optgroup", { label, hidden: options.length === 0 }, options);
}
