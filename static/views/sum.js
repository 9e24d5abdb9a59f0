/** One gate opened, the cell's closest zoom: every product in its sum, largest first, and their sum. */

/** @import { Store, Update } from "../store.js" */
/** @import { WeightPlace } from "../run.js" */
/** @import { State, Sums } from "../state.js" */
/** @import { Worked } from "../reading.js" */
import { functionOf, symbolOf } from "../cells.js";
import { editWeight, setWeight, weightKey } from "../changes.js";
import { setLength, newRow, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { DECIMALS, before, inputsOf, replacedAt, rowsOf, shownAs, sumAt, turned, workedAt } from "../reading.js";
import { clampAt, fixed } from "../run.js";
import { detailAt, layerIndex, layerOf, openGate } from "../state.js";

/** One product of the sum; `trained` is what its weight was trained to be. @typedef {{about: string, name: string, place: WeightPlace, weight: number, trained: number, value: number, product: number}} Part */

/** −1 where the open gate's sum is written negated. @param {State} state */
const signOf = (state) => (turned(state, state.gate) ? -1 : 1);

/**
 * The parts of the open gate's sum, largest first.
 * @param {State} state
 * @param {Sums} sums
 * @returns {Part[]}
 */
function partsOf(state, sums) {
  const { gate, step, unit } = state;
  const factor = ownOf(state).factorIn(gate);
  const sum = sums.gates[gate];
  const column = step - 1;
  const i = step - sums.from;
  const inputs = inputsOf(state);
  const below = layerIndex(state);
  const sign = signOf(state);
  const trained = sum.trained ?? sum;
  /** @param {WeightPlace["part"]} part @param {number | null} [index] from 0 @returns {WeightPlace} */
  const place = (part, index = null) => ({ layer: below + 1, gate, unit: unit + 1, part, index: index === null ? null : index + 1 }); // prettier-ignore
  /** @type {Part[]} */
  const parts = sum.W.map((weight, j) => ({
    about: `${gate}.Wx`,
    name: below === 0 ? sums.inputs[j] : `${sums.inputs[j]} of layer ${below}`,
    place: place("W", j),
    weight,
    trained: trained.W[j],
    value: inputs[j][column],
    product: sum.Wx[i][j],
  }));
  sum.U.forEach((weight, k) => {
    const h = clampAt(state.run, "h_prev", below, k, step)?.value ?? before(state, "h", k);
    const as = { place: place("U", k), weight, trained: trained.U[k] };
    parts.push({
      about: `${gate}.Uh`,
      name: `${factor}h${k + 1}, t − 1`,
      ...as,
      value: sum.past?.[i][k] ?? h,
      product: sum.Uh[i][k],
    });
  });
  const b = { place: place("b"), weight: sum.b, trained: trained.b };
  parts.push({ about: `${gate}.b`, name: "bias b", ...b, value: 1, product: sum.b });
  if (sum.c !== null && trained.c !== null && sum.rc) {
    const c = { place: place("c"), weight: sum.c, trained: trained.c };
    parts.push({
      about: `${gate}.Uh`,
      name: "r × bias c",
      ...c,
      value: layerOf(state).rows.r[unit][column],
      product: sum.rc[i],
    });
  }
  for (const part of parts) {
    part.weight *= sign;
    part.trained *= sign;
    part.product *= sign;
  }
  return parts.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
}

/**
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {{alter: Update}} actions
 */
export function mountSum(section, store, actions) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const [caption, body, foot, waiting, table] = ["caption", "tbody", "tfoot", ".waiting", "table"].map(find);
  const gates = /** @type {HTMLInputElement[]} */ ([...section.querySelectorAll(".gate input")]);
  const editor = /** @type {HTMLFormElement} */ (find(".editor"));
  const [slider, number] = /** @type {HTMLInputElement[]} */ ([...editor.querySelectorAll("input")]);
  const [which, was, reset] = ["b", ".trained", "[data-do=reset]"].map(find);
  const refused = find(".refused");
  /** @type {Part[]} */
  let listed = [];

  store.subscribe((state) => {
    if (state.zoom !== "gate" || !state.views.includes("cell") || state.step > state.received) return;
    for (const input of gates) input.checked = input.value === state.gate;
    section.className = `sum ${state.gate}`;
    const [sums, worked] = [detailAt(state, "sums"), workedAt(state)];
    setText(waiting, sums && worked ? "" : (state.refusals.sums ?? state.refusals.equations ?? ""));
    table.classList.toggle("late", !sums || !worked);
    if (sums && worked) show(state, sums, worked);
    showEditor(state);
  });
  for (const input of gates) input.addEventListener("change", () => store.update(openGate, input.value));

  /** @param {State} state @param {Sums} sums @param {Worked} worked */
  function show(state, sums, worked) {
    const parts = partsOf(state, sums);
    const shown = parts.filter(({ product, weight, trained }) => product !== 0 || weight !== trained);
    listed = parts;
    const { gate, unit, step } = state;
    const replaced = replacedAt(state, unit);
    const { a } = sumAt(state, gate, unit);
    const value = rowsOf(state, gate)[unit][step - 1];
    const result = replaced[gate] ?? value;
    const symbol = symbolOf(layerOf(state), gate);
    const f = functionOf(layerOf(state), gate);
    const { decimals, off } = roundingOf(shown.map(({ product }) => product), a, f ? worked.decimals[`${gate}.value`] : DECIMALS); // prettier-ignore
    const largest = Math.max(...shown.map(({ product }) => Math.abs(product)));
    setLength(body, shown.length, newPart);
    shown.forEach((part, i) => {
      const row = /** @type {HTMLElement} */ (body.children[i]);
      row.dataset.about = part.about;
      const [name, weight, value, bar, product] = /** @type {HTMLElement[]} */ ([...row.children]);
      const button = /** @type {HTMLElement} */ (weight.firstElementChild);
      setText(name, part.name);
      setText(button, fixed(part.weight));
      button.dataset.weight = weightKey(part.place);
      button.classList.toggle("changed", part.weight !== part.trained);
      setText(value, `× ${fixed(part.value)}`);
      bar.style.setProperty("--share", (part.product / largest).toFixed(3));
      // With two decimals each, the factors do not always give the product that is shown.
      const gap = Math.abs(
        shownAs(fixed(part.weight)) * shownAs(fixed(part.value)) - shownAs(fixed(part.product, decimals)),
      );
      setText(product, `${gap > 0.5 * 10 ** -decimals + 1e-9 ? "≈ " : ""}${fixed(part.product, decimals)}`);
    });
    const zeros = parts.length - shown.length;
    caption.textContent = `The sum of ${symbol} of unit ${unit + 1} at t = ${step}, largest product first`;
    foot.replaceChildren(
      ...(zeros ? [total(`${zeros} more ${zeros === 1 ? "product is" : "products are"} 0`, "")] : []),
      total("sum a", `${off.sum ? "≈ " : ""}${fixed(a, decimals)}`, "a"),
      total(`${symbol} = ${f ? `${f}(a)` : "a"}`, `${off.value ? "≈ " : ""}${fixed(result, decimals)}`, "value"),
      ...(gate in replaced ? [total("clamped at", fixed(value, decimals))] : []),
    );
  }

  /** The weight that is being changed, if its sum is open. @param {State} state */
  const edited = ({ editing }) => editing && listed.find(({ place }) => weightKey(place) === weightKey(editing));

  /** @param {State} state */
  function showEditor(state) {
    const part = edited(state);
    setText(refused, state.refusals.changes ?? "");
    editor.hidden = !part;
    if (!part) return;
    const now = state.weights.find((weight) => weightKey(weight) === weightKey(part.place));
    // The value that was asked for: the run may not have it yet.
    const value = now ? signOf(state) * now.value : part.trained;
    setText(which, part.place.index === null ? `Bias ${part.place.part}` : `Weight of ${part.name}`);
    setText(was, `trained: ${fixed(part.trained)}`);
    slider.min = String(-reach(part.trained));
    slider.max = String(reach(part.trained));
    slider.value = String(value);
    if (document.activeElement !== number) number.value = String(Number(value.toFixed(4)));
    reset.setAttribute("aria-disabled", String(!now));
  }

  body.addEventListener("click", ({ target }) => {
    const key = /** @type {HTMLElement} */ (target).dataset.weight;
    const part = listed.find(({ place }) => weightKey(place) === key);
    if (!part) return;
    store.update(editWeight, part.place);
    showEditor(store.get());
    slider.focus();
  });
  editor.addEventListener("input", ({ target }) => {
    const state = store.get();
    const field = /** @type {HTMLInputElement} */ (target);
    const part = edited(state);
    if (!part || !field.checkValidity()) return;
    const altering = `${field.type} ${weightKey(part.place)}`;
    actions.alter(setWeight, part.place, signOf(state) * field.valueAsNumber, altering);
  });
  reset.addEventListener("click", () => {
    const part = edited(store.get());
    if (part && reset.getAttribute("aria-disabled") === "false") actions.alter(setWeight, part.place, null);
  });
  editor.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = weightKey(/** @type {WeightPlace} */ (store.get().editing));
    store.update(editWeight, null);
    showEditor(store.get());
    /** @type {HTMLElement | null} */ (body.querySelector(`[data-weight="${key}"]`))?.focus();
  });
}

/**
 * How many decimals the products need so that they add up to the sum as it is shown, and that gives the gate. If no number of
 * decimals does that, `off` says which of the two is off.
 * @param {number[]} products @param {number} a @param {readonly number[]} [valueFollows] with how many decimals the gate follows from a
 */
function roundingOf(products, a, valueFollows = DECIMALS) {
  const shown = (/** @type {number} */ value, /** @type {number} */ n) => shownAs(fixed(value, n));
  const adds = (/** @type {number} */ n) => {
    const sum = products.reduce((sum, product) => sum + shown(product, n), 0);
    return Math.abs(sum - shown(a, n)) <= 0.5 * 10 ** -n + 1e-9; // half a unit of the last digit may be rounded either way
  };
  const enough = DECIMALS.find((n) => adds(n) && valueFollows.includes(n));
  if (enough) return { decimals: enough, off: { sum: false, value: false } };
  const [fewest] = DECIMALS;
  return { decimals: fewest, off: { sum: !adds(fewest), value: !valueFollows.includes(fewest) } };
}

/**
 * How far from 0 the slider goes, for a weight that was trained to be this.
 * @param {number} trained
 */
const reach = (trained) => Math.max(4, Math.ceil(2 * Math.abs(trained)));

function newPart() {
  const row = newRow(["", "", "", "", ""]);
  const change = Object.assign(document.createElement("button"), { type: "button", title: "Change this weight" });
  row.children[1].append(change);
  row.children[3].className = "bar";
  return row;
}

/** @param {string} name @param {string} number @param {string} [slot] */
function total(name, number, slot) {
  const row = newRow([name, number]);
  row.cells[0].colSpan = 4;
  if (slot) row.cells[1].dataset.slot = slot;
  return row;
}
