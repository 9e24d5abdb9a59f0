/** The editor of a weight: a slider, a number field, and a button that resets the weight to its trained value. */

/** @import { Part } from "./parts.js" */
/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { editWeight, setWeight, weightKey } from "../changes.js";
import { finder, setText } from "../elements.js";
import { fixed } from "../run.js";
import { signOf } from "./parts.js";

/**
 * Mount the editor of a weight.
 * @param {HTMLElement} editor
 * @param {Store} store
 * @param {Update} alter changes a weight and runs the model with it
 * @param {() => Part[]} listed returns the products of the open sum
 * @param {(key: string) => void} onClose called with the key of the edited weight
 */
export function mountEditor(editor, store, alter, listed, onClose) {
  const [slider, number] = /** @type {HTMLInputElement[]} */ (["[type=range]", "[type=number]"].map(finder(editor)));
  const [name, trained, reset] = ["b", ".trained", "[data-do=reset]"].map(finder(editor));

  /** Return the product with the edited weight, if its sum is open. @param {State} state */
  const edited = ({ editing }) => editing && listed().find(({ place }) => weightKey(place) === weightKey(editing));

  /** @param {State} state */
  function show(state) {
    const part = edited(state);
    editor.hidden = !part;
    if (!part) return;
    const changed = state.weights.find((weight) => weightKey(weight) === weightKey(part.place));
    // This is the requested value, which the run may not have yet.
    const value = changed ? signOf(state) * changed.value : part.trained;
    const reach = Math.max(4, Math.ceil(2 * Math.abs(part.trained))); // how far from 0 the slider goes
    setText(name, part.place.index === null ? `Bias ${part.place.part}` : `Weight of ${part.name}`);
    setText(trained, `trained: ${fixed(part.trained)}`);
    [slider.min, slider.max] = [String(-reach), String(reach)];
    slider.value = String(value);
    if (document.activeElement !== number) number.value = String(Number(value.toFixed(4)));
    reset.setAttribute("aria-disabled", String(!changed));
  }

  editor.addEventListener("input", ({ target }) => {
    const state = store.get();
    const field = /** @type {HTMLInputElement} */ (target);
    const part = edited(state);
    if (!part || !field.checkValidity()) return;
    alter(setWeight, part.place, signOf(state) * field.valueAsNumber, `${field.type} ${weightKey(part.place)}`);
  });
  reset.addEventListener("click", () => {
    const part = edited(store.get());
    if (part && reset.getAttribute("aria-disabled") === "false") alter(setWeight, part.place, null);
  });
  editor.addEventListener("submit", (event) => {
    event.preventDefault();
    const { editing } = store.get();
    store.update(editWeight, null);
    show(store.get());
    if (editing) onClose(weightKey(editing));
  });

  return {
    show,
    /** @param {Part} part */
    open(part) {
      store.update(editWeight, part.place);
      show(store.get());
      slider.focus();
    },
  };
}
