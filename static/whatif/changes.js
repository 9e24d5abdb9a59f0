/** The list of all changes, each with a button that reverts it, and the buttons for undo and redo. */

/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { chooseClamp, editWeight, setClamps, isChanged, clearChanges, redo, setWeight, undo } from "../changes.js";
import { finder, newButton, newElement, setText } from "../elements.js";
import { createGuard } from "../store.js";
import { tellClamp, tellWeight } from "./text.js";

/** Return descriptions of the clamps and weights in `state` that `other` does not have. @param {State} state @param {State} other */
const textsWithout = (state, other) => [
  ...state.clamps.filter((clamp) => !other.clamps.includes(clamp)).map((clamp) => tellClamp(state, clamp)),
  ...state.weights.filter((weight) => !other.weights.includes(weight)).map((weight) => tellWeight(state, weight)),
];

/**
 * Mount the list of changes.
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {Update} alter changes clamps or weights and runs the model with them
 * @param {HTMLElement} next gets the focus when a change is reverted
 * @returns {(state: State) => void} a function that shows the changes of a state
 */
export function mountChanges(section, store, alter, next) {
  const find = finder(section);
  const [list, undoButton, redoButton, clear] = [".chips", "[data-do=undo]", "[data-do=redo]", "[data-do=clear]"].map(
    find,
  );
  const status = find("[role=status]");
  const isNew = createGuard();
  /** The undo list at the time of the latest report in `status`. If the undo list changes, the report is removed. */
  let reportedAfter = store.get().undo;

  /** @param {string} text @param {() => void} choose @param {string} reverting @param {() => void} revert */
  function newChip(text, choose, reverting, revert) {
    const focusNext = () => {
      revert();
      next.focus();
    };
    return newElement("li", {}, [newButton(text, choose), newButton("×", focusNext, { ariaLabel: reverting })]);
  }

  /** @param {State} state @param {number} i */
  function clampChip(state, i) {
    const { clamps, chosen } = state;
    const text = tellClamp(state, clamps[i]);
    const choose = () => store.update(chooseClamp, i === store.get().chosen ? null : i);
    const chip = newChip(text, choose, `Release ${text}`, () => alter(setClamps, clamps.toSpliced(i, 1), null));
    chip.firstElementChild?.setAttribute("aria-pressed", String(i === chosen));
    return chip;
  }

  /** @param {State} state @param {State["weights"][number]} weight */
  function weightChip(state, weight) {
    const { value: _, ...place } = weight;
    const text = tellWeight(state, weight);
    return newChip(
      text,
      () => store.update(editWeight, place),
      `Reset to trained weight: ${text}`,
      () => alter(setWeight, place, null),
    );
  }

  /** Undo or redo a change, and report it in `status`, because a screen reader does not announce the changed list. @param {typeof undo} step */
  function goBack(step) {
    const before = store.get();
    alter(step);
    const after = store.get();
    if (after === before) return;
    const [gone, come] = [textsWithout(before, after), textsWithout(after, before)];
    const parts = [gone.length ? `removed ${gone.join(", ")}` : "", come.length ? `set ${come.join(", ")}` : ""];
    setText(status, `${step === undo ? "Undo" : "Redo"}: ${parts.filter(Boolean).join("; ")}.`);
    reportedAfter = after.undo;
  }

  undoButton.addEventListener("click", () => goBack(undo));
  redoButton.addEventListener("click", () => goBack(redo));
  clear.addEventListener("click", () => alter(clearChanges));
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    // In a text box these keys belong to the browser's own undo.
    if (/** @type {HTMLElement} */ (event.target).closest("input[type=text], input[type=number], textarea")) return;
    event.preventDefault();
    goBack(event.shiftKey ? redo : undo);
  });

  return (state) => {
    const { clamps, weights, chosen, convention, run, views } = state;
    if (!isNew(clamps, weights, chosen, convention, run, state.undo, state.redo, views)) return;
    if (state.undo !== reportedAfter) setText(status, "");
    list.replaceChildren(
      ...clamps.map((_, i) => clampChip(state, i)),
      ...weights.map((weight) => weightChip(state, weight)),
    );
    undoButton.setAttribute("aria-disabled", String(state.undo.length === 0));
    redoButton.setAttribute("aria-disabled", String(state.redo.length === 0));
    clear.hidden = !isChanged(state);
    clear.textContent = !weights.length
      ? "Clear all clamps"
      : clamps.length
        ? "Clear all changes"
        : "Reset all weights";
  };
}
