/** Upload a model: send a file, ask what the file leaves open, show how it was read, and compare the model with reference outputs. */

/** @import { ModelEntry } from "../state.js" */
/** @typedef {{value: string, means: string}} Option */
/** @typedef {{key: string, text: string, options: Option[]}} OpenQuestion */
/** The response to an upload, or to an answer: a model, or another question. @typedef {{model: ModelEntry} | {upload: string, question: OpenQuestion}} Uploaded */
/** @typedef {{answers: Record<string, string>, alphabet: string[] | null, labels: string[] | null}} Answers */
import { answerQuestions, checkParity, uploadModel } from "../api.js";
import { attempt, finder, newElement } from "../elements.js";
import { mountDrop } from "../upload/drop.js";
import { createParity } from "../upload/parity.js";

/** @type {("alphabet" | "labels")[]} */
const NAMES = ["alphabet", "labels"];

/**
 * Visible characters for white space in a name, because spaces separate the names. Sequences use the same characters.
 * @type {Record<string, string>}
 */
const PICTURES = { "\n": "↵", "\r": "␍", "\t": "⇥" };

/** @type {Answers} */
const NO_ANSWERS = { answers: {}, alphabet: null, labels: null };

/**
 * Mount the dialog that uploads a model.
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 * @param {{fits: (entry: ModelEntry) => boolean, adopt: (entry: ModelEntry) => void}} actions
 */
export function mountUpload(opener, dialog, actions) {
  const find = finder(dialog);
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (find(`[name=${name}]`));
  const [error, question, summary] = [".error", ".asked", ".understood"].map(find);
  const progress = /** @type {HTMLProgressElement} */ (find("progress"));
  const parity = createParity(summary);
  let id = ""; // id of the upload; once the file is read, id of the model
  let answers = NO_ANSWERS;
  /** A model with a cell that this page cannot show. When the dialog is closed, another page opens the model. @type {ModelEntry | null} */
  let elsewhere = null;

  /** Run `work`. If it fails, show the error message and change nothing else. @param {() => Promise<void>} work */
  async function perform(work) {
    dialog.setAttribute("aria-busy", "true");
    if (!(await attempt(error, work))) error.scrollIntoView({ block: "nearest" });
    dialog.setAttribute("aria-busy", "false");
    progress.hidden = true;
  }

  /** @param {File} file */
  const upload = (file) =>
    perform(async () => {
      question.hidden = summary.hidden = true; // both are about an earlier file
      progress.hidden = false;
      progress.value = 0;
      const uploaded = await uploadModel(file, (share) => (progress.value = share));
      answers = NO_ANSWERS;
      accept(uploaded);
    });

  /** @param {Partial<Answers>} more */
  const answer = (more) =>
    perform(async () => {
      const all = { ...answers, ...more };
      const uploaded = await answerQuestions(id, all);
      answers = all;
      accept(uploaded);
    });

  /** @param {File} file */
  const check = (file) =>
    perform(async () => {
      parity.clear();
      parity.show(await checkParity(id, file));
    });

  /** @param {Uploaded} uploaded */
  function accept(uploaded) {
    const complete = "model" in uploaded;
    question.hidden = complete;
    summary.hidden = !complete;
    id = complete ? uploaded.model.id : uploaded.upload;
    if (complete) showModel(uploaded.model);
    else showQuestion(question, uploaded.question);
  }

  /** @param {ModelEntry} model */
  function showModel(model) {
    elsewhere = actions.fits(model) ? null : model;
    if (!elsewhere) actions.adopt(model);
    find(".understood h3").textContent =
      `${model.card.title}: ${elsewhere ? "close this dialog to open it" : "now on the page"}`;
    find(".report").replaceChildren(...model.report.map((text) => newElement("li", text)));
    for (const name of NAMES) field(name).value = written(answers[name]);
    field("readout").value = answers.answers.readout ?? "";
    parity.clear();
  }

  /**
   * Handle a dropped file. After an upload, a .json file contains names, and once the model is read, an .npz file contains reference
   * outputs. Any other file is a model to upload.
   * @param {File} file
   */
  async function receive(file) {
    if (!dialog.open) dialog.showModal();
    const complete = !summary.hidden;
    if (file.name.endsWith(".json") && id) await perform(async () => answer(readNames(await file.text())));
    else if (file.name.endsWith(".npz") && complete) await check(file);
    else await upload(file);
  }

  opener.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("close", () => {
    if (elsewhere) actions.adopt(elsewhere);
  });
  onFile(field("file"), upload);
  onFile(field("reference"), check);
  onSubmit(question, () => {
    const chosen = /** @type {HTMLInputElement} */ (find(".asked :checked"));
    answer({ answers: { ...answers.answers, [chosen.dataset.key ?? ""]: chosen.value } });
  });
  onSubmit(find(".names"), () => {
    const [alphabet, labels] = NAMES.map((name) => editedNames(field(name).value, answers[name]));
    const { readout: _, ...others } = answers.answers;
    const readout = field("readout").value;
    answer({ alphabet, labels, answers: readout ? { ...others, readout } : others });
  });
  mountDrop(receive);
}

/**
 * Return the names in a field. If the field was not edited, return `before`, because these names may contain spaces.
 * @param {string} text @param {string[] | null} before
 */
const editedNames = (text, before) => (text === written(before) ? before : wordsOf(text));

/** @param {HTMLElement} form @param {() => void} handle */
const onSubmit = (form, handle) =>
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handle();
  });

/** @param {HTMLInputElement} input @param {(file: File) => void} receive */
function onFile(input, receive) {
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) receive(file);
    input.value = ""; // lets the visitor choose the same file again
  });
}

/** @param {HTMLElement} form @param {OpenQuestion} question */
function showQuestion(form, { key, text, options }) {
  const find = finder(form);
  find("legend").textContent = text;
  find(".options").replaceChildren(
    ...options.map(({ value, means }, i) => {
      const radio = newElement("input", { type: "radio", name: "option", value, required: true });
      radio.dataset.key = key;
      if (i === 0) setTimeout(() => radio.focus());
      return newElement("label", {}, [radio, newElement("b", value), ` ${means}`]);
    }),
  );
}

/**
 * Parse a file of names. Throw an Error with a message for the visitor if `text` is not valid JSON.
 * @param {string} text @returns {Partial<Answers>}
 */
function readNames(text) {
  let names;
  try {
    names = JSON.parse(text);
  } catch {
    throw new Error(
      'This file is not valid JSON. It must look like {"alphabet": ["a", "b"], "labels": ["no", "yes"]}.',
    );
  }
  const { alphabet = null, labels = null } = names;
  return { alphabet, labels };
}

/** Format names for a text field, separated by spaces. @param {string[] | null} names */
function written(names) {
  return names?.map((name) => name.replace(/\s/g, (c) => PICTURES[c] ?? "␣")).join(" ") ?? "";
}

/** @param {string} text */
function wordsOf(text) {
  const words = text.split(/\s+/).filter(Boolean);
  return words.length ? words : null;
}
