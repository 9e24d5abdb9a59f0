/** The Units dialog: what each unit does over many sequences, as a sortable table and a picture. Each row links to moments in the Lab. */

/** @import { Store } from "../store.js" */
import { fetchCensus } from "../api.js";
import { cellOf, firstGate } from "../cells.js";
import { share } from "../census/columns.js";
import { createTable } from "../census/table.js";
import { finder, setText, withPeriod } from "../elements.js";
import { titleOf } from "../files.js";
import { fileOf, mountFormats, words } from "../pictures.js";
import { layerOf } from "../state.js";

/**
 * The response of /api/census. Layers, units and timesteps are counted from 1.
 * @typedef {{layer: number, unit: number, gates: Record<string, {mean: number, closed: number, open: number}>, lowest: number, highest: number,
 *            dead: boolean, half_life: number | null, longest_half_life: number | null, auc: number | null, correlation: number | null,
 *            moments: Record<string, {text: string, t: number}>}} CensusUnit
 * @typedef {{sequences: number, source: string, steps: number, labels: [string, string] | null, others: string[], units: CensusUnit[],
 *            texts: Record<string, string>}} CensusAnswer
 */

const SIDE = 200; // side length of the picture's frame, which starts at 10
const AXES = "→ closed, ↑ open";

/**
 * Mount the Units dialog, which runs the model over many sequences and describes each unit.
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 * @param {Store} store
 * @param {{follow: (query: string) => void}} actions
 */
export function mountCensus(opener, dialog, store, actions) {
  const find = finder(dialog);
  const form = /** @type {HTMLFormElement} */ (find("form"));
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const gate = /** @type {HTMLSelectElement} */ (find("[name=gate]"));
  const [waiting, says, results] = [".waiting", ".says", ".results"].map(find);
  const table = createTable(find("thead tr"), find("tbody"), open);
  const drawPicture = mountPicture(find, gate, store, () => census?.units);
  let model = ""; // id of the model that `census` describes
  /** @type {CensusAnswer | null} */
  let census = null;
  let latest = 0; // number of the latest request; responses to earlier requests are ignored

  /** Remove the results and the two labels. The server chooses new labels for new sequences. @param {string} words the new status text */
  function reset(words = "") {
    latest += 1;
    [census, results.hidden] = [null, true];
    for (const name of ["first", "second"]) field(name).value = "";
    /** @type {HTMLElement} */ (find(".between")).hidden = true;
    setText(says, words);
    setText(waiting, "");
  }

  function chooseSource() {
    for (const part of dialog.querySelectorAll(".own"))
      /** @type {HTMLElement} */ (part).hidden = field("source").value !== "file";
  }

  /** @param {Event} event */
  async function run(event) {
    event.preventDefault();
    const requested = store.get().run.model;
    const file = field("source").value === "file" ? field("file").files?.[0] : null;
    if (file === undefined) return setText(waiting, "Choose a file of sequences.");
    const labels = ["first", "second"].map((name) => field(name).value);
    const question = ++latest;
    setText(waiting, "");
    setText(says, "The model runs over the sequences …");
    try {
      /** @type {CensusAnswer} */
      const answer = await fetchCensus(requested, file, labels.every(Boolean) ? labels : null);
      if (question !== latest) return;
      [census, model] = [answer, requested];
      show(answer);
    } catch (error) {
      if (question !== latest) return;
      [census, results.hidden] = [null, true];
      setText(says, "");
      setText(waiting, withPeriod(/** @type {Error} */ (error).message));
    }
  }

  /** @param {CensusAnswer} answer */
  function show(answer) {
    const { labels, units } = answer;
    setText(says, summaryOf(answer));
    /** @type {HTMLElement} */ (find(".between")).hidden = labels === null;
    if (labels) [field("first").value, field("second").value] = labels;
    const gates = Object.keys(units[0].gates);
    const first = firstGate(layerOf(store.get()));
    gate.replaceChildren(...gates.map((name) => new Option(name, name, name === first, name === first)));
    find("figure").hidden = gates.length === 0;
    results.hidden = false;
    table.show(units);
    drawPicture();
  }

  /** Open a moment of a unit in the Lab. @param {CensusUnit} unit @param {string} name */
  function open({ layer, unit, moments }, name) {
    const { text, t } = moments[name];
    const keys = { model, sequence: census?.texts[text] ?? "", t, layer, unit, views: store.get().views.join(",") };
    dialog.close();
    actions.follow(`?${new URLSearchParams(Object.entries(keys).map(([key, value]) => [key, String(value)]))}`);
  }

  opener.addEventListener("click", () => {
    const { run, models } = store.get();
    const entry = models.find(({ id }) => id === run.model);
    const cell = cellOf(layerOf(store.get())).title;
    if (run.model !== model) reset(`${entry?.card.title ?? ""}: what does each ${cell} unit do over many sequences?`);
    setText(waiting, "");
    field("source").value = entry?.drawn ? field("source").value : "file";
    chooseSource();
    dialog.showModal();
    if (!census && field("source").value === "held") form.requestSubmit();
  });
  field("file").addEventListener("change", () => reset());
  field("source").addEventListener("change", () => {
    reset();
    chooseSource();
    if (field("source").value === "held") form.requestSubmit();
  });
  form.addEventListener("submit", run);
}

/**
 * Mount the picture, with a picker for the gate and buttons that save the picture. Return a function that draws the picture.
 * @param {ReturnType<typeof finder>} find @param {HTMLSelectElement} gate @param {Store} store
 * @param {() => readonly CensusUnit[] | undefined} unitsNow returns the units in the table, or undefined before there are results
 */
function mountPicture(find, gate, store, unitsNow) {
  const svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (find("svg")));
  function draw() {
    const units = unitsNow();
    if (!units || !gate.value) return;
    svg.ariaLabel = `For each unit, the shares of timesteps at which ${gate.value} is closed and open`;
    svg.innerHTML = pictureOf(units, gate.value);
  }
  gate.addEventListener("change", draw);
  mountFormats(
    find("figure"),
    find(".done"),
    () => `gruscope-units-${gate.value}`,
    (format) => fileOf(svg, `${titleOf(store.get()).model}: ${gate.value}`, format, [[words(8, AXES, "start")]]),
  );
  return draw;
}

/** Return the sentences above the table. @param {CensusAnswer} answer */
function summaryOf({ sequences, source, steps, labels, others, units }) {
  const dead = units.filter(({ dead }) => dead).length;
  const parts = [
    `${sequences.toLocaleString("en")} ${source}, ${steps.toLocaleString("en")} timesteps, ${units.length} units, ${dead} of them dead.`,
    labels ? `AUC: ${labels[1]} against ${labels[0]}.` : "",
    others.length ? `Labels that were not used: ${others.join(", ")}.` : "",
  ];
  return parts.filter(Boolean).join(" ");
}

/** Return the picture's SVG content: a point for each unit, between two axes. @param {readonly CensusUnit[]} units @param {string} gate */
function pictureOf(units, gate) {
  const points = units.map(({ gates, layer, unit }) => {
    const { closed, open } = gates[gate];
    const title = `unit ${layer > 1 ? `L${layer}.` : ""}${unit}: closed ${share(closed)}, open ${share(open)}`;
    return `<circle cx="${10 + SIDE * closed}" cy="${10 + SIDE * (1 - open)}" r="4"><title>${title}</title></circle>`;
  });
  return `<path d="M10,10V210H210M10,10L210,210"/>${points.join("")}`;
}
