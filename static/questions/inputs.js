/** The form fields of questions: options and timesteps to select, and sliders, which have no answer until the student moves them. */

/** @import { QuestionData } from "../boot.js" */
/** @import { RoomQuestion } from "../rooms/question.js" */
import { newElement } from "../elements.js";
import { fixed } from "../run.js";

/** The value that screen readers announce for a slider without an answer. */
const NO_VALUE = "no answer yet";

/** Create a slider without an answer, in the middle of its range. @param {RoomQuestion} question @param {object} properties */
export function newSlider({ low, high, grain }, properties) {
  const slider = /** @type {HTMLInputElement} */ (
    newElement("input", { type: "range", min: low, max: high, step: grain, ...properties })
  );
  slider.defaultValue = String((low + high) / 2);
  slider.dataset.unset = "";
  slider.ariaValueText = NO_VALUE;
  return slider;
}

/** Return whether a slider has no answer yet. @param {HTMLInputElement} slider */
export const isUnset = ({ dataset }) => dataset.unset !== undefined;

/** Return the value of a slider, or null if it has no answer. @param {HTMLInputElement} slider */
export const sliderValue = (slider) => (isUnset(slider) ? null : Number(slider.value));

/**
 * Set the answer of a slider.
 * @param {HTMLInputElement} slider
 * @param {number | null} [value] null removes the answer; by default the slider's current value becomes the answer
 */
export function setSlider(slider, value) {
  if (value === null) {
    slider.value = slider.defaultValue;
    slider.dataset.unset = "";
    slider.ariaValueText = NO_VALUE;
    return;
  }
  if (value !== undefined) slider.value = String(value);
  delete slider.dataset.unset;
  slider.ariaValueText = null;
}

/** Return the values of the selected inputs. @param {HTMLInputElement[]} inputs */
export const checkedValues = (inputs) => inputs.filter(({ checked }) => checked).map(({ value }) => Number(value));

/** Select the inputs with these values. @param {HTMLInputElement[]} inputs @param {(number | null)[]} values */
export function setChecked(inputs, values) {
  for (const input of inputs) input.checked = values.includes(Number(input.value));
}

/**
 * Create a list of a question's timesteps, without its first `start` timesteps. `create` returns the content of each item.
 * @param {RoomQuestion} question @param {string} className @param {(t: number, token: string) => Node[]} create
 */
export const stepItems = ({ steps, start }, className, create) =>
  newElement(
    "ol",
    { className },
    steps.slice(start).map((token, i) => newElement("li", {}, [newElement("label", {}, create(start + i + 1, token))])),
  );

/**
 * Format a number as the question's `form` says: with a fixed number of decimals, or as a percentage.
 * @param {number} value @param {QuestionData} question
 */
export const written = (value, { form }) => (form === "%" ? `${fixed(100 * value, 0)}%` : fixed(value, Number(form)));
