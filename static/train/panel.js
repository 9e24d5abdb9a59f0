/** The panel of a cell on the training page: its tape, its table, a link to the Lab, and a link that downloads the checkpoint. */

/** @import { Name } from "../facets.js" */
/** @import { Store, StoreOf } from "../store.js" */
/** @import { Studio } from "./studio.js" */
import { checkpointUrl } from "../api.js";
import { boot } from "../boot.js";
import { finder, setText } from "../elements.js";
import { attend, facet } from "../facets.js";
import { home } from "../frame.js";
import { recording } from "../recording.js";
import { mountExplain } from "../views/explain.js";
import { mountHeatmaps } from "../views/heatmaps.js";
import { mountTable } from "../views/table.js";
import { mountTape } from "../views/tape.js";
import { namesOf } from "./studio.js";

/**
 * Mount the panel of a cell. Return the heatmaps of the panel.
 * @param {HTMLElement} tape @param {Name} name of the cell @param {StoreOf<Studio>} store
 */
export function mountPanel(tape, name, store) {
  const find = finder(tape);
  const cell = facet(store, () => name);
  mountTape(tape, cell, "untrained");
  mountExplain(tape);
  const table = find(".table");
  mountTable(table, tape, cell);
  cell.subscribe(({ views }) => (table.hidden = !views.includes("table")));
  mountLinks(tape, name, store);
  for (const type of ["pointerdown", "focusin"])
    tape.addEventListener(type, () => store.update(attend, name), { capture: true });
  return mountHeatmaps(tape, inTurn(cell, namesOf(store.get()).indexOf(name)), boot.figures[name]);
}

/** Return the name of a run's checkpoint, such as "training step 400". @param {{model: string}} run */
export const stepInWords = ({ model }) => `training step ${Number(model.split("@")[1]).toLocaleString("en")}`;

/** @param {HTMLElement} tape @param {Name} name @param {StoreOf<Studio>} store */
function mountLinks(tape, name, store) {
  const [lab, file, checkpoint] = /** @type {HTMLAnchorElement[]} */ (
    [".to-lab", ".to-keep", ".at-step"].map(finder(tape))
  );
  store.subscribe((studio) => {
    const { run, step, unit } = studio.cells[name];
    const [id, trainingStep] = run.model.split("@");
    lab.hidden = home === "";
    file.hidden = recording !== null;
    lab.href = `${home}?${new URLSearchParams({ model: run.model, sequence: (run.tokens ?? []).join(" "), t: String(step), unit: String(unit + 1) })}`;
    file.href = checkpointUrl(id, Number(trainingStep));
    setText(checkpoint, stepInWords(run));
  });
}

/**
 * Return a store that calls its listeners some frames later, so that the pictures of several cells are not all drawn in one frame.
 * @param {Store} store @param {number} frames
 * @returns {Store}
 */
function inTurn(store, frames) {
  /** @param {() => void} then @param {number} left */
  const after = (then, left) => (left ? requestAnimationFrame(() => after(then, left - 1)) : then());
  return {
    ...store,
    subscribe(listener) {
      let waiting = false;
      store.subscribe(() => {
        if (waiting) return;
        waiting = true;
        after(() => {
          waiting = false;
          listener(store.get());
        }, frames);
      });
    },
  };
}
