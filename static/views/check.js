/** The “Check it” button of the Memory and Influence views. It skips the timestep that the view names, and shows the effect. */

/** @import { Store, Update } from "../store.js" */
/** @import { Clamp } from "../run.js" */
/** @import { Named } from "../reading.js" */
/** @import { Outcome, State } from "../state.js" */
import { setClamps } from "../changes.js";
import { finder, setText } from "../elements.js";
import { ownOf } from "../own.js";
import { detailAt } from "../state.js";
import { tellOutcome } from "../words.js";
import { tokenAt } from "../tokens.js";

/**
 * Mount the “Check it” button of a view.
 * @param {HTMLElement} group
 * @param {(state: State) => Named | null} namedBy returns the step that the view names
 * @param {Store} store
 * @param {{alter: Update, check: (by: "memory" | "influence", step: number, poke: Clamp[]) => void}} actions
 */
export function mountCheck(group, namedBy, store, actions) {
  const view = /** @type {"memory" | "influence"} */ (group.dataset.by);
  const [button, what, effect, keep] = ["[data-do=check]", ".what", "[role=status]", "[data-do=keep]"].map(
    finder(group),
  );

  store.subscribe((state) => {
    if (!state.views.includes(view)) return;
    const named = namedBy(state);
    group.hidden = !named;
    if (!named) return;
    const token = tokenAt(state.run, named.step);
    setText(what, `Skip t = ${named.step} (${token}): clamp ${ownOf(state).leaveOut(state, named.step).text} there.`);
    const outcome = detailAt(state, "checks")?.[view];
    const hasEffect = outcome && !("error" in outcome);
    setText(effect, hasEffect ? `Without t = ${outcome.step}, ${tellOutcome(outcome, state)}` : (outcome?.error ?? ""));
    keep.hidden = !hasEffect;
  });
  button.addEventListener("click", () => {
    const named = namedBy(store.get());
    if (named) actions.check(view, named.step, ownOf(store.get()).leaveOut(store.get(), named.step).clamps);
  });
  keep.addEventListener("click", () => {
    const state = store.get();
    const outcome = /** @type {Outcome} */ (detailAt(state, "checks")?.[view]);
    if (outcome)
      actions.alter(setClamps, [...state.clamps, ...ownOf(state).leaveOut(state, outcome.step).clamps], null);
    button.focus();
  });
}
