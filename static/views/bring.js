/** Upload a model: send a file, ask the questions that it leaves open, show how it was read, and check it. */

/** @import { Store } from "../store.js" */
/** @import { ModelEntry } from "../state.js" */
/** @typedef {{value: string, means: string}} Option */
/** @typedef {{key: string, text: string, options: Option[]}} Question */
/** What an upload, or an answer to a question, comes to. @typedef {{model: ModelEntry} | {upload: string, question: Question}} Brought */
/** @typedef {{name: string, largest: number, relative: number, step: number, unit: number, by_step: number[]}} Difference */
/** @typedef {{passed: boolean, text: string, differences: Difference[]}} Parity */
/** @typedef {{answers: Record<string, string>, alphabet: string[] | null, labels: string[] | null}} Answers */
/**
 * @typedef {{upload: (file: File, progress: (share: number) => void) => Promise<Brought>,
 *            answer: (id: string, answers: Answers) => Promise<Brought>,
 *            check: (id: string, file: File) => Promise<Parity>}} Intake
 */
import { newElement, newRow, sentence } from "../elements.js";

/**
 * @param {HTMLElement} opener
 * @param {HTMLDialogElement} dialog
 * @param {Store} store
 * @param {Intake} intake the server
 * @param {{fits: (entry: ModelEntry) => boolean, adopt: (entry: ModelEntry) => void}} actions
 */
export function mountBring(opener, dialog, store, intake, actions) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (dialog.querySelector(selector));
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (find(`[name=${name}]`));
  const [error, asked, understood, title, said] = [".error", ".asked", ".understood", ".understood h3", ".said"].map(
    find,
  );
  const [verdict, table] = [find(".verdict"), /** @type {HTMLTableElement} */ (find(".parity"))];
  const progress = /** @type {HTMLProgressElement} */ (find("progress"));
  const steps = /** @type {HTMLDetailsElement} */ (find(".by-step"));
  /** What is being brought, as the server knows it. */
  let id = "";
  /** A model that was brought and has a page of its own, to be opened when the dialog is closed. @type {ModelEntry | null} */
  let elsewhere = null;
  /** @type {Answers} */
  let answers = { answers: {}, alphabet: null, labels: null };

  /** Do some work; if it fails, say why and leave everything else as it is. @param {() => Promise<void>} work */
  async function attempt(work) {
    error.textContent = "";
    dialog.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (problem) {
      error.textContent = /** @type {Error} */ (problem).message;
      error.scrollIntoView({ block: "nearest" });
    } finally {
      dialog.setAttribute("aria-busy", "false");
      progress.hidden = true;
    }
  }

  /** @param {File} file */
  const send = (file) =>
    attempt(async () => {
      asked.hidden = understood.hidden = true; // these were about another file
      progress.hidden = false;
      progress.value = 0;
      const brought = await intake.upload(file, (share) => (progress.value = share));
      answers = { answers: {}, alphabet: null, labels: null };
      take(brought);
    });

  /** @param {Partial<Answers>} more */
  const answer = (more) =>
    attempt(async () => {
      const wanted = { ...answers, ...more };
      const brought = await intake.answer(id, wanted);
      answers = wanted;
      take(brought);
    });

  /** @param {Brought} brought */
  function take(brought) {
    asked.hidden = "model" in brought;
    understood.hidden = !asked.hidden;
    if ("question" in brought) {
      id = brought.upload;
      ask(brought.question);
      return;
    }
    const { model } = brought;
    id = model.id;
    elsewhere = actions.fits(model) ? null : model;
    if (!elsewhere) actions.adopt(model);
    const where = elsewhere ? "close this dialog to open it" : "now on the page";
    title.textContent = `${model.card.title}: ${where}`;
    said.replaceChildren(...model.said.map((text) => newElement("li", text)));
    field("alphabet").value = answers.alphabet?.join(" ") ?? "";
    field("labels").value = answers.labels?.join(" ") ?? "";
    field("readout").value = answers.answers.readout ?? "";
    verdict.textContent = "";
    table.hidden = steps.hidden = true;
  }

  /** @param {Question} question */
  function ask({ key, text, options }) {
    find(".asked legend").textContent = text;
    find(".options").replaceChildren(
      ...options.map(({ value, means }, i) => {
        const label = document.createElement("label");
        const radio = Object.assign(document.createElement("input"), {
          type: "radio",
          name: "option",
          value,
          required: true,
        });
        radio.dataset.key = key;
        label.append(radio, newElement("b", value), ` ${means}`);
        if (i === 0) setTimeout(() => radio.focus());
        return label;
      }),
    );
  }

  /** @param {File} file */
  const prove = (file) =>
    attempt(async () => {
      verdict.textContent = "";
      const parity = await intake.check(id, file);
      verdict.textContent = sentence(parity.text);
      verdict.classList.toggle("passed", parity.passed);
      table.hidden = steps.hidden = false;
      table.tBodies[0].replaceChildren(
        ...parity.differences.map(({ name, largest, relative, step, unit }) =>
          newRow([
            named(name),
            small(largest),
            small(relative),
            `t = ${step}, ${name === "y" ? "output" : "unit"} ${unit}`,
          ]),
        ),
      );
      const [head, body] = [find(".by-step thead"), find(".by-step tbody")];
      head.replaceChildren(newRow(["t", ...parity.differences.map(({ name }) => named(name))], "col"));
      const T = parity.differences[0]?.by_step.length ?? 0;
      body.replaceChildren(
        ...Array.from({ length: T }, (_, i) =>
          newRow([String(i + 1), ...parity.differences.map(({ by_step }) => small(by_step[i]))]),
        ),
      );
    });

  /** Take a dropped file: names (.json) and reference outputs (.npz) once a model is there, else a model. @param {File} file */
  async function drop(file) {
    if (!dialog.open) dialog.showModal();
    const shown = !understood.hidden;
    if (file.name.endsWith(".json") && id) await attempt(async () => names(await file.text()));
    else if (file.name.endsWith(".npz") && shown) await prove(file);
    else await send(file);
  }

  /** @param {string} text */
  async function names(text) {
    let read;
    try {
      read = JSON.parse(text);
    } catch {
      throw new Error('This file is not valid JSON. It must look like {"alphabet": ["a", "b"], "labels": ["no", "yes"]}.');
    }
    const { alphabet = null, labels = null } = read;
    await answer({ alphabet, labels });
  }

  opener.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("close", () => {
    if (elsewhere) actions.adopt(elsewhere);
  });
  for (const [name, use] of /** @type {[string, (file: File) => void][]} */ ([
    ["file", send],
    ["reference", prove],
  ]))
    field(name).addEventListener("change", () => {
      const [file] = field(name).files ?? [];
      if (file) use(file);
      field(name).value = ""; // the same file may be chosen again
    });
  asked.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = /** @type {HTMLInputElement} */ (find(".asked :checked"));
    answer({ answers: { ...answers.answers, [chosen.dataset.key ?? ""]: chosen.value } });
  });
  find(".names").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = (/** @type {string} */ name) => field(name).value.split(/\s+/).filter(Boolean);
    const [alphabet, labels] = [words("alphabet"), words("labels")].map((list) => (list.length ? list : null));
    const { readout: _, ...others } = answers.answers;
    const readout = field("readout").value;
    answer({ alphabet, labels, answers: readout ? { ...others, readout } : others });
  });
  const carriesFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (file) drop(file);
  });
}

/** @param {string} name */
const named = (name) => (name === "y" ? "y" : `h of layer ${Number(name.slice(3)) + 1}`);

/** @param {number | null} value `null` is a difference from a reference that is 0 everywhere */
const small = (value) => (value === null ? "∞" : value === 0 ? "0" : value.toExponential(1).replace("-", "−"));
