/** The sum of one gate, which is the closest zoom level of the cell's figure: all products, largest first, and the total. */

/** @import { Part } from "../sum/parts.js" */
/** @import { Store, Update } from "../store.js" */
/** @import { State } from "../state.js" */
/** @import { Worked } from "../reading.js" */
import { functionOf, symbolOf } from "../cells.js";
import { weightKey } from "../changes.js";
import { unitName } from "../directions.js";
import { findAll, finder, mountChoice, newElement, newRow, setLength, setText } from "../elements.js";
import { replacedAt, rowsOf, sumAt, workedAt } from "../reading.js";
import { fixed } from "../run.js";
import { detailAt, layerOf, openGate } from "../state.js";
import { mountEditor } from "../sum/editor.js";
import { partsOf, printed, roundingOf } from "../sum/parts.js";
import { DECIMALS } from "../thresholds.js";

/**
 * Mount the sum of a gate.
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {{alter: Update}} actions
 */
export function mountSum(section, store, actions) {
  const find = finder(section);
  const [body, waiting, table, refused] = ["tbody", ".waiting", "table", ".refused"].map(find);
  const weightButton = (/** @type {string} */ key) => find(`tbody [data-weight="${key}"]`);
  const showGate = mountChoice(section, ".gate input", (gate) => store.update(openGate, gate));
  /** @type {Part[]} */
  let parts = [];
  const editor = mountEditor(
    find(".editor"),
    store,
    actions.alter,
    () => parts,
    (key) => weightButton(key)?.focus(),
  );

  store.subscribe((state) => {
    if (state.zoom !== "gate" || !state.views.includes("cell") || state.step > state.received) return;
    showGate(state.gate);
    section.className = `sum ${state.gate}`;
    const [sums, worked] = [detailAt(state, "sums"), workedAt(state)];
    setText(waiting, sums && worked ? "" : (state.refusals.sums ?? state.refusals.equations ?? ""));
    table.classList.toggle("late", !sums || !worked);
    if (sums && worked) {
      parts = partsOf(state, sums);
      showSum(table, state, parts, worked);
    }
    setText(refused, state.refusals.changes ?? "");
    editor.show(state);
  });
  body.addEventListener("click", ({ target }) => {
    const key = /** @type {HTMLElement} */ (target).dataset.weight;
    const part = parts.find(({ place }) => weightKey(place) === key);
    if (part) editor.open(part);
  });
}

/** @param {HTMLElement} table @param {State} state @param {Part[]} parts @param {Worked} worked */
function showSum(table, state, parts, worked) {
  const { gate, unit, step } = state;
  const [caption, body, foot] = ["caption", "tbody", "tfoot"].map(finder(table));
  const listed = parts.filter(({ product, weight, trained }) => product !== 0 || weight !== trained);
  const { a } = sumAt(state, gate, unit);
  const value = rowsOf(state, gate)[unit][step - 1];
  const computed = replacedAt(state, unit)[gate];
  const symbol = symbolOf(layerOf(state), gate);
  const f = functionOf(layerOf(state), gate);
  const products = listed.map(({ product }) => product);
  const { decimals, off } = roundingOf(products, a, f ? worked.decimals[`${gate}.value`] : DECIMALS);
  const largest = Math.max(...products.map(Math.abs));
  caption.textContent = `The sum of ${symbol} of unit ${unitName(layerOf(state), unit)} at t = ${step}, largest product first`;
  setLength(body, listed.length, newPart);
  listed.forEach((part, i) => showPart(/** @type {HTMLElement} */ (body.children[i]), part, decimals, largest));
  const zeros = parts.length - listed.length;
  const number = (/** @type {number} */ value, isOff = false) => `${isOff ? "≈ " : ""}${fixed(value, decimals)}`;
  foot.replaceChildren(
    ...(zeros ? [total(`${zeros} more ${zeros === 1 ? "product is" : "products are"} 0`, "")] : []),
    total("sum a", number(a, off.sum), "a"),
    total(`${symbol} = ${f ? `${f}(a)` : "a"}`, number(computed ?? value, off.value), "value"),
    ...(computed === undefined ? [] : [total("clamped at", number(value))]),
  );
}

/** @param {HTMLElement} row @param {Part} part @param {number} decimals @param {number} largest product of the sum */
function showPart(row, { term, name, place, weight, trained, value, product }, decimals, largest) {
  const [head, button, factor, bar, result] = findAll(row, "th, button, td:nth-child(n + 3)");
  row.dataset.term = term;
  setText(head, name);
  setText(button, fixed(weight));
  button.dataset.weight = weightKey(place);
  button.classList.toggle("changed", weight !== trained);
  setText(factor, `× ${fixed(value)}`);
  bar.style.setProperty("--share", (product / largest).toFixed(3));
  bar.classList.toggle("negative", product < 0);
  // The product of the two rounded factors is not always the rounded product.
  const gap = Math.abs(printed(weight) * printed(value) - printed(product, decimals));
  setText(result, `${gap > 0.5 * 10 ** -decimals + 1e-9 ? "≈ " : ""}${fixed(product, decimals)}`);
}

function newPart() {
  const row = newRow(["", "", "", "", ""]);
  row.cells[1].append(newElement("button", { type: "button", title: "Change this weight" }));
  row.cells[3].className = "bar";
  return row;
}

/** @param {string} name @param {string} number @param {string} [slot] */
function total(name, number, slot) {
  const row = newRow([name, number]);
  row.cells[0].colSpan = 4;
  if (slot) row.cells[1].dataset.slot = slot;
  return row;
}
