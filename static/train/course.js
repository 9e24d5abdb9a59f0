/** The controls of a training: the slider over its checkpoints, the play button, and the buttons to stop and to branch. */

/** @import { StoreOf } from "../store.js" */
/** @import { Report, Studio } from "./studio.js" */
import { finder, setText } from "../elements.js";
import { TITLES } from "../facets.js";
import { tellLoss, tellPlace, tellScore } from "./curves.js";
import { goToPlace, isBusy, longest, namesOf, setPace, stepOf, tickBy, trainingOf, watch } from "./studio.js";

const MOST_PICTURES = 10; // per second

/**
 * Mount the controls of a training.
 * @param {HTMLElement} section
 * @param {StoreOf<Studio>} store
 * @param {{train: () => void, stop: () => void, change: (rate: number, fork: boolean) => void}} actions
 */
export function mountCourse(section, store, actions) {
  const find = finder(section);
  const button = (/** @type {string} */ what) => find(`[data-do=${what}]`);
  const slider = /** @type {HTMLInputElement} */ (find(".curves [type=range]"));
  const pace = /** @type {HTMLSelectElement} */ (find("[name=pace]"));
  const rate = /** @type {HTMLInputElement} */ (find("[name=new-rate]"));
  const [status, announced, error, current, last, currentAgain] = [
    ".status",
    "[role=status]",
    ".error",
    ".clock .now",
    ".clock .of",
    ".now-again",
  ].map(find);
  /** @type {number | undefined} */
  let timer;
  let running = 0;

  store.subscribe((studio) => {
    const { reports } = longest(studio);
    slider.max = String(Math.max(0, reports.length - 1));
    slider.value = String(studio.place);
    slider.setAttribute(
      "aria-valuetext",
      [tellPlace(studio), ...namesOf(studio).flatMap((name) => [tellLoss(studio, name), tellScore(studio, name)])]
        .filter(Boolean)
        .join(", "),
    );
    if (reports.length) {
      for (const place of [current, currentAgain]) setText(place, stepOf(studio).toLocaleString("en"));
      setText(last, (reports.at(-1)?.step ?? 0).toLocaleString("en"));
    }
    button("stop").hidden = !isBusy(studio);
    for (const what of ["rewind", "back"]) button(what).setAttribute("aria-disabled", String(studio.place === 0));
    for (const what of ["on", "end"])
      button(what).setAttribute("aria-disabled", String(studio.place >= reports.length - 1));
    button("watch").setAttribute("aria-label", studio.watching ? "Pause" : "Watch training");
    button("watch").classList.toggle("playing", studio.watching);
    setText(status, tellStatus(studio));
    setText(announced, tellNews(studio));
    setText(error, studio.message);
    const speed = studio.watching ? studio.pace : 0;
    if (speed === running) return;
    running = speed;
    clearInterval(timer);
    const places = Math.max(1, Math.round(speed / MOST_PICTURES));
    if (speed) timer = setInterval(() => store.update(tickBy, places), 1000 / Math.min(speed, MOST_PICTURES));
  });

  /** @param {number} place */
  const move = (place) => {
    store.update(watch, false);
    store.update(goToPlace, place);
  };
  const moveBy = (/** @type {number} */ places) => move(store.get().place + places);
  const toggle = () => store.update(watch, !store.get().watching);

  slider.addEventListener("input", () => move(Number(slider.value)));
  pace.addEventListener("change", () => store.update(setPace, Number(pace.value)));
  button("train").addEventListener("click", actions.train);
  button("stop").addEventListener("click", actions.stop);
  button("rewind").addEventListener("click", () => move(0));
  button("back").addEventListener("click", () => moveBy(-1));
  button("on").addEventListener("click", () => moveBy(1));
  button("end").addEventListener("click", () => move(Infinity));
  button("watch").addEventListener("click", toggle);
  for (const fork of [false, true])
    button(fork ? "fork" : "change").addEventListener("click", () => actions.change(Number(rate.value), fork));

  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => moveBy(-1),
    ArrowRight: () => moveBy(1),
    Home: () => move(0),
    End: () => move(Infinity),
    " ": toggle,
  };
  addEventListener("keydown", (event) => {
    const key = keys[event.key];
    if (!key || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input:not([type=range]), select, textarea, dialog[open], .pages")) return;
    event.preventDefault();
    key();
  });
}

/** Return the latest sentence in the reports, up to a training step. @param {readonly Report[]} reports @param {number} step */
const latestSentence = (reports, step) =>
  reports
    .filter((report) => report.step <= step)
    .flatMap((report) => report.sentences)
    .at(-1) ?? "";

/** Return the text that a screen reader announces: the latest sentence, and the end of a training. @param {Studio} studio */
export function tellNews(studio) {
  const step = stepOf(studio);
  const names = namesOf(studio);
  const sentences = names.map((name) => {
    const { reports, state, why } = trainingOf(studio, name);
    const [latest, ended] = [
      latestSentence(reports, step),
      step === reports.at(-1)?.step && state === "stopped" ? why : "",
    ];
    return latest || ended ? `${names.length > 1 ? `${TITLES[name]}: ` : ""}${latest} ${ended}`.trim() : "";
  });
  return sentences.filter(Boolean).join(" ");
}

/** Describe the state of each training at the shown checkpoint. @param {Studio} studio */
export function tellStatus(studio) {
  const names = namesOf(studio);
  const step = stepOf(studio);
  const lines = names.map((name) => {
    const { state, place, why, reports } = trainingOf(studio, name);
    const owner = names.length > 1 ? `${TITLES[name]}: ` : "";
    if (state === "waiting" && reports.length === 0 && place)
      return `${owner}Waiting in the training queue (${place === 1 ? "next" : `position ${place}`}).`;
    if (state === "new") return `${owner}Not trained yet. Press “Start training”.`;
    if (reports.length === 0) return `${owner}Waiting for the first checkpoint.`;
    const numbers = [tellLoss(studio, name), tellScore(studio, name)].filter(Boolean).join(", ");
    const sentence = numbers && `${owner ? numbers : numbers[0].toUpperCase() + numbers.slice(1)}.`;
    const text = [sentence, latestSentence(reports, step), step === reports.at(-1)?.step ? why : ""].filter(Boolean);
    return text.length ? `${owner}${text.join(" ")}` : "";
  });
  return lines.filter(Boolean).join("\n");
}
