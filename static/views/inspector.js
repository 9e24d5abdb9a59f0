/** The inspector: the position of the cursor, and the buttons that open and close views. */

/** @import { Store } from "../store.js" */
/** @import { State, View } from "../state.js" */
import { lesson } from "../boot.js";
import { CHANGED, isProjected } from "../display.js";
import { unitName } from "../directions.js";
import { findAll, finder, setText } from "../elements.js";
import { VIEWS, change, chooseView, layerIndex, layerOf, toggleView } from "../state.js";

/**
 * Mount the buttons of the views, and the position of the cursor.
 * @param {HTMLElement} main the Lab, with the parts that the buttons show or hide
 * @param {Store} store
 */
export function mountInspector(main, store) {
  const find = finder(main);
  const section = find("#inspector");
  const slots = findAll(section, "h2 [data-slot]");
  const buttons = findAll(section, "[data-view]");
  const words = find(".words");
  const equations = find(".equations");
  /** @type {readonly View[] | null} */
  let shown = null;
  /** The view that was opened last. @type {View} */
  let latest = "cell";
  /** The open views before the visitor chose one in the projector mode. @type {readonly View[] | null} */
  let before = null;

  /**
   * Put a newly opened part at the top of the column, where the visitor sees it at once. If other parts are open, the equations move
   * to their place under the tape.
   * @param {readonly View[]} views
   */
  function place(views) {
    const opened = views.filter((view) => shown && !shown.includes(view) && view !== "tape" && view !== "words");
    const [first] = opened;
    if (opened.length === 1) latest = first;
    if (opened.length === 1 && first !== "equations") words.after(find(`[data-part="${first}"]`));
    // A link can open several parts at once, which then appear in the order of the views.
    const column = VIEWS.filter((view) => !["tape", "words", "equations"].includes(view));
    if (opened.length > 1) section.append(...column.map((view) => find(`[data-part="${view}"]`)));
    const alone = views.every((view) => ["tape", "words", "equations"].includes(view));
    if (alone || (opened.length === 1 && first === "equations")) words.after(equations);
    else if (opened.length) section.after(equations);
  }

  /**
   * Return the views that the page shows: all open views or, in the projector mode outside a lesson, only one view besides the tape and
   * the words.
   * @param {State} state
   */
  function shownOf({ views }) {
    if (!isProjected() || lesson) return views;
    /** @type {readonly View[]} */
    const others = views.filter((view) => view !== "tape" && view !== "words");
    const chosen = others.includes(latest) ? latest : others[0];
    return views.filter((view) => view === chosen || !others.includes(view));
  }

  /** @param {State} state */
  function showParts(state) {
    const views = shownOf(state);
    if (String(shown) === String(views)) return;
    place(views);
    shown = views;
    for (const view of VIEWS) find(`[data-part="${view}"]`).hidden = !views.includes(view);
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(views.includes(/** @type {View} */ (button.dataset.view))));
  }

  for (const button of buttons)
    button.addEventListener("click", () => {
      const view = /** @type {View} */ (button.dataset.view);
      if (!isProjected() || lesson) return store.update(toggleView, view);
      before ??= store.get().views;
      latest = view;
      store.update(chooseView, view);
    });
  addEventListener(CHANGED, () => {
    if (!isProjected() && before) store.update(change, { views: before });
    before = null;
    shown = ["tape", "words"]; // makes `showParts` place every other view again
    showParts(store.get());
  });

  store.subscribe((state) => {
    showParts(state);
    main.dataset.reset = layerOf(state).reset ?? "";
    main.dataset.swift = String(state.playing && state.speed > 2);
    if (state.step > state.received) return; // the timestep has not arrived yet
    const layers = state.run.layers.length;
    const layer = layers === 1 ? "" : `, layer ${layerIndex(state) + 1} of ${layers}`;
    /** @type {Record<string, string | number>} */
    const place = { t: state.step, layer, unit: unitName(layerOf(state), state.unit), units: layerOf(state).H };
    section.style.setProperty("--digits", String(String(state.run.T).length));
    for (const slot of slots) setText(slot, String(place[slot.dataset.slot ?? ""]));
  });
}
