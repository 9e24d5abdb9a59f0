/** Questions that are answered by drawing the curve of a signal, over its row on the tape or with a slider for each timestep. */

/** @import { Kind } from "./kinds.js" */
import { newElement } from "../elements.js";
import { fixed } from "../run.js";
import { caption } from "./bars.js";
import { newSlider, setSlider, sliderValue, stepItems } from "./inputs.js";
import { createCurve } from "./overlay.js";

const CLOSE = 0.15; // a curve is correct if its error is below this share of the scale at every timestep

/** @type {Kind} */
export const draw = {
  controls: (question) => [
    newElement("p", {
      className: "note",
      textContent: "Draw the curve over its row in the figure, or set each timestep with these sliders.",
    }),
    stepItems(question, "draws", (t, token) => [
      newElement("span", token),
      newSlider(question, { ariaLabel: `at t = ${t}, ${token}` }),
    ]),
  ],
  read: (inputs) => inputs.map(sliderValue),
  fill: (inputs, values) => inputs.forEach((slider, i) => setSlider(slider, values[i] ?? null)),
  missing: (unset) => `Give every timestep a value first. There is no value yet at t = ${unset.join(", ")}.`,
  verdict({ start, steps, low, high }, answers, truths) {
    const gaps = answers.map((value, i) => Math.abs(value - truths[start + i]));
    const worst = gaps.indexOf(Math.max(...gaps));
    const t = start + worst;
    if (gaps[worst] < CLOSE * (high - low)) return "Correct: your curve is close to the network’s.";
    return `Not quite: the largest gap is at t = ${t + 1} (${steps[t]}). There you drew ${fixed(answers[worst])}, and the value is ${fixed(truths[t])}.`;
  },
  picture: (question, rounds) => newElement("div", { className: "histogram" }, [caption(rounds, "")]),
  overlay: createCurve,
  row: ({ signal }) => signal.split(".")[0],
  hasSketches: true,
};
