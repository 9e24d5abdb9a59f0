/** Questions that are answered by selecting timesteps, in the form or on the tape. */

/** @import { Kind } from "./kinds.js" */
import { newElement } from "../elements.js";
import { drawBars } from "./bars.js";
import { checkedValues, setChecked, stepItems } from "./inputs.js";
import { createSteps } from "./overlay.js";

/** @type {Kind} */
export const click = {
  controls: (question) => [
    newElement("p", {
      className: "note",
      textContent: "Select the timesteps here, or press them in the input row of the figure.",
    }),
    stepItems(question, "clicks", (t, token) => [
      newElement("input", { type: "checkbox", value: String(t), ariaLabel: `t = ${t}, ${token}` }),
      newElement("span", token),
    ]),
  ],
  read(inputs) {
    const steps = checkedValues(inputs);
    return steps.length ? steps : null;
  },
  fill: setChecked,
  first: 1,
  missing: () => "Select one or more timesteps first.",
  verdict(question, answers, truths) {
    const missed = truths.filter((t) => !answers.includes(t));
    const extra = answers.filter((t) => !truths.includes(t));
    if (!missed.length && !extra.length) return "Correct.";
    const parts = [
      missed.length ? `${list(missed)} ${missed.length > 1 ? "belong" : "belongs"} to the answer` : "",
      extra.length ? `${list(extra)} ${extra.length > 1 ? "do" : "does"} not belong to the answer` : "",
    ];
    return `Not quite, because ${parts.filter(Boolean).join(", and ")}.`;
  },
  picture: (question, rounds, yours) => drawBars(rounds, (bar) => [yours].flat().includes(bar + 1)),
  overlay: (tape, question, onChange) => createSteps(tape, onChange),
  marksSteps: true,
};

/** @param {number[]} steps */
const list = (steps) => `t = ${steps.join(", ")}`;
