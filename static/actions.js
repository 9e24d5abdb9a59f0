/** The visitor's actions that need the server. All other actions are transitions of the view state. */

/** @import { Link } from "./link.js" */
/** @import { Clamp, Run, Start, Step } from "./run.js" */
/** @import { ModelEntry } from "./state.js" */
/** @import { Store, Update } from "./store.js" */
import * as api from "./api.js";
import { choose, write } from "./changes.js";
import { elsewhere, leave } from "./follow.js";
import { decode } from "./link.js";
import { answer, newRun, putStep, scenarioOf } from "./run.js";
import { addModel, failDetail, layerIndex, note, putCheck, putScore } from "./state.js";

/**
 * Return the actions that need the server.
 * @param {Store} store
 * @param {() => void} requestRun runs the scenario in the state
 * @param {(link: Link) => Promise<void>} open follows a link
 */
export function createActions(store, requestRun, open) {
  const actions = {
    /** @param {string} text */
    write(text) {
      store.update(write, text);
      requestRun();
    },
    /** @param {string} model */
    choose(model) {
      const entry = store.get().models.find(({ id }) => id === model);
      if (entry && leave(entry)) return;
      store.update(choose, model);
      requestRun();
    },
    /** Return whether this page can show a model. @param {ModelEntry} entry */
    fits: (entry) => !elsewhere(entry),
    /** Show an uploaded model on this page, or go to the page for the model's cell. @param {ModelEntry} entry */
    adopt(entry) {
      store.update(addModel, entry);
      actions.choose(entry.id);
    },
    /** Apply a transition to the state. If it changes the scenario, run the model again. @type {Update} */
    alter(transition, ...args) {
      const { clamps, weights, against, h0, write } = store.get();
      store.update(transition, ...args);
      const state = store.get();
      const isSame = state.clamps === clamps && state.weights === weights;
      if (!isSame || state.against !== against || state.h0 !== h0 || state.write !== write) requestRun();
    },
    /**
     * Run the tape's scenario with the additional clamps `poke`. Store the state and the output at the cursor, with and without the
     * additional clamps.
     * @param {"memory" | "influence"} view @param {number} step @param {Clamp[]} poke
     */
    async check(view, step, poke) {
      const state = store.get();
      const { run, unit } = state;
      const [layer, column] = [layerIndex(state), state.step - 1];
      const scenario = scenarioOf(run);
      const equations = { layer: layer + 1, unit: unit + 1 }; // in a large run, the server sends this unit's values in float64
      const poked = { ...scenario, clamps: [...scenario.clamps, ...poke], equations };
      /** @type {Run} */
      let other;
      const listener = {
        start: (/** @type {Start} */ start) => (other = newRun(start, poked)),
        step: (/** @type {Step} */ step) => putStep(other, step),
        done() {
          const [was, is] = [run, other].map((source) => resultAt(source, layer, unit, column));
          const current = store.get();
          if (current.run !== run || current.step !== state.step) return;
          if (current.unit !== unit || layerIndex(current) !== layer) return;
          store.update(putCheck, view, { step, h: { was: was.h, is: is.h }, y: { was: was.y, is: is.y } });
        },
      };
      await api.trace(poked, listener, new AbortController().signal).catch((/** @type {Error} */ error) => {
        store.update(putCheck, view, { error: error.message });
      });
    },
    /** Fetch and store the model's scores on held-out data, with and without the clamps and changed weights of the run on the tape. */
    async score() {
      const { run } = store.get();
      try {
        store.update(putScore, { ...(await api.fetchAnswer("score", scenarioOf(run))), run });
      } catch (error) {
        if (store.get().run === run) store.update(failDetail, "score", /** @type {Error} */ (error).message);
      }
    },
    /** Open a link on this page, but keep the page's convention for z. @param {string} query */
    follow(query) {
      const link = decode(query);
      const { convention } = store.get();
      return open({ ...link, focus: { ...link.focus, convention } });
    },
    /** Replace the sequence with a random one. */
    draw: () => replaceText((model, seed) => api.drawSequence(model, seed)),
  };

  /**
   * Replace the sequence with one that the server draws from a random seed.
   * @param {(model: string, seed: number) => Promise<string>} drawText
   */
  async function replaceText(drawText) {
    const { model, text } = store.get();
    // If the visitor has typed or chosen something in the meantime, the drawn sequence is ignored.
    const isCurrent = () => store.get().model === model && store.get().text === text;
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    try {
      const drawn = await drawText(model, seed);
      if (isCurrent()) actions.write(drawn);
    } catch (error) {
      if (isCurrent()) store.update(note, /** @type {Error} */ (error).message);
    }
  }

  return actions;
}

/**
 * Return the state `h` of a unit, as a number, and the output `y` of the run, as text, at a column.
 * @param {Run} run @param {number} layer @param {number} unit @param {number} column
 */
const resultAt = (run, layer, unit, column) => ({
  h: run.layers[layer].rows.h[unit][column],
  y: answer(run, column).text,
});
