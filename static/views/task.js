/** The task after “Be the gate”: clamp z at one letter. The result is beside the button, and the same button removes the clamp. */

/** @import { State } from "../state.js" */
/** @import { Store, Update } from "../store.js" */
import { setClamps } from "../changes.js";
import { finder, newElement, setSentence } from "../elements.js";
import { mixedAt } from "../mixing.js";
import { answer, fixed } from "../run.js";
import { goTo } from "../state.js";
import { change, part } from "../words.js";

/**
 * Mount the task that follows the game.
 * @param {HTMLElement | null} section null on every page except the one that the game links to
 * @param {Store} store
 * @param {Update} alter changes the clamps and runs the model with them
 */
export function mountTask(section, store, alter) {
  if (!section) return;
  const find = finder(section);
  const [button, status] = ["button.main", "[role=status]"].map(find);
  const t = Number(section.dataset.t);
  const { model, text } = store.get();
  const clamp = { gate: "z", units: [1], from: t, to: t, value: 0, layer: 1 };

  button.addEventListener("click", () => {
    const { clamps } = store.get();
    alter(setClamps, clamps.length ? [] : [clamp], clamps.length ? null : 0);
    store.update(goTo, t);
  });
  find("[data-do=leave]").addEventListener("click", () => section.remove());
  store.subscribe((state) => {
    if (!section.isConnected) return;
    const { run, clamps, weights } = state;
    const here = state.model === model && state.text === text && !weights.length && !run.against && !run.h0;
    if (!here || clamps.length > 1 || clamps.some(({ gate, from, to }) => gate !== "z" || from !== t || to !== t))
      return section.remove(); // then the page shows the question of the model
    if (state.received < t) return;
    button.classList.toggle("clamped", run.clamps.length > 0);
    if (run.clamps.length) {
      const { result, reason } = outcome({ ...state, step: t });
      if (status.textContent !== result + reason) status.replaceChildren(newElement("b", result), reason);
    } else setSentence(status, `Without a clamp it is ${answer(run, t - 1).text}.`);
  });
}

/** Return two sentences: the output at the clamped timestep (`result`), and the reason for this output (`reason`). @param {State} state */
function outcome(state) {
  const { run, step } = state;
  const [output, original] = [answer(run, step - 1).text, answer(run, step - 1, run.twinOutputs).text];
  const { z, keep, h_prev, h } = mixedAt(state);
  const result = output === original ? `It is still ${output}.` : `It is ${output} instead of ${original}.`;
  return { result, reason: ` With z = ${fixed(z)} the unit keeps ${part(keep)} of its state: h ${change(h_prev, h)}.` };
}
