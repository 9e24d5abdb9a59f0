/** What was answered: kept on this device, or, where that is forbidden, for as long as the page lasts. */

/** An option, a number, the values drawn from a step on, or steps. @typedef {number | number[]} Answer */

const KEY = "gruscope-lessons";

/** By lesson and question. @type {Record<string, Record<string, Answer>>} */
let kept = {};
try {
  kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
} catch {
  // Nothing can be read: it begins anew.
}

function write() {
  try {
    if (Object.keys(kept).length) localStorage.setItem(KEY, JSON.stringify(kept));
    else localStorage.removeItem(KEY);
  } catch {
    // Nothing can be kept.
  }
}

/** @param {string} lesson @returns {Record<string, Answer>} */
export const answersIn = (lesson) => kept[lesson] ?? {};

/** @param {string} lesson @param {string} question @param {Answer} answer */
export function keep(lesson, question, answer) {
  kept[lesson] = { ...answersIn(lesson), [question]: answer };
  write();
}

/** Forget all that was answered in a lesson, or in all of them. @param {string} [lesson] */
export function forget(lesson) {
  if (lesson === undefined) kept = {};
  else delete kept[lesson];
  write();
}

/** Whether anything was answered. */
export const anything = () => Object.keys(kept).length > 0;
