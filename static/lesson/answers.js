/** The visitor's answers, stored on this device. If the browser does not allow storage, the answers last as long as the page. */

/** An answer: the index of an option, a number, the values of a drawn curve, or steps. @typedef {number | number[]} Answer */

import { STEPPED, readStoredJson, writeStored } from "../storage.js";

/** The key of the answers in the storage of this device. */
export const KEY = "gruscope-lessons";

/** The answers by lesson and question. @type {Record<string, Record<string, Answer>>} */
let answers = readStoredJson(KEY) ?? {};

const store = () => writeStored(KEY, hasAnswers() ? JSON.stringify(answers) : null);

/** Return the answers to a lesson, by question. @param {string} lesson */
export const answersIn = (lesson) => answers[lesson] ?? {};

/** Store an answer on this device. @param {string} lesson @param {string} question @param {Answer} answer */
export function saveAnswer(lesson, question, answer) {
  answers[lesson] = { ...answersIn(lesson), [question]: answer };
  writeStored(STEPPED, "yes");
  store();
}

/** Clear the answers to a lesson or, without an argument, to all lessons. @param {string} [lesson] */
export function clearAnswers(lesson) {
  if (lesson === undefined) answers = {};
  else delete answers[lesson];
  store();
}

/** Return whether there is any stored answer. */
export const hasAnswers = () => Object.keys(answers).length > 0;
