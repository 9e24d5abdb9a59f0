/** Marks on the tape's heatmaps for clamps and for the selection. */

/** @import { Range, State } from "../state.js" */
import { earlier } from "../cells.js";
import { isBackward, stepBefore } from "../directions.js";
import { findAll } from "../elements.js";
import { createGuard } from "../store.js";
import { layerIndex, unitsInSight } from "../state.js";

/** Return a function that draws a state's marks on the tape. @param {HTMLElement} tape @returns {(state: State) => void} */
export function createMarks(tape) {
  const rows = findAll(tape, ".signal").map((row) => ({
    signal: row.dataset.signal,
    marks: row.querySelector(".holdmarks"),
  }));
  const isNew = createGuard();

  return (state) => {
    const { clamps, chosen, selection, first, layer, run, views } = state;
    if (!isNew(clamps, chosen, selection, first, layer, state.rows, run, views)) return;
    const boxes = clamps.flatMap((clamp, i) => boxesOf(state, clamp, i === chosen ? "held chosen" : "held"));
    if (selection && views.includes("whatif")) boxes.push(...boxesOf(state, selection, "selected"));
    for (const { signal, marks } of rows)
      marks?.replaceChildren(...boxes.flatMap((box) => (box.signal === signal ? box.element : [])));
  };
}

/** Return the visible boxes of a range, each with its signal. @param {State} state @param {Range} range @param {string} className */
function boxesOf(state, { gate, units, from, to, layer }, className) {
  if (layer !== layerIndex(state) + 1) return [];
  const signal = earlier(gate);
  const run = state.run.layers[layer - 1];
  return [false, true].flatMap((backward) => {
    const rows = unitsInSight(state).flatMap((unit, row) =>
      isBackward(run, unit) === backward && (units?.includes(unit + 1) ?? true) ? row : [],
    );
    // A clamp of h_prev at step t is marked on h at t − 1 (backward at t + 1): this is the state that step t reads.
    const first = signal ? stepBefore(run, backward ? run.H - 1 : 0, from) : from;
    const place = { at: first - 1, steps: (to ?? state.run.T) - from + 1 };
    return stretches(rows).map((stretch) => {
      const element = Object.assign(document.createElement("i"), { className });
      for (const [name, number] of Object.entries({ ...stretch, ...place }))
        element.style.setProperty(`--${name}`, String(number));
      return { signal: signal ?? gate, element };
    });
  });
}

/** Join neighboring rows into ranges. @param {number[]} rows in order */
function stretches(rows) {
  /** @type {{row: number, rows: number}[]} */
  const joined = [];
  for (const row of rows) {
    const last = joined.at(-1);
    if (last && last.row + last.rows === row) last.rows++;
    else joined.push({ row, rows: 1 });
  }
  return joined;
}
