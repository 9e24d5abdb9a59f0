/** The controls that move through the sequence: buttons, the step slider, the play button, and keys for the same actions. */

/** @import { Store } from "../store.js" */
/** @import { State } from "../state.js" */
import { finder, setText } from "../elements.js";
import { goTo, moveRow, pause, play, setSpeed, tick } from "../state.js";
import { tokenAt } from "../tokens.js";

/**
 * Mount the controls that move through the sequence.
 * @param {HTMLElement} section
 * @param {HTMLInputElement} slider the step slider, which is on the tape
 * @param {Store} store
 */
export function mountTransport(section, slider, store) {
  const find = finder(section);
  const playButton = find("#play");
  const speed = /** @type {HTMLSelectElement} */ (find("#speed"));
  /** @type {number | undefined} */
  let timer;
  let running = 0; // steps per second of the running timer, 0 without a timer

  /** @param {State} state */
  function update(state) {
    const { T } = state.run;
    // Setting a slider makes the browser compute the layout, even if the value stays the same.
    if (slider.max !== String(T)) slider.max = String(T);
    if (slider.value !== String(state.step)) slider.value = String(state.step);
    slider.setAttribute("aria-valuetext", `timestep ${state.step} of ${T}, input ${tokenAt(state.run, state.step)}`);
    setText(find("#now"), String(state.step));
    setText(find("#of"), String(T));
    find("#clock").style.setProperty("--digits", String(String(T).length));
    playButton.setAttribute("aria-label", state.playing ? "Pause" : "Play");
    playButton.classList.toggle("playing", state.playing);
    // Not `disabled`: a focused button loses the focus when it is disabled.
    for (const id of ["#first-step", "#previous-step"])
      find(id).setAttribute("aria-disabled", String(state.step === 1));
    for (const id of ["#next-step", "#last-step"]) find(id).setAttribute("aria-disabled", String(state.step === T));
    const speed = state.playing ? state.speed : 0;
    if (speed === running) return;
    running = speed;
    clearInterval(timer);
    if (speed) timer = setInterval(() => store.update(tick), 1000 / speed);
  }

  /** @param {number} steps */
  const move = (steps) => {
    store.update(pause);
    store.update(goTo, store.get().step + steps);
  };
  const toggle = () => store.update(store.get().playing ? pause : play);

  find("#first-step").addEventListener("click", () => move(-Infinity));
  find("#previous-step").addEventListener("click", () => move(-1));
  find("#next-step").addEventListener("click", () => move(1));
  find("#last-step").addEventListener("click", () => move(Infinity));
  playButton.addEventListener("click", toggle);
  speed.addEventListener("change", () => store.update(setSpeed, Number(speed.value)));
  slider.addEventListener("input", () => move(Number(slider.value) - store.get().step));

  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    ArrowUp: () => store.update(moveRow, -1),
    ArrowDown: () => store.update(moveRow, 1),
    Home: () => move(-Infinity),
    End: () => move(Infinity),
    " ": toggle,
  };
  addEventListener("keydown", (event) => {
    const key = keys[event.key];
    if (!key || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    // Ignore a key that has a meaning of its own for the focused element: any key in a field or a list, and space on a button or a link.
    const target = /** @type {HTMLElement} */ (event.target);
    if (target !== slider && target.closest("input, select, textarea, dialog[open], .pages")) return;
    if (event.key === " " && target.closest("button, summary, a, [role=button]")) return;
    event.preventDefault();
    key();
  });
  // A radio button gives up the focus after a click. The arrow keys then move the cursor and do not change the choice.
  let pointed = false;
  const note = (/** @type {Event} */ { type }) => (pointed = type === "pointerup");
  addEventListener("pointerup", note, true);
  addEventListener("keydown", note, true);
  addEventListener("click", ({ target }) => {
    if (pointed && target instanceof HTMLInputElement && target.closest(".segments")) target.blur();
  });
  store.subscribe(update);
}
