/**
 * The two directions of a bidirectional layer: headings above the tape's heatmaps, a line between the rows of the two directions, and a
 * mark on the heatmap cell with the old state that the cursor's unit reads. In the figure and the equations, t − 1 becomes t + 1 for
 * units that read the sequence from its end.
 */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
import { cellOf, memoryOf } from "../cells.js";
import { isBackward, stepBefore } from "../directions.js";
import { findAll, finder, newElement, setText } from "../elements.js";
import { layerIndex, layerOf, unitsInSight } from "../state.js";
import { tellUnits } from "../whatif/text.js";

/**
 * Show in which direction the unit at the cursor reads.
 * @param {HTMLElement} main with the figure and the equations
 * @param {HTMLElement} tape
 * @param {Store} store
 */
export function mountDirections(main, tape, store) {
  const row = finder(tape)(".directions");
  const [forward, backward, output] = [".forward", ".backward", ".output"].map(finder(row));
  const signs = findAll(main, ".past-sign");
  const plots = findAll(tape, ".signal").map(({ dataset, lastElementChild }) => {
    const [line, old] = ["split", "old"].map((className) => newElement("div", { className, hidden: true }));
    lastElementChild?.append(line, old);
    return { signal: dataset.signal ?? "", line, old };
  });

  store.subscribe((state) => {
    const { run, step, unit } = state;
    const layer = layerOf(state);
    for (const sign of signs) setText(sign, isBackward(layer, unit) ? "+" : "−");
    row.hidden = !layer.backward_units;
    const units = unitsInSight(state);
    const split = units.findIndex((other) => isBackward(layer, other));
    const [before, at] = [stepBefore(layer, unit, step), units.indexOf(unit)];
    for (const { signal, line, old } of plots) {
      line.hidden = split < 1;
      line.style.setProperty("--unit", String(split));
      const isRead = signal === "h" ? cellOf(layer).recurrent.length > 0 || memoryOf(layer) === "h" : signal === "c";
      old.hidden = row.hidden || !isRead || at < 0 || before < 1 || before > run.T;
      old.style.setProperty("--unit", String(at));
      old.style.setProperty("--at", String(before - 1));
      old.title = `the old state of unit ${unit + 1}`;
    }
    if (row.hidden) return;
    const first = layer.H - layer.backward_units;
    const all = Array.from({ length: layer.H }, (_, other) => other + 1);
    setText(forward, tellReading(all.slice(0, first), 1, run.T, "−"));
    setText(backward, tellReading(all.slice(first), run.T, 1, "+"));
    setText(output, tellOutput(state));
  });
}

/**
 * Describe the order in which some units read the timesteps, and the timestep of their old state.
 * @param {number[]} units counted from 1 @param {number} from @param {number} to steps @param {string} sign in "t ± 1"
 */
function tellReading(units, from, to, sign) {
  const text = tellUnits(units);
  const [verb, owner] = units.length === 1 ? ["reads", "Its"] : ["read", "Their"];
  return `${text[0].toUpperCase()}${text.slice(1)} ${verb} from t = ${from} to ${to}. ${owner} old state is at t ${sign} 1.`;
}

/** Describe which states are the output of the layer. @param {State} state */
function tellOutput(state) {
  const { run } = state;
  const reader = layerIndex(state) === run.layers.length - 1 ? "The output yₜ" : `Layer ${layerIndex(state) + 2}`;
  return `${reader} reads both states at t. The last state is that of t = ${run.T} forward, and that of t = 1 backward.`;
}
