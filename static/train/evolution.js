/** A picture of one unit over its whole training: a row for each checkpoint, a column for each timestep of the sequence. */

/** @import { StoreOf } from "../store.js" */
/** @import { Studio } from "./studio.js" */
import { boot } from "../boot.js";
import { cellOf, firstGate } from "../cells.js";
import { finder, setLength, setText } from "../elements.js";
import { facet } from "../facets.js";
import { paintPixels } from "../pixels.js";
import { goTo, layerOf } from "../state.js";
import { createGuard } from "../store.js";
import { goToPlace, placeAt, stepOf, trainingOf, watch } from "./studio.js";

const MOST_WORDS = 24; // tokens under the picture

/**
 * Mount the picture of one unit over its training.
 * @param {HTMLElement} section
 * @param {StoreOf<Studio>} store
 */
export function mountEvolution(section, store) {
  const find = finder(section);
  const canvas = /** @type {HTMLCanvasElement} */ (find("canvas"));
  const select = /** @type {HTMLSelectElement} */ (find("select"));
  const [picture, bottom, tokens] = [".picture", ".bottom", "ol"].map(find);
  const lead = facet(store, () => store.get().at);
  const isNew = createGuard();
  let listed = "";

  /** @param {Studio} studio */
  function update(studio) {
    const state = studio.cells[studio.at];
    const layer = layerOf(state);
    const { signals } = cellOf(layer);
    if (listed !== layer.cell) {
      listed = layer.cell;
      select.replaceChildren(
        ...signals.map(({ name, symbol, words }) => new Option(`${symbol} ${words.toLowerCase()}`, name)),
      );
      select.value = firstGate(layer);
    }
    const training = trainingOf(studio, studio.at);
    const { tapes, reports } = training;
    if (!tapes.length) return;
    if (isNew(tapes, select.value, state.unit, state.theme)) draw(studio);
    const shown = Math.min(placeAt(training, stepOf(studio)), tapes.length - 1);
    picture.style.setProperty("--row", String((shown + 0.5) / tapes.length));
    picture.style.setProperty("--column", String((state.step - 1) / state.run.T));
    picture.style.setProperty("--of", String(1 / state.run.T));
    const words = state.run.T <= MOST_WORDS ? (state.run.tokens ?? []) : [];
    setLength(tokens, words.length);
    tokens.style.setProperty("--count", String(words.length));
    tokens.style.setProperty("--chars", String(Math.max(1, ...words.map(({ length }) => length))));
    words.forEach((word, column) => {
      setText(tokens.children[column], word);
      tokens.children[column].toggleAttribute("aria-current", column === state.step - 1);
    });
    setText(bottom, `training\nstep ${(reports[tapes.length - 1]?.step ?? 0).toLocaleString("en")}`);
  }

  /** @param {Studio} studio */
  function draw(studio) {
    const { theme, unit, run } = studio.cells[studio.at];
    const { tapes } = trainingOf(studio, studio.at);
    const { cell, H } = run.layers[0];
    const look = boot.figures[cell][theme].data.find(({ name }) => name === select.value);
    if (!look) return;
    const rows = tapes.map(({ signals }) =>
      Array.from({ length: run.T }, (_, column) => signals[select.value][column * H + unit]),
    );
    paintPixels(canvas, rows, look);
    const symbol = select.selectedOptions[0]?.textContent ?? "";
    canvas.setAttribute(
      "aria-label",
      `${symbol} of unit ${unit + 1}: ${tapes.length} checkpoints down, ${run.T} timesteps across. The tape shows the row of the current checkpoint. The table under the curves lists the checkpoints.`,
    );
  }

  /** Move the training's cursor and the tape's cursor to the pointer. @param {PointerEvent} event */
  function point(event) {
    const box = canvas.getBoundingClientRect();
    const studio = store.get();
    const training = trainingOf(studio, studio.at);
    const row = Math.floor(((event.clientY - box.top) / box.height) * training.tapes.length);
    const report = training.reports[Math.max(0, Math.min(training.tapes.length - 1, row))];
    if (!report) return;
    store.update(watch, false);
    store.update(goToPlace, row);
    lead.update(goTo, 1 + Math.floor(((event.clientX - box.left) / box.width) * lead.get().run.T));
  }

  select.addEventListener("change", () => update(store.get()));
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    point(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) point(event);
  });
  store.subscribe(update);
}
