/** Receive trainings from the server, and fetch the runs of their checkpoints over the sequence. */

/** @import { Name } from "../facets.js" */
/** @import { StoreOf } from "../store.js" */
/** @import { RequestError } from "../server.js" */
/** @import { Report, Studio, Tape } from "./studio.js" */
import * as api from "../api.js";
import { singlesOf } from "../base64.js";
import { recording } from "../recording.js";
import { fail, note } from "../state.js";
import { receive, namesOf, read, setMessage, trainingOf } from "./studio.js";

const TOGETHER = 100; // ms in which events are collected before the page shows them

/**
 * Return functions that follow trainings and fetch the runs of their checkpoints.
 * @param {StoreOf<Studio>} store
 * @param {import("../store.js").Store | null} lead the store with the sequence and its error message; null on a page without a sequence
 */
export function createStreams(store, lead) {
  /** @type {Partial<Record<Name, () => void>>} */
  const open = {};
  let asking = false; // whether a request for tapes is running
  let sequence = lead?.get().text ?? "";
  let refused = false; // whether the message beside the sequence comes from here

  /** Receive the events of a cell's current training. @param {Name} name */
  function follow(name) {
    open[name]?.();
    const { id } = trainingOf(store.get(), name);
    /** @type {Report[]} */
    let reports = [];
    /** @type {Partial<import("./studio.js").Training>} */
    let news = {};
    let timer = 0;
    let lost = false;
    function deliver() {
      timer = 0;
      if (lost) store.update(setMessage, "");
      lost = false;
      store.update(receive, name, id, news, reports);
      [news, reports] = [{}, []];
      fetchTapes();
    }
    open[name] = api.followTraining(
      id,
      (event, data) => {
        if (event === "checkpoint") {
          reports.push(data);
          news = { ...news, state: "running", place: 0 };
        } else if (event === "place") news = { ...news, place: data.place, state: data.place ? "waiting" : "running" };
        else if (event === "start") news = { ...news, recipe: data.recipe };
        else if (event === "end") news = { ...news, state: data.state, why: data.why };
        if (recording) return;
        timer ||= setTimeout(deliver, event === "end" ? 0 : TOGETHER);
      },
      (forGood) => {
        if (trainingOf(store.get(), name).id !== id) return;
        lost = !forGood;
        const closed =
          "The connection to this training was closed. Start the training again: the same recipe gives the same weights.";
        store.update(setMessage, forGood ? closed : "The connection was lost. Reconnecting …");
      },
    );
    if (recording) deliver();
  }

  /** Return how many of a cell's checkpoints have no run over the sequence `text` yet. @param {Name} name @param {string} text */
  function missing(name, text) {
    const { reports, tapes, read } = trainingOf(store.get(), name);
    return reports.length - (read === text ? tapes.length : 0);
  }

  /** Fetch the missing tapes, one response at a time. The cell with the most missing tapes comes first. */
  async function fetchTapes() {
    if (!lead || asking) return;
    asking = true;
    for (;;) {
      const text = sequence;
      const [name] = namesOf(store.get()).sort((a, b) => missing(b, text) - missing(a, text));
      if (!name || missing(name, text) <= 0) break;
      const training = trainingOf(store.get(), name);
      const first = training.read === text ? training.tapes.length : 0;
      try {
        const { start, steps, ...arrays } = await api.fetchTapes(training.id, text, first);
        if (!start) break; // another training with fewer checkpoints has replaced it
        if (text === sequence) store.update(read, name, training.id, text, start, cut(start, steps.length, arrays));
        if (refused) lead.update(fail, "", false);
        refused = false;
      } catch (error) {
        if (text !== sequence) continue;
        refused = true;
        const { message, where } = /** @type {RequestError} */ (error);
        lead.update(where ? fail : note, message, Boolean(where?.startsWith("sequence")));
        break;
      }
    }
    asking = false;
  }

  return {
    follow,
    /** Fetch the runs of all checkpoints over another sequence. @param {string} text */
    write(text) {
      sequence = text;
      fetchTapes();
    },
  };
}

/**
 * Split the arrays of a response into one tape for each of N checkpoints. The arrays are `(N × T × H)` by signal and `(N × T × K)` for
 * the outputs.
 * @param {import("../run.js").Start} start @param {number} N
 * @param {{signals: Record<string, string>, y: string, numbers: string | null}} response
 * @returns {Tape[]}
 */
function cut(start, N, { signals, y, numbers }) {
  const arrays = Object.entries(signals).map(([name, text]) => /** @type {const} */ ([name, singlesOf(text)]));
  const outputs = singlesOf(y);
  const inUnit = numbers === null ? null : singlesOf(numbers);
  const [size, K] = [start.T * start.layers[0].H, start.T * start.y.labels.length];
  return Array.from({ length: N }, (_, n) => ({
    signals: Object.fromEntries(arrays.map(([name, all]) => [name, all.subarray(n * size, (n + 1) * size)])),
    y: outputs.subarray(n * K, (n + 1) * K),
    numbers: inUnit?.subarray(n * K, (n + 1) * K) ?? null,
  }));
}
