/** The Similar moments view. It searches the other units and held-out sequences for moments that resemble the selected timesteps of a unit. */

/** @import { State } from "../state.js" */
/** @import { Store } from "../store.js" */
/**
 * The response of /api/moments. Each of the `places` is a similar moment in a held-out sequence and starts at timestep `t`. In `common`,
 * step 0 is the first timestep of the moment.
 * @typedef {{from: number, to: number, units: {unit: number, gap: number, mirrored: boolean}[], count: number | null, total: number | null,
 *            places: {tokens: string[], t: number, gap: number}[], common: {step: number, what: string, share: number, elsewhere: number}[]}} Moments
 */
import { fetchAnswer } from "../api.js";
import { entryOf } from "../cells.js";
import { unitName } from "../directions.js";
import { finder, newButton, newElement, setText, withPeriod } from "../elements.js";
import { NotRecorded } from "../recording.js";
import { scenarioOf } from "../run.js";
import { layerIndex, layerOf, lookAt, setBrush } from "../state.js";
import { part } from "../words.js";

const AROUND = 3; // timesteps shown before and after a similar moment

/**
 * Mount the Similar moments view.
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {{follow: (query: string) => void}} actions
 */
export function mountAlike(section, store, actions) {
  const find = finder(section);
  const form = /** @type {HTMLFormElement} */ (find("form"));
  const field = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement | HTMLSelectElement} */ (form.elements.namedItem(name));
  const [waiting, says, units, common, places] = [".waiting", ".says", ".units", ".common", ".places"].map(find);
  /** @type {State | null} */
  let shown = null;

  /** @param {State} state */
  function update(state) {
    if (!state.views.includes("alike")) return;
    const { brush, run, step, unit } = state;
    if (brush && brush !== shown?.brush) {
      field("signal").value = brush.signal;
      [field("from").value, field("to").value] = [String(brush.from), String(brush.to)];
    } else if (!brush && (!shown || shown.step !== step))
      [field("from").value, field("to").value] = [String(step), String(step)];
    for (const name of ["from", "to"]) /** @type {HTMLInputElement} */ (field(name)).max = String(run.T);
    if (shown && (shown.run !== run || shown.unit !== unit || layerIndex(shown) !== layerIndex(state))) clear();
    shown = state;
  }

  function clear() {
    for (const part of [waiting, says, units, common, places]) part.replaceChildren();
  }

  /** @param {Event} event */
  async function search(event) {
    event.preventDefault();
    const state = store.get();
    const { run, unit } = state;
    const [from, to] = [Number(field("from").value), Number(field("to").value)];
    const signal = field("signal").value;
    store.update(setBrush, { signal, from, to });
    clear();
    try {
      const question = { ...scenarioOf(run), layer: layerIndex(state) + 1, unit: unit + 1, signal, from, to };
      /** @type {Moments} */
      const moments = await fetchAnswer("moments", /** @type {any} */ (question));
      if (store.get().run === run && store.get().unit === unit) show(store.get(), signal, moments);
    } catch (error) {
      const advice = error instanceof NotRecorded ? "" : " Choose other timesteps, or try again.";
      setText(waiting, `${withPeriod(/** @type {Error} */ (error).message)}${advice}`);
    }
  }

  /** @param {State} state @param {string} signal @param {Moments} moments */
  function show(state, signal, { from, to, count, ...moments }) {
    const { symbol } = entryOf(layerOf(state), signal);
    const when = from === to ? `at t = ${from}` : `from t = ${from} to ${to}`;
    setText(
      says,
      `${symbol} of unit ${unitName(layerOf(state), state.unit)} ${when}: ${tellCount(count, moments.total)}`,
    );
    units.replaceChildren(
      moments.units.length
        ? "Similar units in this run: "
        : layerOf(state).H > 1
          ? "No other unit in this run is similar."
          : "",
    );
    for (const { unit, mirrored } of moments.units)
      units.append(
        newButton(`unit ${unitName(layerOf(state), unit - 1)}${mirrored ? " (opposite sign)" : ""}`, () =>
          store.update(lookAt, unit - 1),
        ),
        " ",
      );
    const length = to - from + 1;
    const shared = moments.common.slice(0, 6).map((input) => tellCommon(input, length));
    const sentences = shared.length ? shared : ["No kind of input is typical of these moments."];
    if (count) common.append(...sentences.map((sentence) => newElement("li", sentence)));
    places.append(
      ...moments.places.map((place) => placeOf(place, length, () => actions.follow(linkTo(place, store.get())))),
    );
  }

  form.addEventListener("submit", search);
  store.subscribe(update);
}

/**
 * Create the list item of a similar moment, with a few timesteps before and after the moment. A press calls `open`.
 * @param {Moments["places"][number]} place @param {number} length @param {() => void} open
 */
function placeOf({ tokens, t }, length, open) {
  const button = newButton("", open, { title: "Open this sequence here" });
  button.append(...excerpt(tokens, t - 1, length));
  return newElement("li", {}, [button]);
}

/** Return the link to a similar moment. The link keeps the current unit and views. @param {Moments["places"][number]} place @param {State} state */
function linkTo({ tokens, t }, { run, unit, views }) {
  const keys = {
    model: run.model,
    sequence: tokens.join(" "),
    t: String(t),
    unit: String(unit + 1),
    views: views.join(","),
  };
  return `?${new URLSearchParams(keys)}`;
}

/** Return the tokens around a moment, with the moment in bold. @param {string[]} tokens @param {number} from @param {number} length */
function excerpt(tokens, from, length) {
  const [start, end] = [Math.max(0, from - AROUND), from + length + AROUND];
  const shown = tokens.slice(start, end).flatMap((token, i) => {
    const inside = start + i >= from && start + i < from + length;
    return [inside ? newElement("b", token) : token, " "];
  });
  return [start > 0 ? "… " : "", ...shown, end < tokens.length ? "…" : ""];
}

/** Describe how many moments are similar. @param {number | null} count @param {number | null} total */
const tellCount = (count, total) =>
  count === null
    ? "There are no held-out sequences for this model, so they could not be searched."
    : `${count.toLocaleString("en")} of ${Number(total).toLocaleString("en")} moments in 1,000 held-out sequences are similar.`;

/** @param {Moments["common"][number]} common @param {number} length of the moment */
function tellCommon({ step, what, share, elsewhere }, length) {
  const which =
    step < 0
      ? "the timestep before"
      : length === 1
        ? "this timestep"
        : step === 0
          ? "the first timestep"
          : step === length - 1
            ? "the last timestep"
            : `timestep ${step + 1} of the moment`;
  const input = /^(“|no )/.test(what) ? what : `${/^([aei]|op)/.test(what) ? "an" : "a"} ${what}`;
  return `The input at ${which} is ${input} in ${part(share)} of these moments, and in ${part(elsewhere)} of all timesteps.`;
}
