/** The tape's frame: its columns, inputs and outputs, and the one cursor. The heatmaps are views of their own. */

/** @import { Store } from "../store.js" */
/** @import { Run, Signal } from "../run.js" */
/** @import { State } from "../state.js" */
import { cellOf } from "../cells.js";
import { select } from "../changes.js";
import { setLength, setText } from "../elements.js";
import { answer, fixed, isSkipped, missed } from "../run.js";
import { goTo, layerIndex, layerOf, lookAt, setBrush, unitsInSight } from "../state.js";

const MOST_CHARACTERS = 14; // of the longest token or label that a column is widened for
const DECIMAL = "+-0.5"; // numbers change their length as they are typed: the columns are not to jump
const MOST_LABELLED = 128; // columns; with more the letters would not be legible

/**
 * @param {HTMLElement} tape of whose rows the inputs or the outputs may be absent
 * @param {Store} store
 * @param {string} [beside] what the other run is, whose outputs stand under the run's
 */
export function mountTape(tape, store, beside = "original") {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (tape.querySelector(selector));
  const [scroller, cursor, ahead, columns] = [".scroller", ".cursor", ".ahead", ".columns"].map(find);
  const [tokens, outputs, untouched] = [".tokens ol", ".outputs:not(.twin) ol", ".twin ol"].map(find);
  /** @type {State | null} */
  let shown = null;
  let wide = false; // wider than its frame
  // Kept, because to measure while the page is being changed would force a layout each time.
  let [all, room, scrolled] = [0, 0, 0]; // px: all columns, those in sight, and those scrolled by

  /** @param {State} state */
  function label(state) {
    const { T, tokens: words, columns, y } = state.run;
    tape.style.setProperty("--cols", String(columns));
    tape.style.setProperty("--steps", String(T));
    const labels = y.kind === "softmax" ? y.labels : [];
    const longest = (/** @type {readonly string[]} */ all) =>
      String(Math.min(MOST_CHARACTERS, Math.max(2, ...all.map((word) => word.length))));
    tape.style.setProperty("--chars", longest([...(words ?? []), words?.some((word) => word.includes("0.")) ? DECIMAL : ""]));
    tape.style.setProperty("--label-chars", longest(labels));
    tape.classList.toggle("many", columns > 64);
    const labelled = columns <= MOST_LABELLED ? T : 0;
    tape.classList.toggle("unlabelled", labelled === 0);
    tape.classList.toggle("signed", y.kind === "linear");
    if (tokens) {
      setLength(tokens, labelled);
      for (let column = 0; column < labelled; column++) setText(tokens.children[column], words?.[column] ?? "·");
    }
    showSkipped(state.run);
    const others = state.run.others ?? [];
    const row = tape.querySelector(".others");
    if (row instanceof HTMLElement) {
      row.hidden = !others.length;
      setLength(/** @type {Element} */ (row.querySelector("ol")), others.length ? labelled : 0);
      [...row.querySelectorAll("li")].forEach((cell, column) => {
        setText(cell, others[column] ?? "");
        cell.classList.toggle("differs", others[column] !== words?.[column]);
      });
    }
    if (outputs) labelOutputs(state, labelled);
  }

  /** Draw the columns that the network skips, with the word. @param {Run} run */
  function showSkipped(run) {
    for (const drawn of tape.querySelectorAll(".skipped")) drawn.remove();
    for (let step = 1; step <= run.T; step++) {
      if (!isSkipped(run, step) || isSkipped(run, step - 1)) continue;
      let last = step;
      while (isSkipped(run, last + 1)) last++;
      const columns = Object.assign(document.createElement("div"), { className: "skipped", textContent: "skipped" });
      columns.style.setProperty("--at", String(step - 1));
      columns.style.setProperty("--count", String(last - step + 1));
      cursor.before(columns);
    }
  }

  /** @param {State} state @param {number} labelled so many columns */
  function labelOutputs({ run }, labelled) {
    const { y } = run;
    setText(find(".outputs .name"), y.kind === "linear" && y.labels.length > 1 ? `output ${y.labels[0]}` : "output");
    find(".twin").hidden = !run.twin;
    setText(find(".twin .name"), y.kind === "linear" ? "difference" : run.against ? "second output" : beside);
    const other = run.against ? "second sequence" : beside === "original" ? "original run" : `${beside} network`;
    untouched.ariaLabel = y.kind === "linear" ? `Difference from the output of the ${other}` : `Output of the ${other}`;
    for (const list of [outputs, untouched]) setLength(list, labelled);
    for (let column = 0; column < labelled; column++) {
      const output = /** @type {HTMLElement} */ (outputs.children[column]);
      const now = answer(run, column);
      fill(output, now.text, now.value);
      const right = missed(run, column);
      output.classList.toggle("wrong", right !== "");
      if (right) output.title = `wrong: the correct output is ${right}`;
      else output.removeAttribute("title");
      if (!run.twin) continue;
      // Under each output the untouched one: its label, or by how much a number differs from it.
      const was = answer(run, column, run.untouched);
      const gap = run.gaps[0][column];
      const cell = /** @type {HTMLElement} */ (untouched.children[column]);
      if (y.kind === "softmax") fill(cell, was.text, was.value);
      else fill(cell, Math.abs(gap) < 0.005 ? "0" : `${gap > 0 ? "+" : ""}${fixed(gap)}`, gap);
      cell.classList.toggle("differs", y.kind === "softmax" ? was.text !== now.text : Math.abs(gap) > 0.01);
    }
  }

  /** @param {State} state */
  function update(state) {
    if (!shown || shown.run !== state.run || shown.received !== state.received) label(state);
    if (!shown || shown.step !== state.step || shown.run !== state.run) {
      const [now, before] = [tokens?.children[state.step - 1], tokens?.querySelector("[aria-current]")];
      if (before !== now) before?.removeAttribute("aria-current");
      if (before !== now) now?.setAttribute("aria-current", "step");
      if (wide) follow(state);
    }
    cursor.hidden = false;
    cursor.style.setProperty("--at", String(state.step - 1));
    ahead.hidden = !state.playing;
    ahead.style.setProperty("--at", String(state.step));
    shown = state;
  }

  /** Keep the cursor in sight where the tape is wider than its frame. @param {State} state */
  function follow(state) {
    const width = all / state.run.columns;
    const left = (state.step - 1) * width;
    if (left < scrolled) scroller.scrollLeft = left - 2 * width;
    else if (left + width > scrolled + room) scroller.scrollLeft = left + 3 * width - room;
  }

  /** Put the cursor where the pointer is. @param {PointerEvent} event */
  function point(event) {
    const state = store.get();
    const box = columns.getBoundingClientRect();
    if (event.clientX < box.left) return;
    store.update(goTo, 1 + Math.floor(((event.clientX - box.left) / box.width) * state.run.columns));
    const plot = /** @type {HTMLElement} */ (event.target).closest(".plot");
    if (!plot) return;
    const { top, height } = plot.getBoundingClientRect();
    const units = unitsInSight(state);
    const row = Math.floor(((event.clientY - top) / height) * units.length);
    store.update(lookAt, units[Math.max(0, Math.min(units.length - 1, row))]);
    const { views } = state;
    if (views.includes("alike") || views.includes("whatif")) drag(/** @type {Signal} */ (plot.parentElement?.dataset.signal), event.type);
  }

  /** The cell where dragging began. @type {{signal: Signal, step: number, row: number} | null} */
  let origin = null;

  /** Select from where dragging began to the cursor. @param {Signal} signal @param {string} type of the event */
  function drag(signal, type) {
    const state = store.get();
    const units = unitsInSight(state);
    const row = units.indexOf(state.unit);
    if (type === "pointerdown" || origin?.signal !== signal) origin = { signal, step: state.step, row };
    const [first, last] = [Math.min(origin.row, row), Math.max(origin.row, row)];
    if (state.views.includes("alike"))
      store.update(setBrush, { signal, from: Math.min(origin.step, state.step), to: Math.max(origin.step, state.step) });
    if (!state.views.includes("whatif")) return;
    // The state itself cannot be held, only what the next step sees of it.
    const later = signal in cellOf(layerOf(state)).holds ? 0 : 1;
    const [from, to] = [Math.min(origin.step, state.step), Math.max(origin.step, state.step)];
    store.update(select, {
      gate: later ? `${signal}_prev` : signal,
      units: units.slice(first, last + 1).map((unit) => unit + 1),
      from: Math.min(from + later, state.run.T),
      to: Math.min(to + later, state.run.T),
      layer: layerIndex(state) + 1,
    });
  }

  /** Not on a slider, nor on the frame's own scrollbar. @param {PointerEvent} event */
  const onColumns = ({ target }) =>
    target instanceof Element && !(target instanceof HTMLInputElement) && target.closest(".columns") !== null;

  scroller.addEventListener("pointerdown", (event) => {
    if (onColumns(event) && event.button === 0) point(event);
  });
  scroller.addEventListener("pointermove", (event) => {
    if (event.buttons === 1 && onColumns(event)) point(event);
  });
  const frame = new ResizeObserver(() => {
    wide = scroller.scrollWidth > scroller.clientWidth;
    [all, room] = [columns.clientWidth, scroller.clientWidth - columns.offsetLeft];
    tape.classList.toggle("wide", wide);
    if (wide && shown) follow(shown);
  });
  for (const part of [scroller, columns]) frame.observe(part);
  scroller.addEventListener("scroll", () => (scrolled = scroller.scrollLeft), { passive: true });
  store.subscribe(update);
}

/** @param {HTMLElement} cell @param {string} text @param {number} value how high it is filled */
function fill(cell, text, value) {
  if (cell.textContent !== text)
    cell.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }));
  cell.style.setProperty("--value", Number.isNaN(value) ? "0" : Math.max(-1, Math.min(1, value)).toFixed(3));
}
