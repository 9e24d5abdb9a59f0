/**
 * The experiment “Memory capacity”: a table of networks of several sizes, for several numbers of letters. A press on a cell of the
 * table trains its network.
 */

/** @import { Recipe } from "../boot.js" */
import { boot } from "../boot.js";
import { findAll, finder, setText } from "../elements.js";
import { fixed } from "../run.js";
import { createControls } from "./controls.js";
import { mountExperiment } from "./page.js";
import { createQueue } from "./queue.js";

const find = finder(document);
const buttons = findAll(document, "[data-units]");
const [status, error, stop] = [".status", ".error", "[data-do=stop]"].map(find);
const base = /** @type {Recipe} */ (boot.experiment?.base);

const queue = createQueue(
  () => (stop.hidden = false),
  (_, problem) => {
    stop.hidden = true;
    setText(error, problem);
    for (const button of buttons) button.classList.remove("going");
  },
);

/** @param {HTMLElement} button */
function jobOf(button) {
  const [units, n] = [Number(button.dataset.units), Number(button.dataset.n)];
  button.classList.add("going");
  return {
    recipe: { ...base, units, schedule: { ...base.schedule, T: 2 * n } },
    /** @param {import("../train/studio.js").Report[]} reports @param {string} state */
    receive(reports, state) {
      const last = reports.at(-1);
      if (!last) return;
      button.style.setProperty("--share", String(last.score));
      setText(button, `${fixed(100 * last.score, 0)}%`);
      button.title = `${last.step.toLocaleString("en")} training steps, trained here`;
      if (state === "running") return;
      button.classList.remove("going");
      button.classList.add("here");
      setText(
        status,
        `${units} units, ${n} letter${n > 1 ? "s" : ""}: ${fixed(100 * last.score, 1)}% held-out accuracy after ${last.step.toLocaleString("en")} training steps, trained here.`,
      );
    },
  };
}

for (const button of buttons) button.addEventListener("click", () => queue.add([jobOf(button)]));
find("[data-do=all]").addEventListener("click", () => queue.add(buttons.map(jobOf)));
stop.addEventListener("click", () => queue.stop());

const controls = createControls(/** @type {HTMLFormElement} */ (find("main form")));
controls.subscribe(() => {
  const { letters } = controls.values();
  setText(find("[name=letters-out]"), letters);
  find(".grid").dataset.letters = letters;
  for (const cell of findAll(document, ".grid :is(th, td)[data-n]"))
    cell.hidden = Number(cell.dataset.n) > Number(letters);
});
mountExperiment(controls, () => []);
