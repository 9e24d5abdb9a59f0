/** The cell's third zoom, one gate opened: every product of its sum, largest first, and what they add up to. */

/** @import { Store } from "../store.js" */
/** @import { Gate } from "../run.js" */
/** @import { State, Sums } from "../state.js" */
import { fixed } from "../run.js";
import { FUNCTIONS, inputsOf, reading, rounding, shownAs } from "../reading.js";
import { detailAt, layerIndex, layerOf, openGate } from "../state.js";

const SYMBOLS = { r: "r", z: "z", h_tilde: "h̃" };

/** @typedef {{about: string, name: string, weight: number, value: number, product: number}} Part */

/**
 * The parts of the open gate's sum, largest first.
 * @param {State} state
 * @param {Sums} sums
 * @returns {Part[]}
 */
function partsOf(state, sums) {
  const { gate, step, unit, convention } = state;
  const { rows, h0, reset } = layerOf(state);
  const sum = sums.gates[gate];
  const column = step - 1;
  const i = step - sums.from;
  const inputs = inputsOf(state);
  const below = layerIndex(state);
  const r = rows.r.map((row) => row[column]);
  const sign = convention === "pytorch" && gate === "z" ? -1 : 1;
  const candidate = gate === "h_tilde";
  /** @type {Part[]} */
  const parts = sum.W.map((weight, j) => ({
    about: `${gate}.Wx`,
    name: below === 0 ? sums.inputs[j] : `${sums.inputs[j]} of layer ${below}`,
    weight,
    value: inputs[j][column],
    product: sum.Wx[i][j],
  }));
  sum.U.forEach((weight, k) => {
    const h = step === 1 ? h0[k] : rows.h[k][column - 1];
    const seen = candidate ? (reset === "before" ? r[k] : r[unit]) : 1;
    const name = `${candidate ? "r ⊙ " : ""}h${k + 1}, t − 1`;
    parts.push({ about: `${gate}.Uh`, name, weight, value: seen * h, product: sum.Uh[i][k] });
  });
  parts.push({ about: `${gate}.b`, name: "bias b", weight: sum.b, value: 1, product: sum.b });
  if (sum.c !== null && sum.rc)
    parts.push({ about: `${gate}.Uh`, name: "r × bias c", weight: sum.c, value: r[unit], product: sum.rc[i] });
  for (const part of parts) {
    part.weight *= sign;
    part.product *= sign;
  }
  return parts.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
}

/**
 * @param {HTMLElement} section
 * @param {Store} store
 */
export function mountSum(section, store) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const [caption, body, foot, waiting, table] = ["caption", "tbody", "tfoot", ".waiting", "table"].map(find);
  const gates = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll("[name=gate]")]);

  store.subscribe((state) => {
    if (state.zoom !== "gate" || !state.views.includes("cell") || state.step > state.received) return;
    for (const input of gates) input.checked = input.value === state.gate;
    section.className = `sum ${state.gate}`;
    const sums = detailAt(state, "sums");
    write(waiting, sums ? "" : (state.refusals.sums ?? ""));
    table.classList.toggle("late", !sums);
    if (sums) show(state, sums);
  });
  for (const input of gates)
    input.addEventListener("change", () => store.update(openGate, /** @type {Gate} */ (input.value)));

  /** @param {State} state @param {Sums} sums */
  function show(state, sums) {
    const parts = partsOf(state, sums);
    const shown = parts.filter(({ product }) => product !== 0);
    const at = reading(state);
    const { a } = at.sums[state.gate];
    const result = at.replaced[state.gate] ?? at[state.gate];
    const f = FUNCTIONS[state.gate];
    const { decimals, off } = rounding((as) => [
      [shown.reduce((sum, { product }) => sum + as(product), 0), a],
      [f.of(as(a)), result],
    ]);
    const largest = Math.max(...shown.map(({ product }) => Math.abs(product)));
    while (body.childElementCount > shown.length) body.lastElementChild?.remove();
    while (body.childElementCount < shown.length) body.append(newRow());
    shown.forEach((part, i) => {
      const row = /** @type {HTMLElement} */ (body.children[i]);
      row.dataset.about = part.about;
      const [name, weight, value, bar, product] = /** @type {HTMLElement[]} */ ([...row.children]);
      write(name, part.name);
      write(weight, fixed(part.weight));
      write(value, `× ${fixed(part.value)}`);
      bar.style.setProperty("--share", (part.product / largest).toFixed(3));
      // The factors have two decimals, which not always give the product.
      const gap = Math.abs(
        shownAs(fixed(part.weight)) * shownAs(fixed(part.value)) - shownAs(fixed(part.product, decimals)),
      );
      write(product, `${gap > 0.5 * 10 ** -decimals + 1e-9 ? "≈ " : ""}${fixed(part.product, decimals)}`);
    });
    const zeros = parts.length - shown.length;
    caption.textContent = `What makes ${SYMBOLS[state.gate]} of unit ${at.unit + 1} at t = ${at.t}, largest first`;
    foot.replaceChildren(
      ...(zeros ? [total(`${zeros} more ${zeros === 1 ? "is" : "are"} 0`, "")] : []),
      total("their sum a", `${off[0] ? "≈ " : ""}${fixed(a, decimals)}`, "a"),
      total(`${SYMBOLS[state.gate]} = ${f.name}(a)`, `${off[1] ? "≈ " : ""}${fixed(result, decimals)}`, "value"),
    );
  }
}

/** @param {HTMLElement} cell @param {string} text */
function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

function newRow() {
  const row = document.createElement("tr");
  row.append(Object.assign(document.createElement("th"), { scope: "row" }));
  for (let i = 0; i < 4; i++) row.append(document.createElement("td"));
  row.children[3].className = "bar";
  return row;
}

/** @param {string} name @param {string} number @param {string} [slot] */
function total(name, number, slot) {
  const row = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row", colSpan: 4, textContent: name });
  const cell = Object.assign(document.createElement("td"), { textContent: number });
  if (slot) cell.dataset.slot = slot;
  row.append(head, cell);
  return row;
}
