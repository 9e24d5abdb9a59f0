/** Multiple-choice questions: the answer is one of several options. */

/** @import { Kind } from "./kinds.js" */
import { newElement } from "../elements.js";
import { drawBars } from "./bars.js";
import { checkedValues, setChecked } from "./inputs.js";

/** @type {Kind} */
export const choose = {
  controls({ options }) {
    const items = options.map((option, i) => {
      const radio = newElement("input", { type: "radio", name: "answer", value: String(i) });
      return newElement("li", {}, [newElement("label", {}, [radio, newElement("span", { innerHTML: option })])]);
    });
    const list = newElement("ol", { className: "options" }, items);
    list.setAttribute("role", "radiogroup");
    list.setAttribute("aria-labelledby", "room-ask");
    return [list];
  },
  read: (inputs) => checkedValues(inputs)[0] ?? null,
  fill: setChecked,
  missing: () => "Choose an answer first. You also learn from a wrong guess.",
  verdict: (question, answers, truths, text, chosen) =>
    truths.includes(answers[0]) ? "Correct." : `Not quite. You chose: ${/[.?!]$/.test(chosen) ? chosen : `${chosen}.`}`,
  picture: (question, rounds, yours) => drawBars(rounds, (bar) => [yours].flat().includes(bar)),
};
