/** Predictions on the tape: a curve that the visitor draws over a signal's row, or steps that the visitor selects. */

/** @import { QuestionData } from "../boot.js" */
/**
 * A prediction on the tape. `show` draws an answer, and the correct answer if it is known. In a curve, a timestep without a value is
 * null.
 * @typedef {{show: (answer: (number | null)[], truth?: number[]) => void, remove: () => void}} Overlay
 */
import { newSvg } from "../elements.js";

/**
 * Let the visitor draw a curve over the row of a signal.
 * @param {HTMLElement} tape @param {QuestionData} question @param {(answer: (number | null)[]) => void} onChange @returns {Overlay}
 */
export function createCurve(tape, question, onChange) {
  const { low, high, start, steps } = question;
  const plot = /** @type {HTMLElement} */ (
    tape.querySelector(`[data-signal="${question.signal.split(".")[0]}"] .plot`)
  );
  const svg = newSvg("svg", { class: "drawn", preserveAspectRatio: "none", "aria-hidden": "true" });
  const [guess, real] = ["guess", "real"].map((name) => newSvg("path", { class: name }));
  svg.append(real, guess);
  plot.append(svg);
  const T = steps.length;
  const share = (/** @type {number} */ value) => (high - value) / (high - low);
  /** @type {(number | null)[]} */
  let values = [];
  let committed = false;

  /** Return the SVG path of a curve with one level for each value, from the timestep `start` on. @param {(number | null)[]} all */
  const pathOf = (all) =>
    all
      .map((value, i) => {
        if (value === null) return "";
        const joined = i > 0 && all[i - 1] !== null;
        return `${joined ? "L" : "M"}${start + i} ${share(value)}H${start + i + 1}`;
      })
      .join("");

  /** @param {PointerEvent} event */
  function draw(event) {
    if (committed || (event.type === "pointermove" && event.buttons !== 1)) return;
    event.stopPropagation();
    event.preventDefault();
    const { left, top, width, height } = svg.getBoundingClientRect();
    const t = Math.floor(((event.clientX - left) / width) * T);
    if (t < start || t >= T) return;
    const place = Math.max(0, Math.min(1, (event.clientY - top) / height));
    values = values.with(t - start, high - place * (high - low));
    onChange(values);
  }
  for (const type of /** @type {const} */ (["pointerdown", "pointermove"])) svg.addEventListener(type, draw);

  return {
    show(answer, truth) {
      values = answer;
      committed = truth !== undefined;
      svg.classList.toggle("committed", committed);
      svg.setAttribute("viewBox", `0 0 ${T} 1`);
      guess.setAttribute("d", pathOf(answer));
      real.setAttribute("d", truth ? pathOf(truth.slice(start)) : "");
    },
    remove: () => svg.remove(),
  };
}

/** Let the visitor select timesteps on the tape. @param {HTMLElement} tape @param {(answer: number[]) => void} onChange @returns {Overlay} */
export function createSteps(tape, onChange) {
  const tokens = /** @type {HTMLElement} */ (tape.querySelector(".tokens ol"));
  /** @type {number[]} */
  let picked = [];
  let committed = false;

  /** @param {Event} event */
  function click(event) {
    const t = [...tokens.children].indexOf(/** @type {Element} */ (event.target)) + 1;
    if (committed || !t) return;
    onChange(picked.includes(t) ? picked.filter((step) => step !== t) : [...picked, t].sort((a, b) => a - b));
  }
  tokens.addEventListener("click", click);
  tokens.classList.add("pressed");

  return {
    show(answer, truth) {
      picked = /** @type {number[]} */ (answer);
      committed = truth !== undefined;
      [...tokens.children].forEach((token, i) => {
        token.classList.toggle("picked", answer.includes(i + 1));
        token.classList.toggle("correct", truth?.includes(i + 1) ?? false);
      });
    },
    remove() {
      tokens.removeEventListener("click", click);
      tokens.classList.remove("pressed");
      for (const token of tokens.children) token.classList.remove("picked", "correct");
    },
  };
}
