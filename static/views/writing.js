/** The form with which the network continues the sequence: the number of timesteps, the temperature and the seed. */

/** @import { Writing } from "../run.js" */
/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { writeOn } from "../changes.js";
import { findAll, mountFold, setText } from "../elements.js";
import { WRITING } from "../link.js";
import { tellWriting } from "../words.js";

/** The default settings for symbols. At this low temperature only a few of the written names have unlikely letters. */
const SYMBOLS = { steps: 12, temperature: 0.8, seed: 0 };
const NUMBERS = { steps: 11, temperature: 1, seed: 0 };

/**
 * Mount the form with which the network continues the sequence.
 * @param {HTMLElement} opener
 * @param {HTMLFormElement} form
 * @param {Store} store
 * @param {{alter: Update}} actions
 */
export function mountWriting(opener, form, store, actions) {
  const boxes = /** @type {HTMLInputElement[]} */ (findAll(form, "input"));
  const status = /** @type {HTMLElement} */ (form.querySelector("[role=status]"));

  /** @param {State} state */
  function update({ write = null, run, received, model, models }) {
    const canWrite = models.find(({ id }) => id === model)?.writes ?? false;
    form.hidden = write === null;
    opener.hidden = write !== null || !canWrite;
    setText(opener, run.scale ? "Forecast on" : "Write on");
    for (const part of findAll(form, ".drawing")) part.hidden = run.scale !== null;
    for (const box of boxes)
      if (write && document.activeElement !== box) box.value = String(write[/** @type {keyof Writing} */ (box.name)]);
    setText(status, received === run.T ? tellWriting(run) : "");
  }

  function open() {
    actions.alter(writeOn, store.get().run.scale ? NUMBERS : SYMBOLS);
    boxes[0].focus();
  }

  mountFold(opener, form, open, () => actions.alter(writeOn, null));
  for (const box of boxes)
    box.addEventListener("input", () => {
      const { write } = store.get();
      if (write && box.value && box.validity.valid) actions.alter(writeOn, { ...write, [box.name]: box.valueAsNumber });
    });
  form.querySelector("[data-do=again]")?.addEventListener("click", () => {
    const { write } = store.get();
    if (write) actions.alter(writeOn, { ...write, seed: write.seed < WRITING.seed ? write.seed + 1 : 0 });
  });
  store.subscribe(update);
}
