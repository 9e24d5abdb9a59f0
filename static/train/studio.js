/**
 * The view state of the training page: for each cell its training as far as it has come, and which of its checkpoints
 * is shown. The state of each cell is the lab's, its run that of the checkpoint.
 */

/** @import { Recipe } from "../boot.js" */
/** @import { Cells, Name } from "../facets.js" */
/** @import { Run, Start } from "../run.js" */
/** @import { State } from "../state.js" */
/**
 * A checkpoint's report, as gru_core/training/checkpoints.py has it. What moved: gate, part, what it meets, unit, then and now.
 * @typedef {[string, string, string, number, number, number]} Move
 * @typedef {{step: number, losses: number[], rate: number, score: number, good_at: number | null, lags: number[],
 *            gates: Record<string, number>, moved: Move[], said: string[]}} Report
 */
/** What a checkpoint makes of the sequence: `(T × H)` by signal, and `(T × K)`. @typedef {{signals: Record<string, Float32Array>, y: Float32Array}} Tape */
/**
 * `start` is that of the runs that `tapes` are of: of the sequence `read`, one for each report, or fewer. `why` says why it
 * ended early. `twin` are the reports of the training that it was forked from.
 * @typedef {{id: string, recipe: Recipe, state: "waiting" | "running" | "done" | "stopped" | "failed", place: number,
 *            why: string, reports: readonly Report[], start: Start | null, read: string, tapes: readonly Tape[],
 *            twin: readonly Report[]}} Training
 */
/**
 * `place` is that of the checkpoint that is shown, from 0. While `watching` it goes on by itself, `pace` of them a second.
 * `linear`: whether the network answers with numbers, so that its score is an error. `goal` is the step that is wanted until something else is: its checkpoint may yet have to come. `message` says what went wrong.
 * @typedef {Cells & {trainings: Partial<Record<Name, Training>>, place: number, linear: boolean, goal: number | null, watching: boolean,
 *            pace: number, message: string}} Studio
 */
import { NAMES } from "../facets.js";
import { newRun } from "../run.js";
import { change, layerOf, lookAt } from "../state.js";

/** Return the cells of the page. @param {Studio} studio */
export const namesOf = ({ trainings }) => NAMES.filter((name) => trainings[name]);

/** @param {Studio} studio @param {Name} name @returns {Training} */
export const trainingOf = ({ trainings }, name) => /** @type {Training} */ (trainings[name]);

/** Return the training with the most checkpoints: its steps are those of the slider. @param {Studio} studio @returns {Training} */
export function longest(studio) {
  const all = namesOf(studio).map((name) => trainingOf(studio, name));
  return all.reduce((most, training) => (training.reports.length > most.reports.length ? training : most));
}

/** Return the step that is shown. @param {Studio} studio */
export const stepOf = (studio) => longest(studio).reports[studio.place]?.step ?? 0;

/** Return the place of a training's latest checkpoint at a step, or before it. @param {Training} training @param {number} step */
export const placeAt = ({ reports }, step) =>
  Math.max(
    0,
    reports.findLastIndex((report) => report.step <= step),
  );

/** Return the report of the checkpoint that is shown. @param {Studio} studio @param {Name} name @returns {Report | undefined} */
export const reportOf = (studio, name) => {
  const training = trainingOf(studio, name);
  return training.reports[placeAt(training, stepOf(studio))];
};

/** Return whether a training waits or runs. @param {{state: Training["state"]}} training */
export const isGoing = ({ state }) => state === "waiting" || state === "running";

/** Return whether something is still being computed. @param {Studio} studio */
export const isBusy = (studio) => namesOf(studio).some((name) => isGoing(trainingOf(studio, name)));

/** @param {string} id @param {Recipe} recipe @param {readonly Report[]} [twin] @returns {Training} */
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
 * Give a cell another training. Its first checkpoints arrive at once.
 * @param {Studio} studio @param {Name} name @param {Training} training
 */
export const put = (studio, name, training) => ({ ...studio, trainings: { ...studio.trainings, [name]: training } });

/**
 * Add what has arrived of a training.
 * @param {Studio} studio @param {Name} name @param {string} id of which; of one that was replaced nothing is wanted any more
 * @param {Partial<Training>} news @param {readonly Report[]} [reports]
 */
export function receive(studio, name, id, news, reports = []) {
  const training = trainingOf(studio, name);
  if (training.id !== id) return studio;
  // Of one that goes on from where another was, the first are there.
  const last = training.reports.at(-1)?.step ?? -1;
  const more = reports.filter(({ step }) => step > last);
  const all = more.length ? [...training.reports, ...more] : training.reports;
  return seek(put(studio, name, { ...training, ...news, reports: all }));
}

/** Show the checkpoint that is wanted, as far as it has come. @param {Studio} studio */
const seek = (studio) =>
  show(studio.goal === null ? studio : { ...studio, place: placeAt(longest(studio), studio.goal) });

/** @param {Studio} studio @param {number} step */
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

/** @param {Studio} studio @param {number} place */
export function goToPlace(studio, place) {
  const nearest = Math.max(0, Math.min(place, longest(studio).reports.length - 1));
  return nearest === studio.place && studio.goal === null ? studio : show({ ...studio, place: nearest, goal: null });
}

/** @param {Studio} studio @param {boolean} watching from the start again when the end has been reached */
export function watch(studio, watching) {
  const atEnd = studio.place >= longest(studio).reports.length - 1 && !isBusy(studio);
  return { ...(watching && atEnd ? goToPlace(studio, 0) : studio), watching, goal: watching ? null : studio.goal };
}

/** Go some checkpoints on, as far as they have arrived; watching stops at the end. @param {Studio} studio @param {number} places */
export function tickBy(studio, places) {
  const moved = goToPlace(studio, studio.place + places);
  const atEnd = moved.place >= longest(moved).reports.length - 1 && !isBusy(moved);
  return atEnd ? { ...moved, watching: false } : moved;
}

/** @param {Studio} studio @param {number} pace */
export const setPace = (studio, pace) => ({ ...studio, pace });

/** @param {Studio} studio @param {string} message */
export const setMessage = (studio, message) => (message === studio.message ? studio : { ...studio, message });

/** Put the checkpoint that is shown on each cell's tape. @param {Studio} studio @returns {Studio} */
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

/** The tape that a run was made of. @type {WeakMap<Run, Tape>} */
const shownOf = new WeakMap();

/** @param {State} state @param {Run} run */
function withRun(state, run) {
  const step = Math.max(1, Math.min(state.step, run.T));
  const shown = change(state, { run, received: run.T, step, details: {} });
  return lookAt(shown, Math.min(shown.unit, layerOf(shown).H - 1));
}

/** Return a checkpoint's run, with that of the first checkpoint for a twin. @param {Training} training @param {number} at */
function runAt({ id, start, tapes, reports }, at) {
  const from = /** @type {Start} */ (start);
  const run = newRun({ ...from, model: `${id}@${reports[at].step}`, twin: at > 0 }, { clamps: [], weights: [] });
  const [{ H }] = from.layers;
  const [layer] = run.layers;
  const { columns, T } = run;
  for (const [signal, values] of Object.entries(tapes[at].signals)) layer.rows[signal] = rows(values, H, T, columns);
  run.outputs = rows(tapes[at].y, from.y.labels.length, T, columns);
  if (at > 0) {
    run.twinOutputs = rows(tapes[0].y, from.y.labels.length, T, columns);
    run.gaps = run.outputs.map((row, k) => row.map((value, column) => value - run.twinOutputs[k][column]));
  }
  shownOf.set(run, tapes[at]);
  return run;
}

/** Return `(T × H)` as a row for each of H. @param {Float32Array} values @param {number} H @param {number} T @param {number} columns */
export const rows = (values, H, T, columns) =>
  Array.from({ length: H }, (_, unit) => {
    const row = new Float64Array(columns).fill(NaN);
    for (let column = 0; column < T; column++) row[column] = values[column * H + unit];
    return row;
  });
