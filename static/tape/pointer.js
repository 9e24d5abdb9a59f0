/** The pointer on the tape: a press moves the cursor to the pointer, and dragging selects cells of a heatmap. */

/** @import { Signal } from "../run.js" */
/** @import { State } from "../state.js" */
/** @import { Store } from "../store.js" */
import { cellOf } from "../cells.js";
import { select } from "../changes.js";
import { isBackward, unitsAlong } from "../directions.js";
import { goTo, layerIndex, layerOf, lookAt, setBrush, unitsInSight } from "../state.js";

/**
 * Move the cursor to the pointer when the visitor presses, and select cells when the visitor drags.
 * @param {HTMLElement} scroller @param {HTMLElement} columns inside it @param {Store} store
 */
export function mountPointer(scroller, columns, store) {
  /** The cell where dragging began, and whether the pointer has left it. @type {{signal: Signal, step: number, row: number, left: boolean} | null} */
  let origin = null;

  /** @param {PointerEvent} event */
  function point(event) {
    const box = columns.getBoundingClientRect();
    if (event.clientX < box.left) return;
    store.update(goTo, 1 + Math.floor(((event.clientX - box.left) / box.width) * store.get().run.columns));
    const plot = /** @type {HTMLElement} */ (event.target).closest(".plot");
    if (!plot) return;
    const { top, height } = plot.getBoundingClientRect();
    const units = unitsInSight(store.get());
    const row = Math.floor(((event.clientY - top) / height) * units.length);
    store.update(lookAt, units[Math.max(0, Math.min(units.length - 1, row))]);
    drag(/** @type {Signal} */ (plot.parentElement?.dataset.signal), event.type);
  }

  /** Select the cells from the start of the drag to the cursor. @param {Signal} signal @param {string} type of the event */
  function drag(signal, type) {
    const state = store.get();
    const { step, unit, views } = state;
    const row = unitsInSight(state).indexOf(unit);
    if (type === "pointerdown" || origin?.signal !== signal) origin = { signal, step, row, left: false };
    origin.left ||= step !== origin.step || row !== origin.row;
    const [from, to] = [Math.min(origin.step, step), Math.max(origin.step, step)];
    const rows = [Math.min(origin.row, row), Math.max(origin.row, row) + 1];
    if (views.includes("alike")) store.update(setBrush, { signal, from, to });
    // A state is selected only by dragging. A press on a state only moves the cursor, and the clamp form keeps its gate.
    if (views.includes("whatif") && (origin.left || canClamp(state, signal)))
      store.update(select, rangeOf(state, signal, from, to, unitsInSight(state).slice(...rows)));
  }

  for (const type of /** @type {const} */ (["pointerdown", "pointermove"]))
    scroller.addEventListener(type, (event) => {
      const pressed = type === "pointerdown" ? event.button === 0 : event.buttons === 1;
      if (pressed && isOnColumns(event)) point(event);
    });
}

/** Return whether an event is on the columns, and not on a slider or the frame's scrollbar. @param {PointerEvent} event */
const isOnColumns = ({ target }) =>
  target instanceof Element && !(target instanceof HTMLInputElement) && target.closest(".columns") !== null;

/** @param {State} state @param {Signal} signal */
const canClamp = (state, signal) => signal in cellOf(layerOf(state)).holds;

/**
 * Return the range of a clamp for the steps `from` to `to` of a signal. A clamp can set the previous state that a step reads, but not
 * the state that the step computes. Therefore the range for a state is one step later, or one step earlier for units that read from
 * the end, and has only the units that read in the same direction as the cursor's unit.
 * @param {State} state @param {Signal} signal @param {number} from @param {number} to @param {number[]} units from 0
 */
function rangeOf(state, signal, from, to, units) {
  const layer = layerOf(state);
  const isState = !canClamp(state, signal);
  const shift = !isState ? 0 : isBackward(layer, state.unit) ? -1 : 1;
  const shifted = (/** @type {number} */ step) => Math.max(1, Math.min(step + shift, state.run.T));
  const along = unitsAlong(layer, state.unit);
  return {
    gate: isState ? `${signal}_prev` : signal,
    units: units.filter((unit) => !isState || along.includes(unit)).map((unit) => unit + 1),
    from: shifted(from),
    to: shifted(to),
    layer: layerIndex(state) + 1,
  };
}
