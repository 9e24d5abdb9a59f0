/** Units: what each unit does over many sequences, as a sortable table and a picture. Each row leads to moments in the Lab. */

/** @import { Store } from "../store.js" */
import { fetchCensus } from "../api.js";
import { cellOf } from "../cells.js";
import { finder, newButton, newElement, setText, withPeriod } from "../elements.js";
import { layerOf } from "../state.js";

/**
 * The response of /api/census. Layers, units and timesteps count from 1.
 * @typedef {{layer: number, unit: number, gates: Record<string, {mean: number, closed: number, open: number}>, lowest: number, highest: number,
 *            dead: boolean, half_life: number | null, longest_half_life: number | null, auc: number | null, correlation: number | null,
 *            moments: Record<string, {text: string, t: number}>}} CensusUnit
 * @typedef {{sequences: number, source: string, steps: number, labels: [string, string] | null, others: string[], units: CensusUnit[],
 *            texts: Record<string, string>}} CensusAnswer
 */
/** A column of the table: its head, and the number and the text of a unit. @typedef {{head: string, title: string, value: (unit: CensusUnit) => number, text: (unit: CensusUnit) => string}} Column */

/** The buttons of a row by the moment to which they lead, each with its title. */
const MOMENTS = {
  change: "the largest change of the state",
  "half-life": "the longest half-life",
  label: "the second label, shown most clearly",
  target: "the timestep that adds most to the correlation",
};

const SIDE = 200; // of the picture, whose frame starts at 10

/**
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
  const [waiting, says, results, head, body, svg] = [".waiting", ".says", ".results", "thead tr", "tbody", "svg"].map(
    find,
  );
  let model = ""; // of the answer
  /** @type {CensusAnswer | null} */
  let census = null;
  let sorted = { column: 0, descending: false };
  let latest = 0; // the number of the latest question: earlier ones are not shown any more

  /** Remove the results, and the two labels, which the server chooses for other sequences. @param {string} words */
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
    const asked = store.get().run.model;
    const file = field("source").value === "file" ? field("file").files?.[0] : null;
    if (file === undefined) return setText(waiting, "Choose a file of sequences.");
    const between =
      field("first").value && field("second").value ? [field("first").value, field("second").value] : null;
    const question = ++latest;
    setText(waiting, "");
    setText(says, "The model runs over the sequences …");
    try {
      /** @type {CensusAnswer} */
      const answer = await fetchCensus(asked, file, between);
      if (question !== latest) return;
      [census, model] = [answer, asked];
      sorted = { column: 0, descending: false };
      show(answer);
    } catch (error) {
      if (question !== latest) return;
      [census, results.hidden] = [null, true];
      setText(says, "");
      setText(waiting, withPeriod(/** @type {Error} */ (error).message));
    }
  }

  /** @param {CensusAnswer} answer */
  function show({ sequences, source, steps, labels, others, units }) {
    const dead = units.filter(({ dead }) => dead).length;
    const parts = [
      `${sequences.toLocaleString("en")} ${source}, ${steps.toLocaleString("en")} timesteps, ${units.length} units, ${dead} of them dead.`,
      labels ? `AUC: ${labels[1]} against ${labels[0]}.` : "",
      others.length ? `Labels that were not used: ${others.join(", ")}.` : "",
    ];
    setText(says, parts.filter(Boolean).join(" "));
    /** @type {HTMLElement} */ (find(".between")).hidden = labels === null;
    if (labels) [field("first").value, field("second").value] = labels;
    const gates = Object.keys(units[0].gates);
    gate.replaceChildren(
      ...gates.map((name) => new Option(name, name, name === "z" || name === "f", name === "z" || name === "f")),
    );
    find("figure").hidden = gates.length === 0;
    results.hidden = false;
    drawTable();
    drawPicture();
  }

  /** Return the columns that the units of the answer have. @param {readonly CensusUnit[]} units @returns {Column[]} */
  function columnsOf(units) {
    const share = (/** @type {number} */ value) => `${Math.round(100 * value)}%`;
    const several = units.some(({ layer }) => layer > 1);
    const columns = [
      {
        head: "unit",
        title: "the number of the unit",
        value: (/** @type {CensusUnit} */ { layer, unit }) => layer * 1e6 + unit,
        text: (/** @type {CensusUnit} */ { layer, unit, dead }) =>
          `${several ? `L${layer}.` : ""}${unit}${dead ? " dead" : ""}`,
      },
    ];
    /** @param {string} head @param {string} title @param {(unit: CensusUnit) => number | null} value @param {(value: number) => string} write */
    const add = (head, title, value, write) => {
      if (units.some((unit) => value(unit) !== null))
        columns.push({
          head,
          title,
          value: (unit) => value(unit) ?? -Infinity,
          text: (unit) => (value(unit) === null ? "–" : write(/** @type {number} */ (value(unit)))),
        });
    };
    for (const name of Object.keys(units[0].gates)) {
      add(
        `${name} mean`,
        `mean of ${name}`,
        ({ gates }) => gates[name].mean,
        (value) => value.toFixed(2),
      );
      add(`${name} < 0.1`, `share of timesteps at which ${name} is closed`, ({ gates }) => gates[name].closed, share);
      add(`${name} > 0.9`, `share of timesteps at which ${name} is open`, ({ gates }) => gates[name].open, share);
    }
    add(
      "range of h",
      "highest minus lowest state",
      ({ lowest, highest }) => highest - lowest,
      (value) => value.toFixed(2),
    );
    add(
      "half-life",
      "timesteps until half of the state is left",
      (unit) => unit.half_life,
      (value) => Number(value.toPrecision(3)).toLocaleString("en"),
    );
    add(
      "longest",
      "the longest half-life at a timestep",
      (unit) => unit.longest_half_life,
      (value) => Number(value.toPrecision(3)).toLocaleString("en"),
    );
    add(
      "AUC",
      "how well the state separates the two labels; sorted by the distance from 0.5",
      (unit) => unit.auc,
      (value) => value.toFixed(3),
    );
    add(
      "correlation",
      "the correlation of the state with the numbers, without its sign",
      (unit) => unit.correlation,
      (value) => value.toFixed(3),
    );
    return columns;
  }

  function drawTable() {
    if (!census) return;
    const { units } = census;
    const columns = columnsOf(units);
    head.replaceChildren(
      ...columns.map(({ head: name, title }, i) => {
        const button = newButton(name, () => sort(i), { title: `Sort by ${title}` });
        const cell = newElement("th", { scope: "col" }, [button]);
        cell.ariaSort = sorted.column === i ? (sorted.descending ? "descending" : "ascending") : "none";
        return cell;
      }),
      newElement("th", { scope: "col", textContent: "see it in the Lab" }),
    );
    const { head: by, value } = columns[sorted.column];
    const key = (/** @type {CensusUnit} */ unit) =>
      by === "AUC" ? Math.abs(value(unit) - 0.5) : by === "correlation" ? Math.abs(value(unit)) : value(unit);
    const sign = sorted.descending ? -1 : 1;
    body.replaceChildren(
      ...[...units].sort((a, b) => sign * (key(a) - key(b) || 0)).map((unit) => rowOf(unit, columns)),
    );
  }

  /** @param {number} column */
  function sort(column) {
    sorted = { column, descending: sorted.column === column ? !sorted.descending : column > 0 };
    drawTable();
    /** @type {HTMLElement} */ (head.children[column].firstElementChild).focus();
  }

  /** @param {CensusUnit} unit @param {readonly Column[]} columns */
  function rowOf(unit, columns) {
    const cells = columns.map(({ text }, i) => newElement(i ? "td" : "th", text(unit)));
    const buttons = Object.entries(MOMENTS)
      .filter(([name]) => unit.moments[name])
      .flatMap(([name, title]) => [newButton(name, () => open(unit, name), { title: `Show ${title}` }), " "]);
    return newElement("tr", { className: unit.dead ? "dead" : "" }, [...cells, newElement("td", {}, buttons)]);
  }

  /** Open a moment of a unit in the Lab. @param {CensusUnit} unit @param {string} name */
  function open({ layer, unit, moments }, name) {
    const { text, t } = moments[name];
    const keys = { model, sequence: census?.texts[text] ?? "", t, layer, unit, views: store.get().views.join(",") };
    dialog.close();
    actions.follow(`?${new URLSearchParams(Object.entries(keys).map(([key, value]) => [key, String(value)]))}`);
  }

  function drawPicture() {
    if (!census || !gate.value) return;
    const name = gate.value;
    const points = census.units.map(({ gates, layer, unit }) => {
      const { closed, open } = gates[name];
      const title = `unit ${layer > 1 ? `L${layer}.` : ""}${unit}: closed ${Math.round(100 * closed)}%, open ${Math.round(100 * open)}%`;
      return `<circle cx="${10 + SIDE * closed}" cy="${10 + SIDE * (1 - open)}" r="4"><title>${title}</title></circle>`;
    });
    svg.ariaLabel = `For each unit, the shares of timesteps at which ${name} is closed and open`;
    svg.innerHTML = `<path d="M10,10V210H210M10,10L210,210"/>${points.join("")}`;
  }

  opener.addEventListener("click", () => {
    const { run, models } = store.get();
    const entry = models.find(({ id }) => id === run.model);
    if (run.model !== model)
      reset(
        `${entry?.card.title ?? ""}: what does each ${cellOf(layerOf(store.get())).title} unit do over many sequences?`,
      );
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
  gate.addEventListener("change", drawPicture);
  form.addEventListener("submit", run);
}
