/**
 * The view state of the training page: the training of each cell, with the checkpoints so far, and the place of the shown
 * checkpoint. Each cell has a view state as in the Lab, with the run of the shown checkpoint.
 */

/** @import { Recipe } from "../boot.js" */
/** @import { Cells, Name } from "../facets.js" */
/** @import { Rows, Run, Start } from "../run.js" */
/** @import { State } from "../state.js" */
/**
 * The report of a checkpoint, from gru_core/training/checkpoints.py. A `Move` is a changed weight: its gate, its part, the input or
 * unit that it multiplies, its unit, and its values at the first checkpoint and at this one.
 * @typedef {[string, string, string, number, number, number]} Move
 * @typedef {{step: number, losses: number[], rate: number, score: number, good_at: number | null, lags: number[],
 *            gates: Record<string, number>, moved: Move[], sentences: string[]}} Report
 */
/**
 * The run of a checkpoint over the sequence: `(T × H)` by signal, and outputs `(T × K)`. `numbers` has the outputs in the unit of the
 * run's `scale`.
 * @typedef {{signals: Record<string, Float32Array>, y: Float32Array, numbers: Float32Array | null}} Tape
 */
/**
 * `tapes` are runs of the checkpoints over the sequence `read`: one for each report, or fewer if some have not arrived. `start` is
 * the first event of these runs. A `new` training has not been started. `why` is the reason if the training ended early. If this
 * training branched from another one, `twin` has the reports of the other one.
 * @typedef {{id: string, recipe: Recipe, state: "new" | "waiting" | "running" | "done" | "stopped" | "failed", place: number,
 *            why: string, reports: readonly Report[], start: Start | null, read: string, tapes: readonly Tape[],
 *            twin: readonly Report[]}} Training
 */
/**
 * `place` is the index of the shown checkpoint, counted from 0. While `watching`, the page plays `pace` checkpoints per second. `linear`
 * is whether the network's outputs are numbers; the score is then an error. `goal` is the training step to show as soon as its checkpoint
 * has arrived. `message` describes the last error.
 * @typedef {Cells & {trainings: Partial<Record<Name, Training>>, place: number, linear: boolean, goal: number | null, watching: boolean,
 *            pace: number, message: string}} Studio
 */
import { NAMES } from "../facets.js";
import { newRun } from "../run.js";
import { change, layerOf, lookAt } from "../state.js";

/** Return the names of the cells on the page. @param {Studio} studio */
export const namesOf = ({ trainings }) => NAMES.filter((name) => trainings[name]);

/** Return the training of a cell. @param {Studio} studio @param {Name} name @returns {Training} */
export const trainingOf = ({ trainings }, name) => /** @type {Training} */ (trainings[name]);

/** Return the training with the most checkpoints. The slider moves over these checkpoints. @param {Studio} studio @returns {Training} */
export function longest(studio) {
  const all = namesOf(studio).map((name) => trainingOf(studio, name));
  return all.reduce((most, training) => (training.reports.length > most.reports.length ? training : most));
}

/** Return the training step that is shown. @param {Studio} studio */
export const stepOf = (studio) => longest(studio).reports[studio.place]?.step ?? 0;

/** Return the index of a training's latest checkpoint at or before a training step. @param {Training} training @param {number} step */
export const placeAt = ({ reports }, step) =>
  Math.max(
    0,
    reports.findLastIndex((report) => report.step <= step),
  );

/** Return the report of the shown checkpoint. @param {Studio} studio @param {Name} name @returns {Report | undefined} */
export const reportOf = (studio, name) => {
  const training = trainingOf(studio, name);
  return training.reports[placeAt(training, stepOf(studio))];
};

/** Return whether a training is waiting or running. @param {{state: Training["state"]}} training */
export const isGoing = ({ state }) => state === "waiting" || state === "running";

/** Return whether any training on the page is waiting or running. @param {Studio} studio */
export const isBusy = (studio) => namesOf(studio).some((name) => isGoing(trainingOf(studio, name)));

/**
 * Return the view state of a page that shows the first checkpoint.
 * @param {Pick<Studio, "cells" | "at" | "trainings" | "linear" | "goal">} own the fields that depend on the page
 * @returns {Studio}
 */
export const newStudio = (own) => ({ place: 0, watching: false, pace: 10, message: "", ...own });

/** Return a training without checkpoints. @param {string} id @param {Recipe} recipe @param {readonly Report[]} [twin] @returns {Training} */
export const newTraining = (id, recipe, twin = []) => ({
  id,
  recipe,
  state: "waiting",
  place: 0,
  why: "",
  reports: [],
  start: null,
  read: "",
  tapes: [],
  twin,
});

/**
 * Replace the training of a cell.
 * @param {Studio} studio @param {Name} name @param {Training} training
 */
export const put = (studio, name, training) => ({ ...studio, trainings: { ...studio.trainings, [name]: training } });

/**
 * Add newly arrived `reports` to a training, and set the fields that `news` changes.
 * @param {Studio} studio @param {Name} name @param {string} id of the training; if the cell has another training by now, ignore the news
 * @param {Partial<Training>} news @param {readonly Report[]} [reports]
 */
export function receive(studio, name, id, news, reports = []) {
  const training = trainingOf(studio, name);
  if (training.id !== id) return studio;
  // A training that branched from another one already has its first reports.
  const last = training.reports.at(-1)?.step ?? -1;
  const more = reports.filter(({ step }) => step > last);
  const all = more.length ? [...training.reports, ...more] : training.reports;
  return seek(put(studio, name, { ...training, ...news, reports: all }));
}

/** Show the checkpoint of the training step `goal` or, if it has not arrived, the latest checkpoint before it. @param {Studio} studio */
const seek = (studio) =>
  show(studio.goal === null ? studio : { ...studio, place: placeAt(longest(studio), studio.goal) });

/** Go to the checkpoint at a training step. @param {Studio} studio @param {number} step */
export const goToStep = (studio, step) => seek({ ...studio, goal: step });

/**
 * Add the runs of checkpoints over the sequence.
 * @param {Studio} studio @param {Name} name @param {string} id @param {string} read
 * @param {Start} start @param {readonly Tape[]} tapes
 */
export function read(studio, name, id, read, start, tapes) {
  const training = trainingOf(studio, name);
  if (training.id !== id) return studio;
  const before = training.read === read ? training.tapes : [];
  return show(put(studio, name, { ...training, start, read, tapes: [...before, ...tapes] }));
}

/** Go to a checkpoint by its place, or to the nearest one that exists. @param {Studio} studio @param {number} place */
export function goToPlace(studio, place) {
  const nearest = Math.max(0, Math.min(place, longest(studio).reports.length - 1));
  return nearest === studio.place && studio.goal === null ? studio : show({ ...studio, place: nearest, goal: null });
}

/**
 * Start or stop playing the checkpoints. At the end of the training, start again from the first checkpoint.
 * @param {Studio} studio @param {boolean} watching
 */
export function watch(studio, watching) {
  const atEnd = studio.place >= longest(studio).reports.length - 1 && !isBusy(studio);
  return { ...(watching && atEnd ? goToPlace(studio, 0) : studio), watching, goal: watching ? null : studio.goal };
}

/** Go forward by some checkpoints, up to the last one that has arrived. Playing stops at the end. @param {Studio} studio @param {number} places */
export function tickBy(studio, places) {
  const moved = goToPlace(studio, studio.place + places);
  const atEnd = moved.place >= longest(moved).reports.length - 1 && !isBusy(moved);
  return atEnd ? { ...moved, watching: false } : moved;
}

/** Set how many checkpoints are played per second. @param {Studio} studio @param {number} pace */
export const setPace = (studio, pace) => ({ ...studio, pace });

/** Show a message. @param {Studio} studio @param {string} message */
export const setMessage = (studio, message) => (message === studio.message ? studio : { ...studio, message });

/** Put the run of the shown checkpoint on each cell's tape. @param {Studio} studio @returns {Studio} */
function show(studio) {
  const cells = { ...studio.cells };
  const step = stepOf(studio);
  for (const name of namesOf(studio)) {
    const training = trainingOf(studio, name);
    const at = Math.min(placeAt(training, step), training.tapes.length - 1);
    if (at < 0 || !training.start) continue;
    const { run: before } = cells[name];
    if (shownOf.get(before) === training.tapes[at]) continue;
    const run = runAt(training, at);
    cells[name] = withRun(cells[name], run);
  }
  return { ...studio, cells };
}

/** The tape from which each run was made. @type {WeakMap<Run, Tape>} */
const shownOf = new WeakMap();

/** @param {State} state @param {Run} run */
function withRun(state, run) {
  const step = Math.max(1, Math.min(state.step, run.T));
  const shown = change(state, { run, received: run.T, step, details: {} });
  return lookAt(shown, Math.min(shown.unit, layerOf(shown).H - 1));
}

/**
 * Return the run of a checkpoint, with the run of the first checkpoint as the original run.
 * @param {Training} training @param {number} at
 */
function runAt({ id, start, tapes, reports }, at) {
  const from = /** @type {Start} */ (start);
  const run = newRun({ ...from, model: `${id}@${reports[at].step}`, twin: at > 0 }, { clamps: [], weights: [] });
  const [{ H }] = from.layers;
  const [layer] = run.layers;
  const { columns, T } = run;
  for (const [signal, values] of Object.entries(tapes[at].signals)) layer.rows[signal] = rows(values, H, T, columns);
  const K = from.y.labels.length;
  const inUnit = (/** @type {Tape} */ { numbers }) => (numbers ? rows(numbers, K, T, columns)[0] : undefined);
  run.outputs = rows(tapes[at].y, K, T, columns);
  run.numbers["number.y"] = inUnit(tapes[at]);
  if (at > 0) {
    run.twinOutputs = rows(tapes[0].y, K, T, columns);
    run.gaps = differences(run.outputs, run.twinOutputs);
    const [number, twin] = [inUnit(tapes[at]), inUnit(tapes[0])];
    if (number && twin)
      Object.assign(run.numbers, { "number.twin.y": twin, "number.delta.y": differences([number], [twin])[0] });
  }
  shownOf.set(run, tapes[at]);
  return run;
}

/** Return the values of `rows` minus the values of `others`. @param {Rows} rows @param {Rows} others @returns {Rows} */
const differences = (rows, others) => rows.map((row, k) => row.map((value, column) => value - others[k][column]));

/**
 * Return the values `(T × H)` as H rows, with NaN in the columns after T.
 * @param {Float32Array} values @param {number} H @param {number} T @param {number} columns
 */
export const rows = (values, H, T, columns) =>
  Array.from({ length: H }, (_, unit) => {
    const row = new Float64Array(columns).fill(NaN);
    for (let column = 0; column < T; column++) row[column] = values[column * H + unit];
    return row;
  });
