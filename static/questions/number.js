/** Questions that are answered with a number, on a slider. */

/** @import { Kind } from "./kinds.js" */
import { newElement } from "../elements.js";
import { drawBars } from "./bars.js";
import { newSlider, setSlider, sliderValue, written } from "./inputs.js";

const RIGHT = 0.005; // a number is correct if its error is below this share of the scale
const CLOSE = 0.1; // a number is close if its error is below this share of the scale

/** @type {Kind} */
export const number = {
  controls(question) {
    const slider = newSlider(question, { name: "answer" });
    slider.setAttribute("aria-labelledby", "room-ask");
    return [newElement("p", { className: "slide" }, [slider, newElement("output")])];
  },
  read: ([slider]) => sliderValue(slider),
  fill: ([slider], [value]) => setSlider(slider, value ?? null),
  missing: () => "Move the slider to your answer first, with the pointer or the arrow keys.",
  verdict(question, [answer], [truth], text) {
    const gap = Math.abs(answer - truth) / (question.high - question.low);
    const yours = written(answer, question);
    if (yours === text || gap < RIGHT) return `Correct: you said ${yours}, and the value is ${text}.`;
    const how = answer < truth ? "higher than" : "lower than";
    return `${gap < CLOSE ? "Close" : "Not quite"}: you said ${yours}, and the value is ${text}${gap < CLOSE ? "" : `, ${how} you expected`}.`;
  },
  solution: (text) => `The answer is ${text}.`,
  picture(question, rounds, yours) {
    const { low, high } = question;
    const bars = rounds[0].labels.length;
    const [answer] = [yours].flat();
    const place = answer === null ? -1 : Math.min(bars - 1, Math.floor(((answer - low) / (high - low)) * bars));
    const ends = [low, high].map((end) => newElement("span", written(end, question)));
    return drawBars(rounds, (bar) => bar === place, newElement("p", { className: "ends" }, ends));
  },
};
