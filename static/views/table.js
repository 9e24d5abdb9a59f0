/**
 * A heatmap as a table, with a row for each step and a column for each unit. The cursor's cell is marked, and the visitor can copy
 * the whole table as CSV.
 */

/** @import { Store } from "../store.js" */
/** @import { Signal } from "../run.js" */
/** @import { State } from "../state.js" */
import { entryOf } from "../cells.js";
import { copy } from "../clipboard.js";
import { csvOf } from "../csv.js";
import { unitName } from "../directions.js";
import { findAll, finder, setLength, setText } from "../elements.js";
import { rowsOf, turned } from "../reading.js";
import { fixed } from "../run.js";
import { MOST_IN_ORDER, layerIndex, layerOf, openTable, unitsInSight } from "../state.js";
import { createGuard } from "../store.js";
import { nameOf } from "../tokens.js";

const MOST_CELLS = 600; // cells at once; in a longer run, the cursor turns the pages of the table

/** Return the units that have a column: all units, or only the units on the tape if there are very many. @param {State} state */
const unitsOf = (state) =>
  layerOf(state).H > MOST_IN_ORDER ? unitsInSight(state) : Array.from({ length: layerOf(state).H }, (_, unit) => unit);

/**
 * Return the whole signal as CSV, with a line for each step.
 * @param {State} state
 */
function csv(state) {
  const rows = rowsOf(state, state.table);
  const layer = state.run.layers.length > 1 ? `layer ${layerIndex(state) + 1}, ` : "";
  const name = layer + (turned(state, state.table) ? "z (near 1 keeps)" : state.table);
  const lines = [["t", "input", ...rows.map((_, unit) => `${name}, unit ${unitName(layerOf(state), unit)}`)]];
  for (let column = 0; column < state.received; column++)
    lines.push([String(column + 1), state.run.tokens?.[column] ?? "", ...rows.map((row) => String(row[column]))]);
  return csvOf(lines);
}

/**
 * Mount the table of a signal.
 * @param {HTMLElement} section
 * @param {HTMLElement} tape with pictures; each picture has a button that opens its table
 * @param {Store} store
 */
export function mountTable(section, tape, store) {
  const find = finder(section);
  const [caption, head, body, status] = ["caption", "thead", "tbody", ".done"].map(find);
  const picker = /** @type {HTMLSelectElement} */ (find(".controls select"));
  const isNew = createGuard();
  /** @type {Element | undefined} */
  let marked;
  let unit = -1; // the unit that was last scrolled into view

  /** @param {State} state @param {number} from @param {number} to columns */
  function draw(state, from, to) {
    const rows = rowsOf(state, state.table);
    const units = unitsOf(state);
    const { words, symbol } = entryOf(layerOf(state), state.table);
    const some = units.length < rows.length ? `, the units on the tape` : "";
    caption.textContent = `${words} ${symbol}, timesteps ${from + 1} to ${to} of ${state.run.T}${some}`;
    fill(head, 0, "col", ["t", "input", ...units.map((unit) => `unit ${unitName(layerOf(state), unit)}`)]);
    for (let column = from; column < to; column++) {
      const values = units.map((unit) => fixed(rows[unit][column], 3));
      fill(body, column - from, "row", [String(column + 1), nameOf(state.run.tokens?.[column] ?? ""), ...values]);
    }
    setLength(body, to - from);
  }

  const pages = find(".pages");
  // Stored after drawing and scrolling, because measuring at every step would force a layout each time.
  let [above, rowHeight, height, scrolled] = [0, 0, 0, 0];
  pages.addEventListener("scroll", () => (scrolled = pages.scrollTop), { passive: true });

  /** Scroll the table so that a row is visible. scrollIntoView would also scroll the page. @param {number} row */
  function bringIntoSight(row) {
    if (!rowHeight) {
      const first = /** @type {HTMLElement} */ (body.children[0]);
      [above, rowHeight, height] = [first.offsetTop, first.offsetHeight, pages.clientHeight];
    }
    const top = row * rowHeight;
    if (top < scrolled || top + rowHeight > scrolled + height - above)
      pages.scrollTop = scrolled = Math.max(0, top - (height - above) / 2);
  }

  store.subscribe((state) => {
    if (!state.views.includes("table")) return;
    picker.value = state.table;
    const units = unitsOf(state);
    const length = Math.max(8, Math.floor(MOST_CELLS / units.length));
    const from = Math.floor((state.step - 1) / length) * length;
    const to = Math.min(from + length, state.received);
    if (isNew(state.run, state.received, state.layer, state.table, state.convention, from, String(units))) {
      draw(state, from, to);
      status.textContent = "";
      rowHeight = 0;
    }
    const cell = body.children[state.step - 1 - from]?.children[2 + units.indexOf(state.unit)];
    if (cell === marked) return;
    marked?.removeAttribute("aria-current");
    cell?.setAttribute("aria-current", "true");
    marked = cell;
    if (!cell) return;
    bringIntoSight(state.step - 1 - from);
    if (unit === state.unit) return;
    unit = state.unit;
    const { offsetLeft, offsetWidth } = /** @type {HTMLElement} */ (cell);
    const heads = /** @type {HTMLElement} */ (head.firstElementChild?.children[2]).offsetLeft;
    if (offsetLeft < pages.scrollLeft + heads || offsetLeft + offsetWidth > pages.scrollLeft + pages.clientWidth)
      pages.scrollLeft = offsetLeft - (heads + pages.clientWidth) / 2;
  });

  picker.addEventListener("change", () => store.update(openTable, /** @type {Signal} */ (picker.value)));
  find(".controls button").addEventListener("click", async () => {
    status.textContent = (await copy(csv(store.get()))) ? "Copied" : "This browser does not allow copying.";
  });
  for (const button of findAll(tape, "[data-table]"))
    button.addEventListener("click", () => {
      store.update(openTable, /** @type {Signal} */ (button.dataset.table));
      store.flush();
      section.scrollIntoView({ block: "nearest" });
    });
}

/**
 * Write a row of the table, and reuse its existing cells.
 * @param {HTMLElement} part @param {number} i @param {"col" | "row"} heads "col": all cells are headings; "row": the first cell is one
 * @param {string[]} texts
 */
function fill(part, i, heads, texts) {
  const row = part.children[i] ?? part.appendChild(document.createElement("tr"));
  setLength(row, Math.min(row.childElementCount, texts.length));
  texts.forEach((text, j) => {
    const head = heads === "col" || j === 0;
    const cell = row.children[j] ?? row.appendChild(document.createElement(head ? "th" : "td"));
    if (head) cell.setAttribute("scope", heads);
    setText(cell, text);
  });
}
