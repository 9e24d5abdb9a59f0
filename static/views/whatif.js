/** What if: clamp something, list the changes, and show their effect compared with the original run. */

/** @import { Store, Update } from "../store.js" */
/** @import { Changes, Clamp, Held, Weight } from "../run.js" */
/** @import { Range, Score, State } from "../state.js" */
import { cellOf, earlier, symbolOf } from "../cells.js";
import { chooseClamp, editWeight, hold, isChanged, letGo, redo, select, setWeight, undo } from "../changes.js";
import { setText } from "../elements.js";
import { decode, writeScenario } from "../link.js";
import { turned } from "../reading.js";
import { fixed, scenarioOf } from "../run.js";
import { FOCUS, layerIndex, layerOf, setDifference, unitsInSight } from "../state.js";
import { joined, percent, tellEffect } from "../words.js";

/** What the form shows: the clamp that is being changed, or what would be held next. @param {State} state @returns {Range} */
function rangeOf(state) {
  if (state.chosen !== null) return state.clamps[state.chosen];
  const cursor = { units: [state.unit + 1], from: state.step, to: state.step, layer: layerIndex(state) + 1 };
  return state.selection ?? { gate: FOCUS.gate, ...cursor };
}

/** A gate's value as it is shown, and a shown one as the core has it. @param {State} state @param {Held} gate @param {number} value */
const named = (state, gate, value) => (turned(state, gate) ? Number((1 - value).toFixed(6)) : value);

/** Lets a slider go to the values at which something can be held. @param {HTMLInputElement} slider @param {State} state @param {Held} gate */
const bound = (slider, state, gate) => {
  [slider.min, slider.max] = cellOf(layerOf(state)).holds[gate].map(String);
};

/** @param {State} state @param {Clamp} clamp */
function describe(state, { gate, units, from, to, value, layer }) {
  const until = to ?? state.run.T;
  const steps = until === from ? `t = ${from}` : `t = ${from} to ${to ?? "the end"}`;
  const of = `${list(units)}${state.run.layers.length > 1 ? ` of layer ${layer}` : ""}`;
  return `${symbolOf(state.run.layers[layer - 1], gate)} of ${of} = ${fixed(named(state, gate, value))} at ${steps}`;
}

/** @param {State} state @param {Weight} weight */
function describeWeight(state, { layer, gate, unit, part, index, value }) {
  const { run } = state;
  const inputs = layer === 1 ? run.x.labels : [];
  const below = layer === 1 ? `input ${index}` : `h${index} of layer ${layer - 1}`;
  const from = { W: inputs[(index ?? 0) - 1] ?? below, U: `h${index}`, b: "", c: "" }[part];
  const of = run.layers.length > 1 ? ` of layer ${layer}` : "";
  const sign = turned(state, gate) ? -1 : 1;
  const symbol = symbolOf(run.layers[layer - 1], gate);
  return `${from ? `weight of ${from}` : `bias ${part}`} in ${symbol} of unit ${unit}${of} = ${fixed(sign * value)}`;
}

/** @param {readonly number[] | null} units */
function list(units) {
  if (!units) return "all units";
  if (units.length === 1) return `unit ${units[0]}`;
  const run = units.every((unit, i) => unit === units[0] + i);
  return `units ${run ? `${units[0]}–${units[units.length - 1]}` : units.join(", ")}`;
}

/**
 * The effect of the changes on the score.
 * @param {Score} score
 */
function tellScore({ run, name, untouched, changed, sequences, steps, held }) {
  const places = [...new Set(held.map(({ at }) => at))];
  const clamps = places.length ? `the ${held.length > 1 ? "clamps" : "clamp"} at ${joined(places)}` : "";
  const how = [clamps, run.weights.length ? countWeights(run) : ""].filter(Boolean).join(" and ");
  const as = (/** @type {number} */ value) => (name === "accuracy" ? percent(value) : value.toPrecision(2));
  const kind = name === "accuracy" ? "accuracy" : "mean squared error";
  const data = `${sequences.toLocaleString("en")} held-out sequences of ${steps} timesteps`;
  return `With ${how}, the ${kind} on ${data} is ${as(changed)}. The original ${kind} is ${as(untouched)}.`;
}

/** @param {Changes} changes */
const countWeights = ({ weights }) => `${weights.length} changed ${weights.length === 1 ? "weight" : "weights"}`;

/** The model's example question to which the run on the tape is the answer, if there is one. @param {State} state */
function questionOf({ models, run }) {
  const here = writeScenario(scenarioOf(run));
  const { questions = [] } = models.find(({ id }) => id === run.model) ?? {};
  return questions.find(({ link }) => {
    const { sequence, clamps, weights } = decode(link);
    return writeScenario({ sequence: sequence ?? "", clamps, weights }) === here;
  });
}

/**
 * @param {HTMLElement} section
 * @param {HTMLElement} tape which marks what is held
 * @param {Store} store
 * @param {{alter: Update, score: () => Promise<void>}} actions
 */
export function mountWhatIf(section, tape, store, actions) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (section.querySelector(selector));
  const form = /** @type {HTMLFormElement} */ (find("form"));
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const [gate, units, from, to, value] = ["gate", "units", "from", "to", "value"].map(field);
  const [shownValue, chips, said] = ["output", ".chips", "[aria-label=Effect]"].map(find);
  const difference = /** @type {HTMLInputElement} */ (find("[name=difference]"));
  const question = /** @type {HTMLDetailsElement} */ (find(".question"));
  const [scored, refused] = ["[aria-label=Score]", ".refused"].map(find);
  const marks = new Map(
    /** @type {HTMLElement[]} */ ([...tape.querySelectorAll(".signal")]).map((row) => [
      row.dataset.signal,
      /** @type {HTMLElement} */ (row.querySelector(".holdmarks")),
    ]),
  );
  /** @type {State | null} */
  let shown = null;

  /** @param {State} state */
  function showForm(state) {
    const range = rangeOf(state);
    gate.value = range.gate;
    from.max = to.max = String(state.run.T);
    if (document.activeElement !== from) from.value = String(range.from);
    if (document.activeElement !== to) to.value = String(range.to ?? state.run.T);
    const one = /** @type {HTMLOptionElement} */ (units.querySelector("[value=one]"));
    one.textContent = list(range.units ?? [state.unit + 1]);
    units.value = range.units ? "one" : "all";
    bound(value, state, range.gate);
    if (state.chosen !== null) value.value = String(named(state, range.gate, state.clamps[state.chosen].value));
    shownValue.textContent = fixed(Number(value.value));
    /** @type {HTMLElement} */ (form.querySelector("button")).textContent = state.chosen === null ? "Clamp" : "Done";
  }

  /** @param {State} state */
  function showChips(state) {
    const { clamps, weights, chosen } = state;
    chips.replaceChildren(
      ...clamps.map((clamp, i) => {
        const choose = () => store.update(chooseClamp, i === store.get().chosen ? null : i);
        const rest = clamps.filter((_, j) => j !== i);
        const said = describe(state, clamp);
        const chip = newChip(said, choose, `Release ${said}`, () => actions.alter(hold, rest, null));
        chip.firstElementChild?.setAttribute("aria-pressed", String(i === chosen));
        return chip;
      }),
      ...weights.map((weight) => {
        const { value, ...place } = weight;
        const said = describeWeight(state, weight);
        const reset = () => actions.alter(setWeight, place, null);
        return newChip(said, () => store.update(editWeight, place), `Reset to trained weight: ${said}`, reset);
      }),
    );
    find("[data-do=undo]").setAttribute("aria-disabled", String(state.undo.length === 0));
    find("[data-do=redo]").setAttribute("aria-disabled", String(state.redo.length === 0));
    const clear = find("[data-do=clear]");
    clear.hidden = !isChanged(state);
    clear.textContent = !weights.length ? "Clear all clamps" : clamps.length ? "Clear all changes" : "Reset all weights";
  }

  /** @param {string} said @param {() => void} choose @param {string} dropping @param {() => void} drop */
  function newChip(said, choose, dropping, drop) {
    const chip = document.createElement("li");
    const [pick, cross] = [said, "×"].map((textContent) =>
      Object.assign(document.createElement("button"), { type: "button", textContent }),
    );
    pick.addEventListener("click", choose);
    cross.setAttribute("aria-label", dropping);
    cross.addEventListener("click", () => {
      drop();
      /** @type {HTMLElement} */ (form.querySelector("button")).focus();
    });
    chip.append(pick, cross);
    return chip;
  }

  /** @param {State} state */
  function showQuestion(state) {
    const asked = questionOf(state);
    question.hidden = !asked;
    if (!asked) return;
    question.open = false;
    [find(".question summary b"), find(".question p")].forEach(
      (part, i) => (part.textContent = [asked.ask, asked.why][i]),
    );
  }

  /** @param {State} state */
  function mark(state) {
    const sight = unitsInSight(state);
    /** @type {[Range, string][]} */
    const ranges = state.clamps.map((clamp, i) => [clamp, i === state.chosen ? "held chosen" : "held"]);
    if (state.selection && state.views.includes("whatif")) ranges.push([state.selection, "selected"]);
    for (const list of marks.values()) list.replaceChildren();
    for (const [{ gate, units, from, to, layer }, kind] of ranges) {
      if (layer !== layerIndex(state) + 1) continue;
      // A hold on h_prev at step t is marked on h at t − 1: that is the state which step t sees.
      const of = earlier(gate);
      const on = sight.map((unit, row) => (units && !units.includes(unit + 1) ? -1 : row)).filter((row) => row >= 0);
      for (let i = 0; i < on.length; i++) {
        let last = i;
        while (on[last + 1] === on[last] + 1) last++;
        const box = document.createElement("i");
        box.className = kind;
        const place = {
          row: on[i],
          rows: last - i + 1,
          at: from - (of ? 2 : 1),
          steps: (to ?? state.run.T) - from + 1,
        };
        for (const [name, number] of Object.entries(place)) box.style.setProperty(`--${name}`, String(number));
        marks.get(of ?? gate)?.append(box);
        i = last;
      }
    }
  }

  store.subscribe((state) => {
    const before = shown;
    const changed = (/** @type {(keyof State)[]} */ ...parts) => parts.some((part) => before?.[part] !== state[part]);
    shown = state;
    if (changed("clamps", "chosen", "selection", "first", "layer", "rows", "run", "views")) mark(state);
    const twin = state.run.twin && isChanged(state) && !state.run.against;
    tape.classList.toggle("difference", state.difference && state.run.twin);
    if (!state.views.includes("whatif")) return;
    showForm(state);
    if (changed("clamps", "weights", "chosen", "convention", "run", "undo", "redo", "views")) showChips(state);
    find(".effect").hidden = !twin;
    difference.checked = state.difference;
    if (twin && changed("run", "received", "views")) said.textContent = tellEffect(state);
    if (changed("run", "views")) showQuestion(state);
    setText(refused, state.refusals.changes ?? "");
    setText(scored, state.score ? tellScore(state.score) : (state.refusals.score ?? ""));
    scored.classList.toggle("error", !state.score);
  });

  /** What the form says now. @returns {Clamp} */
  function read() {
    const state = store.get();
    const range = rangeOf(state);
    const kind = gate.value;
    const T = state.run.T;
    const [first, last] = [from, to].map(({ valueAsNumber }) =>
      Math.max(1, Math.min(T, Math.round(valueAsNumber) || 1)),
    );
    const some = range.units ?? [state.unit + 1];
    return {
      gate: kind,
      units: units.value === "all" ? null : some,
      from: Math.min(first, last),
      // From the first step to the last means always, also when the sequence grows.
      to: first === 1 && last === T && T > 1 ? null : Math.max(first, last),
      value: named(state, kind, Math.max(Number(value.min), Number(value.value))),
      layer: range.layer,
    };
  }

  form.addEventListener("input", (event) => {
    const { clamps, chosen } = store.get();
    if (event.target === gate) bound(value, store.get(), gate.value);
    shownValue.textContent = fixed(Number(value.value));
    const { value: at, ...range } = read();
    if (chosen === null) {
      if (event.target !== value) store.update(select, range);
      return;
    }
    const changed = clamps.map((clamp, i) => (i === chosen ? { ...range, value: at } : clamp));
    actions.alter(hold, changed, chosen, event.target === value ? `value ${chosen}` : null);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { clamps, chosen } = store.get();
    if (chosen === null) actions.alter(hold, [...clamps, read()], clamps.length);
    else store.update(chooseClamp, null);
  });
  find("[data-do=undo]").addEventListener("click", () => actions.alter(undo));
  find("[data-do=redo]").addEventListener("click", () => actions.alter(redo));
  const score = find("[data-do=score]");
  score.addEventListener("click", async () => {
    if (score.ariaBusy === "true") return;
    score.ariaBusy = "true";
    await actions.score();
    score.ariaBusy = "false";
  });
  find("[data-do=clear]").addEventListener("click", () => actions.alter(letGo));
  difference.addEventListener("change", () => store.update(setDifference, difference.checked));
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    // In a text box the browser's own undo is meant.
    if (/** @type {HTMLElement} */ (event.target).closest("input[type=text], input[type=number], textarea")) return;
    event.preventDefault();
    actions.alter(event.shiftKey ? redo : undo);
  });
}
