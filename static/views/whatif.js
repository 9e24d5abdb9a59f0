/** The What if view: the form for clamps, the list of changes, and the effect of the changes compared with the original run. */

/** @import { Store, Update } from "../store.js" */
/** @import { State } from "../state.js" */
import { isChanged } from "../changes.js";
import { finder, setSentence, setText } from "../elements.js";
import { decode, writeScenario } from "../link.js";
import { scenarioOf } from "../run.js";
import { setDifference } from "../state.js";
import { createGuard } from "../store.js";
import { tellEffect } from "../words.js";
import { mountChanges } from "../whatif/changes.js";
import { mountForm } from "../whatif/form.js";
import { createMarks } from "../whatif/marks.js";
import { tellScore } from "../whatif/text.js";

/** Return the model's example question that the run on the tape answers, or undefined if there is none. @param {State} state */
function questionOf({ models, run }) {
  const here = writeScenario(scenarioOf(run));
  const { questions = [] } = models.find(({ id }) => id === run.model) ?? {};
  return questions.find(({ link }) => {
    const { sequence, clamps, weights } = decode(link);
    return writeScenario({ sequence: sequence ?? "", clamps, weights }) === here;
  });
}

/**
 * Mount the What if view.
 * @param {HTMLElement} section
 * @param {HTMLElement} tape shows a mark for each clamp
 * @param {Store} store
 * @param {{alter: Update, score: () => Promise<void>}} actions
 */
export function mountWhatIf(section, tape, store, actions) {
  const find = finder(section);
  const [effect, undone, scored, refused, score] = [
    "[aria-label=Effect]",
    ".held [role=status]",
    "[aria-label=Score]",
    ".refused",
    "[data-do=score]",
  ].map(find);
  const [questionText, why] = [".question summary b", ".question p"].map(find);
  const difference = /** @type {HTMLInputElement} */ (find("[name=difference]"));
  const question = /** @type {HTMLDetailsElement} */ (find(".question"));
  const mark = createMarks(tape);
  const showForm = mountForm(/** @type {HTMLFormElement} */ (find("form")), store, actions.alter);
  const showChanges = mountChanges(find(".held"), store, actions.alter, find("form button"));
  const isNew = createGuard();

  /** @param {State} state */
  function showQuestion(state) {
    const example = questionOf(state);
    question.hidden = !example;
    if (!example) return;
    question.open = false;
    [questionText.textContent, why.textContent] = [example.ask, example.why];
  }

  store.subscribe((state) => {
    const { run, views } = state;
    const twin = run.twin && isChanged(state) && !run.against;
    mark(state);
    tape.classList.toggle("difference", state.difference && run.twin);
    if (!views.includes("whatif")) return;
    showForm(state);
    showChanges(state);
    if (isNew(run, views)) showQuestion(state);
    find(".effect").hidden = !twin;
    difference.checked = state.difference;
    // After a change a screen reader announces only one text: the task after “Be the gate”, the undone change, or the effect.
    effect.ariaLive = document.querySelector("#after-gate") || undone.textContent ? "off" : "polite";
    if (twin) setSentence(effect, tellEffect(state));
    setText(refused, state.refusals.changes ?? "");
    setText(scored, state.score ? tellScore(state.score) : (state.refusals.score ?? ""));
    scored.classList.toggle("error", !state.score);
  });

  score.addEventListener("click", async () => {
    if (score.ariaBusy === "true") return;
    score.ariaBusy = "true";
    await actions.score();
    score.ariaBusy = "false";
  });
  difference.addEventListener("change", () => store.update(setDifference, difference.checked));
}
