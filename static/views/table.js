/** A heatmap as a table: steps down, units right, the cursor's cell marked; all of it can be copied as CSV. */

/** @import { Store } from "../store.js" */
/** @import { Signal } from "../run.js" */
/** @import { State } from "../state.js" */
import { copy } from "../clipboard.js";
import { fixed } from "../run.js";
import { rowsOf } from "../reading.js";
import { layerOf, openTable } from "../state.js";

const MOST_CELLS = 1000; // at once; a longer run is leafed through with the cursor

/** @type {Record<Signal, string>} */
const NAMES = { r: "Reset gate r", z: "Update gate z", h_tilde: "Candidate h̃", h: "Hidden state h" };

/**
 * The whole of a signal, a line a step.
 * @param {State} state
 */
function csv(state) {
  const rows = rowsOf(state, state.table);
  const quoted = (/** @type {string} */ text) => `"${text.replaceAll('"', '""')}"`;
  const name = state.table === "z" && state.convention === "pytorch" ? "z (1 keeps)" : state.table;
  const lines = [["t", "input", ...rows.map((_, unit) => quoted(`${name}, unit ${unit + 1}`))]];
  for (let column = 0; column < state.received; column++) {
    const input = quoted(state.run.tokens?.[column] ?? "");
    lines.push([String(column + 1), input, ...rows.map((row) => String(row[column]))]);
  }
  return lines.map((line) => line.join(",") + "\n").join("");
}

/**
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountTable(section, store) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const [caption, head, body, done] = ["caption", "thead", "tbody", ".done"].map(find);
  const picker = /** @type {HTMLSelectElement} */ (find("#table-of"));
  /** @type {unknown[]} */
  let shown = [];
  /** @type {Element | undefined} */
  let marked;

  /** @param {State} state @param {number} from @param {number} to columns */
  function draw(state, from, to) {
    const rows = rowsOf(state, state.table);
    caption.textContent = `${NAMES[state.table]}, steps ${from + 1} to ${to} of ${state.run.T}`;
    head.replaceChildren(line("th", ["t", "input", ...rows.map((_, unit) => `unit ${unit + 1}`)], "col"));
    const lines = [];
    for (let column = from; column < to; column++) {
      const cells = line("td", [state.run.tokens?.[column] ?? "", ...rows.map((row) => fixed(row[column], 3))]);
      const step = document.createElement("th");
      step.scope = "row";
      step.textContent = String(column + 1);
      cells.prepend(step);
      lines.push(cells);
    }
    body.replaceChildren(...lines);
  }

  store.subscribe((state) => {
    if (!state.views.includes("table")) return;
    picker.value = state.table;
    const { H } = layerOf(state);
    const length = Math.max(8, Math.floor(MOST_CELLS / H));
    const from = Math.floor((state.step - 1) / length) * length;
    const to = Math.min(from + length, state.received);
    const wanted = [state.run, state.received, state.layer, state.table, state.convention, from];
    if (wanted.some((part, i) => part !== shown[i])) {
      draw(state, from, to);
      done.textContent = "";
      shown = wanted;
    }
    const cell = body.children[state.step - 1 - from]?.children[2 + state.unit];
    if (cell === marked) return;
    marked?.removeAttribute("aria-current");
    cell?.setAttribute("aria-current", "true");
    marked = cell;
    const pages = find(".pages");
    const row = /** @type {HTMLElement | undefined} */ (body.children[state.step - 1 - from]);
    // Not scrollIntoView, which would move the page as well.
    if (row) pages.scrollTop = row.offsetTop - pages.clientHeight / 2;
  });

  picker.addEventListener("change", () => store.update(openTable, /** @type {Signal} */ (picker.value)));
  find("#copy-csv").addEventListener("click", async () => {
    done.textContent = (await copy(csv(store.get()))) ? "Copied" : "This browser does not let the page copy.";
  });
  for (const button of /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-table]")]))
    button.addEventListener("click", () => {
      store.update(openTable, /** @type {Signal} */ (button.dataset.table));
      store.flush();
      section.scrollIntoView({ block: "nearest" });
    });
}

/** @param {"td" | "th"} kind @param {string[]} texts @param {string} [scope] */
function line(kind, texts, scope) {
  const row = document.createElement("tr");
  for (const text of texts) {
    const cell = document.createElement(kind);
    cell.textContent = text;
    if (scope) cell.setAttribute("scope", scope);
    row.append(cell);
  }
  return row;
}
