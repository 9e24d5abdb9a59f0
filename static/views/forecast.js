/**
 * The forecasts of a series as lines on the tape: one line for the network, and one for each baseline. Each forecast is drawn at the
 * timestep that it predicts. The gutter names the lines and gives their errors on the held-out numbers.
 */

/** @import { Store } from "../store.js" */
/** @import { Run } from "../run.js" */
/** @import { State, Theme } from "../state.js" */
/** @import { Figure, PlotlyLibrary } from "../plot.js" */
import { finder, newElement, observeSize } from "../elements.js";
import { drawLines } from "../plot.js";
import { fixed } from "../run.js";
import { createGuard } from "../store.js";

/** @typedef {{name: string, values: number[]}} Line one value for each column, NaN if there is none */

/**
 * Mount the row with the forecast of a series.
 * @param {HTMLElement} tape
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountForecast(tape, store, figures) {
  const row = finder(tape)(".forecast");
  const [names, plot] = [".lines", ".plotted"].map(finder(row));
  const [isNew, isNamed] = [createGuard(), createGuard()];
  /** @type {PlotlyLibrary | null} */
  let Plotly = null;
  let [width, height] = [0, 0];

  /** @param {State} state */
  function update(state) {
    const { run, received, theme, models } = state;
    row.hidden = !run.baselines;
    if (row.hidden) return;
    const lines = linesOf(run, received);
    if (isNamed(run.model, models)) {
      const measured = models.find(({ id }) => id === run.model)?.card.measured ?? {};
      names.replaceChildren(...lines.map(({ name }) => nameOf(name, measured)));
    }
    if (!Plotly || !width || !isNew(run, received, theme, width, height)) return;
    const given = run.given < run.T ? run.given : null;
    drawLines(Plotly, plot, figures[theme], lines, run.columns, given, width, height);
    plot.ariaLabel = tell(run);
  }

  store.subscribe(update);
  observeSize(plot, (...size) => {
    [width, height] = size;
    update(store.get());
  });

  return {
    /** Receive Plotly once it has loaded, and draw with it from then on. @param {PlotlyLibrary} library */
    arrive(library) {
      Plotly = library;
      update(store.get());
    },
  };
}

/**
 * Return the lines, in the unit of the series. Each forecast is one column after the number that it was made from.
 * @param {Run} run @param {number} received @returns {Line[]}
 */
function linesOf({ numbers, baselines, columns, given }, received) {
  const later = (/** @type {ArrayLike<number | null>} */ values) =>
    Array.from({ length: columns }, (_, t) => (t === 0 || t > received ? NaN : (values[t - 1] ?? NaN)));
  return [
    { name: "series", values: [...(numbers["number.x"] ?? [])].slice(0, given) },
    ...Object.entries(baselines ?? {}).map(([name, values]) => ({ name, values: later(values) })),
    { name: "forecast", values: later(numbers["number.y"] ?? []) },
  ];
}

/** Return an entry of the legend: the name of a line and its held-out error. @param {string} name @param {Record<string, number>} measured */
function nameOf(name, measured) {
  const error = measured[name === "forecast" ? "squared error" : `squared error of ${name}`];
  const short = name.replace(" autoregression of", ",");
  const item = newElement("li", { className: name.split(" ")[0] }, [newElement("span", short)]);
  const number = error === undefined ? "" : fixed(error, 3);
  item.append(
    name === "series"
      ? newElement("b", { title: "mean squared error on held-out numbers" }, ["MSE"])
      : newElement("b", number),
  );
  return item;
}

/** Describe the line chart in words. @param {Run} run */
const tell = ({ T, given, scale, baselines }) =>
  `Line chart over ${T} timesteps${scale ? `, in ${scale.unit}` : ""}: the series, the network’s forecast of each number, and ${Object.keys(baselines ?? {}).join(", ")}${given < T ? `. A line after t = ${given} marks where the network starts to read its own forecasts` : ""}`;
