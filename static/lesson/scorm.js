/**
 * The page of a lesson in a learning platform. As SCORM 1.2 requires, the page looks for the platform's object `API` in the windows
 * around this one. When the student has answered all questions, the page reports that the lesson is completed. It reports no score and
 * no time. The platform stores the answers for each student, so students can share a computer.
 *
 * @typedef {{LMSInitialize: (empty: "") => string, LMSGetValue: (name: string) => string, LMSSetValue: (name: string, value: string) => string,
 *            LMSCommit: (empty: "") => string, LMSFinish: (empty: "") => string}} Api
 */

import { finder } from "../elements.js";
import { readStored, readStoredJson, writeStored } from "../storage.js";
import { KEY } from "./answers.js";

const { name, questions } = /** @type {{name: string, questions: string[]}} */ (
  JSON.parse(document.querySelector("#lesson")?.textContent ?? "")
);

/** The most characters that a platform stores for a lesson in SCORM 1.2. */
const MOST_STORED = 4096;

/**
 * Return the platform's `API` object in the window `start` or a window around it, or null if there is none.
 * @param {Window | null} start @returns {Api | null}
 */
function apiAround(start) {
  try {
    for (let at = start; at; at = at.parent === at ? null : at.parent) {
      const { API } = /** @type {{API?: Api}} */ (/** @type {unknown} */ (at));
      if (API) return API;
    }
  } catch {
    // The window belongs to another site, so it has no object for this page.
  }
  return null;
}

/** Return the answers that the platform has stored, or an empty object if there are none. @param {Api} api */
function storedBy(api) {
  try {
    return JSON.parse(api.LMSGetValue("cmi.suspend_data") || "{}");
  } catch {
    return {};
  }
}

/**
 * Report the answers to the platform, and whether the student has answered all questions. If the platform has no room for all answers,
 * report only the latest answers and warn the student.
 * @param {Api} api @param {object} answers
 */
function report(api, answers) {
  const stored = Object.entries(answers);
  const text = () => JSON.stringify(Object.fromEntries(stored));
  while (text().length > MOST_STORED) stored.shift();
  const isStored = api.LMSSetValue("cmi.suspend_data", text()) === "true";
  if (!isCompleted) {
    isCompleted = questions.every((question) => question in answers);
    api.LMSSetValue("cmi.core.lesson_status", isCompleted ? "completed" : "incomplete");
  }
  const isSaved = api.LMSCommit("") === "true" && isStored;
  const all = Object.keys(answers).length;
  const lost = all - stored.length;
  if (!isSaved) warn("The learning platform did not store your answers. They will be lost when you close this page.");
  else if (lost)
    warn(
      `The learning platform has no room for all your answers. ${lost} of ${all}, the earliest, will be lost when you close this page.`,
    );
  else warn("");
}

const warn = (/** @type {string} */ text) => (finder(document.body)("[role=status]").textContent = text);

let isCompleted = false;
const api = apiAround(window) ?? apiAround(window.opener);
if (api && api.LMSInitialize("") === "true") {
  isCompleted = ["completed", "passed"].includes(api.LMSGetValue("cmi.core.lesson_status"));
  api.LMSSetValue("cmi.core.exit", "suspend");
  const answers = storedBy(api);
  writeStored(KEY, JSON.stringify({ ...readStoredJson(KEY), [name]: answers }));
  report(api, answers);
  if (!readStored(KEY)) warn("This browser stores no data for this page, so the lesson cannot report your answers.");
  // When the lesson in the frame stores an answer, this window receives an event.
  addEventListener("storage", ({ key }) => key === KEY && report(api, readStoredJson(KEY)?.[name] ?? {}));
  addEventListener("pagehide", () => api.LMSFinish(""));
} else {
  warn("This page found no learning platform, so it reports nothing.");
}
document.body.append(Object.assign(document.createElement("iframe"), { title: document.title, src: "lesson.html" }));
