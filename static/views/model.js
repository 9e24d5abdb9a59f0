/** The model picker, with the question about the model's task and the model card. */

/** @import { Store } from "../store.js" */
/** @import { Run } from "../run.js" */
/** @import { ModelEntry, State } from "../state.js" */
import { finder, newElement, setText, withPeriod } from "../elements.js";
import { fixed } from "../run.js";
import { isOfLength, lengthCurve } from "../lengths.js";
import { joined, meanOf, tellKinds } from "../words.js";

/** Describe the sizes of the layers: "4 units", "2 layers of 512 units", "4 + 6 units". @param {ModelEntry["layers"]} layers */
function tellSizes(layers) {
  const [first, ...others] = layers.map(({ units }) => units);
  if (!others.length) return `${first} ${first === 1 ? "unit" : "units"}`;
  if (others.every((units) => units === first))
    return `${layers.length} layers of ${first} ${first === 1 ? "unit" : "units"}`;
  return `${[first, ...others].join(" + ")} units`;
}

/**
 * Mount the model picker and the model card.
 * @param {HTMLElement} section
 * @param {Store} store
 * @param {{choose: (model: string) => void}} actions
 */
export function mountModel(section, store, actions) {
  const find = finder(section);
  const picker = /** @type {HTMLSelectElement} */ (find("#model"));
  const changed = find("#changed");
  const confusion = find(".confusion");
  let shown = "";
  let offered = store.get().models; // at first, the models that came with the page

  /** Add to the list the models that were uploaded after the page was loaded. @param {readonly ModelEntry[]} models */
  function offer(models) {
    offered = models;
    const listed = [...picker.options].map(({ value }) => value);
    const uploaded = models.filter(({ id }) => !listed.includes(id)).map(({ id, card }) => new Option(card.title, id));
    const label = "Uploaded models";
    const group = picker.querySelector(`[label="${label}"]`) ?? newElement("optgroup", { label });
    group.append(...uploaded);
    picker.append(group);
  }

  /** @param {State} state */
  function update(state) {
    if (offered !== state.models) offer(state.models);
    if (picker.value !== state.model) picker.value = state.model;
    picker.title = picker.selectedOptions[0]?.text ?? ""; // the full title, even if the list cuts off a long name
    setText(changed, tellChanges(state.run));
    if (shown === state.run.model) return; // the card describes the model of the run on the tape
    shown = state.run.model;
    const entry = /** @type {ModelEntry} */ (state.models.find(({ id }) => id === shown));
    const { card } = entry;
    find("#question").textContent = card.question;
    find("#task").textContent = entry.purpose;
    const [quality, ...baselines] = card.summary.split(". ");
    find("#summary").textContent = `${card.weights} · ${quality} · ${tellSizes(entry.layers)}`;
    const resets = [...new Set(entry.layers.flatMap(({ reset }) => reset ?? []))].join(" and ");
    const weights = {
      parameters: entry.parameters,
      ...(resets ? { "reset gate acts": `${resets} the product with U` } : {}),
    };
    const how = card.weights === "imported" ? "Description" : "Training";
    const training = list(how, { ...card.training, ...weights });
    const parts = [confusion, training];
    if (baselines.length) parts.unshift(newElement("p", withPeriod(baselines.join(". "))));
    // The confusion matrix has the accuracy of each label.
    const figures = Object.entries(card.measured).filter(
      ([name]) => !isOfLength(name) && (!entry.confusion || !name.startsWith("accuracy, ")),
    );
    const curve = lengthCurve(card.measured);
    if (curve) parts.push(curve);
    const measured = figures.map(([name]) => name);
    if (measured.length) {
      parts.push(
        list(
          resets ? "Measured on held-out sequences (z near 1 takes the candidate)" : "Measured on held-out sequences",
          Object.fromEntries(figures),
        ),
      );
      parts[parts.length - 1].append(newElement("p", tellKinds(measured)));
    }
    if (entry.report.length) parts.push(readAs(entry.report));
    find("#card").replaceChildren(...parts);
  }

  picker.addEventListener("change", () => actions.choose(picker.value));
  store.subscribe(update);
}

/** Describe how the run differs from the original run. @param {Run} run */
function tellChanges({ clamps, weights, h0 }) {
  const count = (/** @type {number} */ n, /** @type {string} */ what) => (n ? [`${n} ${what}${n > 1 ? "s" : ""}`] : []);
  const all = [...count(clamps.length, "clamp"), ...count(weights.length, "changed weight")];
  if (h0) all.push("an initial state that is not zero");
  return all.length ? `This run has ${joined(all)}.` : "";
}

/** Create a section with the sentences about how a file was read. @param {string[]} sentences */
const readAs = (sentences) =>
  newElement("section", {}, [
    newElement("h2", "How the file was read"),
    ...sentences.map((text) => newElement("p", text)),
  ]);

/** Format a value for the model card. An accuracy becomes a percentage. @param {string} name @param {string | number} value */
function factOf(name, value) {
  if (typeof value !== "number") return value;
  if (name.includes("accuracy")) return `${Number((100 * value).toPrecision(4))}%`;
  return Number.isInteger(value) ? String(value) : fixed(value, value < 0.1 ? 4 : 3);
}

/** @param {string} title @param {Record<string, string | number>} facts */
function list(title, facts) {
  const terms = newElement("dl");
  for (const [name, value] of Object.entries(facts)) {
    const what = meanOf(name).replace(/\bsquared error/, "mean squared error");
    terms.append(newElement("dt", what), newElement("dd", factOf(name, value)));
  }
  return newElement("section", {}, [newElement("h2", title), terms]);
}
