/**
 * The view state: everything that decides what the page shows. A state object never changes; a transition returns a new object, or
 * the same object if nothing changes.
 */

/** @import { Changes, Clamp, EquationStep, Gate, Layer, Run, Signal, WeightPlace } from "./run.js" */
/**
 * The entry of a model in the list of models, as the server sends it.
 * @typedef {{id: string, purpose: string, hint: string, alphabet: string[], examples: string[], parameters: number,
 *            layers: {cell: string, units: number, backward_units: number, reset?: string}[], report: string[], drawn: boolean, writes: boolean, vectors: number, handover: string, questions: {ask: string, link: string, why: string}[],
 *            card: {title: string, question: string, weights: string, summary: string,
 *                   training: Record<string, string | number>, measured: Record<string, number>}, confusion: Confusion | null}} ModelEntry
 */
/**
 * A confusion matrix. `shares` has the shares in each row, and `totals` the number of outputs in each row. `mistake` is the place of the
 * largest share of wrong outputs: its row and column, from 0.
 * @typedef {{shares: number[][], totals: number[], mistake: [number, number]}} Confusion
 */
/** @typedef {"light" | "dark"} Theme */
/** @typedef {typeof VIEWS[number]} View a part of the page that can be shown or hidden */
/** @typedef {typeof ZOOMS[number]} Zoom how much of the layer the cell shows */
/** @typedef {typeof CONVENTIONS[number]} Convention the meaning of z = 1: the cell takes the candidate, or keeps the old state */
/** @typedef {typeof SCALES[number]} Scale whether the page shows sensitivities unscaled, or divides each by its largest value */
/** @typedef {string} RowChoice the order of the rows: "all", "moved" (the largest change of the state first), or a name such as "mean.z" */
/** A clamp without its value. @typedef {Omit<Clamp, "value">} Range */
/**
 * The products in the sums of a unit's gates, at some steps: the response of /api/sums; `from` and `to` count from 1. `past` has
 * the vector that U multiplies at each step, if it is not the old state.
 * @typedef {{W: number[], U: number[], b: number, c: number | null}} UnitWeights
 * @typedef {UnitWeights & {Wx: number[][], Uh: number[][], rc: number[] | null, past: number[][] | null, trained: UnitWeights | null}} GateSums
 * @typedef {Stretch & {inputs: string[], gates: Record<Gate, GateSums>}} Sums
 */
/**
 * The results for a unit's equations at some steps: the response of /api/equations.
 * @typedef {Stretch & {steps: EquationStep[]}} Equations
 */
/**
 * The contributions to a unit's states: the response of /api/ledger. `shares` has a row for each step: first the share of the state
 * before the first step, then the share of each step's candidate. `largest` has the indices of the largest shares in that row,
 * largest first. `twin` and `twin_largest` are the same for the original run. For each row, `origins` has the value of the state to
 * which the first share belongs, and `since` the step at which a clamp set this value, or 0 for the initial state.
 * @typedef {Stretch & {shares: number[][], largest: number[][], origins: number[], since: number[],
 *                        twin: number[][] | null, twin_largest: number[][] | null}} Ledger
 */
/**
 * The sensitivities of the output and the state at one step to all steps up to this step: the response of /api/sensitivity. `x_norm` is
 * the output's sensitivity to the input. The output's sensitivity to a gate has the gate's name, for example `z`. `h_unit` is the
 * sensitivity of the unit's h to the earlier states, and `h_gain` the root mean square over all units; an LSTM also has `c_unit` and
 * `c_gain`. `input` and `gate` name the step, and the gate, with the largest sensitivity.
 * @typedef {Stretch & {output: number, x_norm: number[], z?: number[], h_gain: number[], h_unit: number[],
 *            input: {t: number, value: number}, gate: {gate: Gate, unit: number, t: number, value: number} | null}} Sensitivity
 */
/**
 * The effect of leaving out `step` on the state and the output at the cursor: `was` is the value with the step, and `is` the value
 * without it. If the effect is not known, `error` is the reason.
 * @typedef {{step: number, h: {was: number, is: number}, y: {was: string, is: string}}} Outcome
 * @typedef {Stretch & Partial<Record<"memory" | "influence", Outcome | {error: string}>>} Checks
 */
/**
 * The scores of a run's model on held-out data, from /api/score: `changed`, with the run's clamps and weights, and `untouched`,
 * without them. For each clamp, `held` describes the steps of the held-out data at which the clamp was set.
 * @typedef {{run: Run, name: "accuracy" | "squared error", untouched: number, changed: number, sequences: number,
 *            steps: number, held: {at: string}[]}} Score
 */
/** A range of steps of a unit in a run. @typedef {{run: Run, layer: number, unit: number, from: number, to: number}} Stretch */
/**
 * The details that views fetch for the cursor.
 * @typedef {{rows: Stretch, equations: Equations, sums: Sums, ledger: Ledger, sensitivity: Sensitivity, checks: Checks}} Details
 */
/** @typedef {keyof Details} Kind */
/**
 * The part of a request that names the steps: a range of steps, or one step `t` and an output.
 * @typedef {{from: number, to: number} | {t: number, output: number | null} | {}} Steps
 */
/** The selected steps of a signal, for the search for similar moments. @typedef {{signal: Signal, from: number, to: number}} Brush */
/**
 * The position and the settings of a view, as in a link. `rows` is null for the default order of the rows. `FOCUS` has the default
 * values.
 * @typedef {{step: number, layer: number | null, unit: number, views: readonly View[], zoom: Zoom, gate: Gate,
 *            table: Signal, convention: Convention, rows: RowChoice | null, scale: Scale}} Focus
 */
/**
 * The whole view state.
 * - `text` is the text in the sequence box. `clamps` and `weights` are the requested changes. `run` is the run on the tape; the
 *   requested run may not have arrived yet. `received` is the number of steps of `run` that have arrived.
 * - `step` counts from 1, `unit` and `layer` from 0. If `layer` is null, the top layer is selected. `first` is the first visible row.
 * - `upto`: the last step of the run; null without such a limit. A new scenario removes the limit.
 * - `error` is the message beside the sequence box. `invalid`: whether the error is in the text of the box.
 * - `awaited`: the focus that a link sets when its run has arrived, and the notice to show then.
 * - `details` are the details for the cursor. `refusals` has the reasons for failed requests, by kind.
 * - `chosen` is the clamp, and `editing` the weight, that the visitor is changing. `selection` has the cells that the visitor
 *   selected by dragging, for the next clamp; if it is null, the next clamp is for the cursor's cell. `difference`: whether the pictures
 *   show the difference from the run with which the run is compared.
 * - `brush` has the steps of a signal for the search for similar moments; null means the steps at the cursor.
 * - `undo` and `redo` are earlier and later changes. `altering` names the value that a slider has just moved.
 * @typedef {Focus & Changes & {models: readonly ModelEntry[], model: string, text: string, run: Run, received: number, upto: number | null,
 *            error: string, invalid: boolean, playing: boolean, speed: number, theme: Theme, first: number,
 *            chosen: number | null, selection: Range | null, brush: Brush | null, editing: WeightPlace | null, difference: boolean, altering: string | null,
 *            undo: readonly Changes[], redo: readonly Changes[], awaited: {focus: Focus, notice: string} | null,
 *            details: Partial<Details>, score: Score | null, refusals: Partial<Record<Kind | "score" | "changes", string>>}} State
 */

import { SIGNALS, cellOf, firstGate, pageCell } from "./cells.js";
import { isBackward } from "./directions.js";

export const VIEWS = /** @type {const} */ ([
  "tape",
  "words",
  "whatif",
  "cell",
  "equations",
  "memory",
  "influence",
  "alike",
  "table",
]);
export const ZOOMS = /** @type {const} */ (["layer", "unit", "gate"]);
export const CONVENTIONS = /** @type {const} */ (["source", "pytorch"]);
export const SCALES = /** @type {const} */ (["absolute", "normalized"]);
export const ROWS = /** @type {const} */ (["all", "moved"]);
/** The orders of the heatmaps' rows; "mean.z" starts with the units that have the largest mean of z. @type {readonly RowChoice[]} */
export const ORDERS = [...ROWS, ...SIGNALS.map((signal) => `mean.${signal}`)];

/** The focus of a link that has no keys. @type {Focus} */
export const FOCUS = {
  step: 1,
  layer: null,
  unit: 0,
  views: ["tape", "words", "cell", "equations"],
  zoom: "unit",
  gate: firstGate(pageCell),
  table: "h",
  convention: "source",
  rows: null,
  scale: "absolute",
};

/** The most rows of a heatmap that are visible at once. With more units, the rows scroll. */
export const MOST_ROWS = 16;

/** The most units that a layer shows in order by default. With more, the rows start with the units that changed most. */
export const MOST_IN_ORDER = 64;

/**
 * Return a state with some changes.
 * @param {State} state
 * @param {Partial<State>} changes
 * @returns {State} the same object if nothing changes
 */
export function change(state, changes) {
  const same = Object.entries(changes).every(([key, value]) => state[/** @type {keyof State} */ (key)] === value);
  return same ? state : { ...state, ...changes };
}

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.max(low, Math.min(high, value));

/** Return the index of the selected layer. @param {State} state */
export const layerIndex = ({ layer, run }) => within(layer ?? Infinity, 0, run.layers.length - 1);

/** Return the selected layer. @param {State} state @returns {Layer} */
export const layerOf = (state) => state.run.layers[layerIndex(state)];

/**
 * Return the layer and the unit that will be selected when the requested run arrives. Both count from 1.
 * @param {State} state
 */
export function placeToCome({ run, model, models, awaited, layer, unit }) {
  const { layers } = /** @type {ModelEntry} */ (models.find(({ id }) => id === model));
  const place = awaited?.focus ?? (run.model === model ? { layer, unit } : FOCUS);
  const index = within(place.layer ?? Infinity, 0, layers.length - 1);
  return { layer: index + 1, unit: within(place.unit, 0, layers[index].units - 1) + 1 };
}

/** Return the order of the rows: the chosen one, or the default. @param {State} state @returns {RowChoice} */
export const orderOf = (state) => state.rows ?? (layerOf(state).H > MOST_IN_ORDER ? "moved" : "all");

/** The latest order of each layer's units, stored because sorting many units is slow. @type {WeakMap<Layer, {key: string, units: number[]}>} */
const sorted = new WeakMap();

/** Return the units with a row in the heatmaps, in the order of the rows. In a bidirectional layer the backward units come last. @param {State} state @returns {number[]} */
export function unitsInOrder(state) {
  const layer = layerOf(state);
  const order = orderOf(state);
  const key = `${order} ${layer.moved !== null}`;
  const before = sorted.get(layer);
  if (before?.key === key) return before.units;
  const units = Array.from({ length: layer.H }, (_, unit) => unit);
  const values = layer.H > MOST_ROWS ? sortedBy(layer, order) : null;
  const group = (/** @type {number} */ unit) => Number(isBackward(layer, unit));
  if (values) units.sort((a, b) => group(a) - group(b) || values[b] - values[a]);
  sorted.set(layer, { key, units });
  return units;
}

/**
 * Return the numbers, one for each unit, by which the rows are sorted, the largest first. Return null if the rows are in the order of
 * the units, or if the run is not complete yet.
 * @param {Layer} layer @param {RowChoice} order @returns {number[] | null}
 */
function sortedBy({ moved, rows }, order) {
  if (order === "all" || !moved) return null;
  if (order === "moved") return moved;
  const mean = (/** @type {Float64Array | Float32Array} */ row) => {
    let [sum, count] = [0, 0];
    for (const value of row) if (!Number.isNaN(value)) [sum, count] = [sum + value, count + 1];
    return sum / count;
  };
  return rows[order.replace("mean.", "")]?.map(mean) ?? null;
}

/** Return the index of the first visible row. @param {State} state */
export const firstRow = (state) => within(state.first, 0, Math.max(0, layerOf(state).H - MOST_ROWS));

/** Return the units with visible rows. @param {State} state */
export const unitsInSight = (state) => unitsInOrder(state).slice(firstRow(state), firstRow(state) + MOST_ROWS);

/** Return the number of rows in a heatmap, including rows outside the visible part. @param {State} state */
export const rowCount = (state) => unitsInOrder(state).length;

/** Scroll the rows so that the selected unit is visible. @param {State} state */
function inSight(state) {
  const units = unitsInOrder(state);
  const row = Math.max(0, units.indexOf(state.unit));
  const first = within(state.first, Math.max(0, row - MOST_ROWS + 1), row);
  return change(state, { unit: units[row], first: within(first, 0, Math.max(0, units.length - MOST_ROWS)) });
}

/** Add an uploaded model to the list of models. @param {State} state @param {ModelEntry} entry */
export const addModel = (state, entry) =>
  change(state, { models: [...state.models.filter(({ id }) => id !== entry.id), entry] });

/**
 * Show a run when its first steps arrive. If a link requested the run, the cursor goes to the link's place. If the run has another
 * model, the cursor goes to the start. Otherwise the cursor stays; a cursor at the end of the tape stays at the end.
 * @param {State} state
 * @param {Run} run
 * @param {boolean} [isNewest] whether no newer run was requested; if one was, a link's place waits for that run
 */
export function show(state, run, isNewest = true) {
  const awaited = isNewest ? state.awaited : null;
  const shown = change(state, {
    run,
    received: 0,
    error: awaited?.notice ?? "",
    invalid: false,
    awaited: isNewest ? null : state.awaited,
    details: {},
    brush: null,
    score: null,
    refusals: {},
  });
  if (awaited) return focus(shown, awaited.focus);
  if (state.run.model !== run.model) return change(shown, { step: 1, layer: null, unit: 0, first: 0 });
  const atEnd = state.step === state.run.T && state.run.T > 1;
  return change(shown, { step: atEnd ? run.T : within(state.step, 1, run.T) });
}

/**
 * Set the focus of a link. If the run has no such step, layer or unit, use the nearest one.
 * @param {State} state
 * @param {Focus} focus
 */
export function focus(state, focus) {
  const placed = change(state, { ...focus, step: within(focus.step, 1, state.run.T), first: 0 });
  const layer = layerOf(placed);
  const { gates, signals } = cellOf(layer);
  const gate = gates.includes(focus.gate) ? focus.gate : firstGate(layer);
  const table = signals.some(({ name }) => name === focus.table) ? focus.table : "h";
  return fromTheTop(inSight(change(placed, { unit: within(focus.unit, 0, layer.H - 1), gate, table })));
}

/**
 * Show the previous run again, after a new run failed.
 * @param {State} state
 * @param {State} before
 */
export const goBack = (state, { run, received, step, layer, unit, first }) =>
  change(state, { run, received, step, layer, unit, first });

/** Set the number of timesteps that have arrived. @param {State} state @param {number} received */
export const receive = (state, received) => change(state, { received });

/** Mark the run as complete. From then on the rows can be sorted. @param {State} state */
export const complete = (state) => fromTheTop(inSight(change(state, { received: state.run.T })));

/**
 * Move the cursor to the first row, which has the unit that changed most. Do this only in a layer with many units, and only if the
 * visitor has not moved the cursor.
 * @param {State} state
 */
function fromTheTop(state) {
  const untouched = state.rows === null && state.unit === 0 && state.step === 1 && state.received === state.run.T;
  if (!untouched || layerOf(state).H <= MOST_IN_ORDER) return state;
  return change(state, { unit: unitsInOrder(state)[0], first: 0 });
}

/**
 * Show an error about a run, and stop the playback.
 * @param {State} state @param {string} error @param {boolean} invalid whether the error is in the text of the sequence box
 */
export const fail = (state, error, invalid) => change(state, { error, invalid, playing: false, awaited: null });

/** Show a message beside the sequence box. @param {State} state @param {string} error */
export const note = (state, error) => change(state, { error });

/** Move the cursor to a timestep, or to the nearest one that exists. @param {State} state @param {number} step */
export function goTo(state, step) {
  const nearest = within(Math.round(step), 1, state.run.T);
  return nearest === state.step ? state : change(state, { step: nearest, selection: null, chosen: null });
}

/** Move the cursor to a unit, or to the nearest one that exists. @param {State} state @param {number} unit */
export function lookAt(state, unit) {
  const nearest = within(unit, 0, layerOf(state).H - 1);
  return inSight(nearest === state.unit ? state : change(state, { unit: nearest, selection: null, chosen: null }));
}

/** Move the cursor up or down by some rows, in the order of the rows on screen. @param {State} state @param {number} rows */
export function moveRow(state, rows) {
  const units = unitsInOrder(state);
  return lookAt(state, units[within(units.indexOf(state.unit) + rows, 0, units.length - 1)]);
}

/** Scroll the rows. @param {State} state @param {number} first the first row in sight */
export const scrollTo = (state, first) =>
  change(state, { first: within(Math.round(first), 0, Math.max(0, rowCount(state) - MOST_ROWS)) });

/**
 * Choose the order of the rows, and scroll to the first row. If the cursor's row is then out of sight, move the cursor to the first
 * row.
 * @param {State} state @param {RowChoice} rows
 */
export function chooseRows(state, rows) {
  const usual = orderOf(change(state, { rows: null })) === rows;
  const chosen = change(state, { rows: usual ? null : rows, first: 0 });
  const units = unitsInSight(chosen);
  return units.includes(state.unit) ? chosen : lookAt(chosen, units[0]);
}

/** Move the cursor to a layer. @param {State} state @param {number} layer */
export function chooseLayer(state, layer) {
  const top = state.run.layers.length - 1;
  const chosen = change(state, { layer: layer === top ? null : within(layer, 0, top), first: 0 });
  return lookAt(chosen, state.unit);
}

/** Show or hide a view. @param {State} state @param {View} view */
export function toggleView(state, view) {
  const views = VIEWS.filter((other) => (other === view) !== state.views.includes(other));
  return change(state, { views });
}

/** Show a view, and hide all other views except the tape and the narration. @param {State} state @param {View} view */
export const chooseView = (state, view) =>
  change(state, { views: VIEWS.filter((other) => other === "tape" || other === "words" || other === view) });

/** Open the table of numbers. @param {State} state @param {Signal} table the signal that the table shows */
export function openTable(state, table) {
  const views = VIEWS.filter((view) => view === "table" || state.views.includes(view));
  return change(state, { table, views: state.views.includes("table") ? state.views : views });
}

/** Choose the zoom of the cell. @param {State} state @param {Zoom} zoom */
export const setZoom = (state, zoom) => change(state, { zoom });

/** Show the sum of a gate. @param {State} state @param {Gate} gate */
export const openGate = (state, gate) => change(state, { zoom: "gate", gate });

/**
 * Store details that have arrived.
 * @template {Kind} K
 * @param {State} state @param {K} kind @param {Details[K]} detail
 */
export const putDetail = (state, kind, detail) =>
  change(state, { details: { ...state.details, [kind]: detail }, refusals: { ...state.refusals, [kind]: "" } });

/** Store a score, unless it belongs to another run. @param {State} state @param {Score} score */
export const putScore = (state, score) =>
  change(state, score.run === state.run ? { score, refusals: { ...state.refusals, score: "" } } : {});

/** Store why the server refused details or a score. @param {State} state @param {Kind | "score"} kind @param {string} why */
export const failDetail = (state, kind, why) => change(state, { refusals: { ...state.refusals, [kind]: why } });

/**
 * Store how the state and the output at the cursor change if the step that a view names is left out.
 * @param {State} state @param {"memory" | "influence"} view @param {Outcome | {error: string}} outcome
 */
export function putCheck(state, view, outcome) {
  const { run, step, unit } = state;
  const place = { run, layer: layerIndex(state), unit, from: step, to: step };
  return putDetail(state, "checks", { ...detailAt(state, "checks"), ...place, [view]: outcome });
}

/**
 * Return the stored detail of a kind, or null if it is not about the unit and the step at the cursor.
 * @template {Kind} K
 * @param {State} state @param {K} kind
 * @returns {Details[K] | null}
 */
export function detailAt(state, kind) {
  const { run, step, unit } = state;
  const detail = state.details[kind];
  const fit = detail && detail.run === run && detail.layer === layerIndex(state) && detail.unit === unit;
  return fit && detail.from <= step && step <= detail.to ? /** @type {Details[K]} */ (detail) : null;
}

/**
 * Choose whether the heatmaps show the differences from the run with which the run is compared.
 * @param {State} state @param {boolean} difference
 */
export const setDifference = (state, difference) => change(state, { difference });

/** Select steps, and search for similar moments. @param {State} state @param {Brush} brush */
export const setBrush = (state, brush) => change(state, { brush });

/** Choose the scale of the sensitivities. @param {State} state @param {Scale} scale */
export const setScale = (state, scale) => change(state, { scale });

/** Choose the convention for z. @param {State} state @param {Convention} convention */
export const setConvention = (state, convention) => change(state, { convention });

/** Start playing. At the end of the run, start again from the first step. @param {State} state */
export function play(state) {
  return change(state, { playing: true, step: state.step === state.run.T ? 1 : state.step });
}

/** Stop the playback. @param {State} state */
export const pause = (state) => change(state, { playing: false });

/** Play one step, up to the last step that has arrived. Playing stops at the end of the run. @param {State} state */
export function tick(state) {
  const step = Math.max(state.step, Math.min(state.step + 1, state.received));
  return change(state, { step, playing: step < state.run.T });
}

/** Choose the speed of the playback. @param {State} state @param {number} speed steps a second */
export const setSpeed = (state, speed) => change(state, { speed });

/** Choose the theme. @param {State} state @param {Theme} theme */
export const setTheme = (state, theme) => change(state, { theme });
