/**
 * Transitions that change the scenario: the model, the sequence, clamps and weights. A transition only changes the view state;
 * actions.js then runs the model. Changes to clamps and weights can be undone.
 */

/** @import { Changes, Clamp, Run, WeightPlace } from "./run.js" */
/** @import { Focus, ModelEntry, Range, State } from "./state.js" */
import { firstGate } from "./cells.js";
import { scenarioOf } from "./run.js";
import { FOCUS, change, chooseLayer, focus, lookAt, toggleView } from "./state.js";
import { currentTheme } from "./theme.js";

/** No changes: the model as it was trained, without clamps. @type {Changes} */
const UNCHANGED = { clamps: [], weights: [], against: "", h0: null, write: null };

/** The part of the view state for a model without changes, with nothing to undo or redo. */
const NOTHING_CHANGED = {
  ...UNCHANGED,
  chosen: null,
  selection: null,
  editing: null,
  altering: null,
  undo: [],
  redo: [],
  difference: false,
};

/**
 * Return the first view state of a page.
 * @param {readonly ModelEntry[]} models
 * @param {{model: string, sequence: string}} scenario
 * @param {{run: Run, received: number}} first the run of the scenario
 * @param {string} error the message beside the sequence box
 * @returns {State}
 */
export const begin = (models, { model, sequence }, first, error) => ({
  ...FOCUS,
  gate: firstGate(first.run.layers[0]),
  ...NOTHING_CHANGED,
  models,
  model,
  text: sequence,
  upto: null,
  ...first,
  error,
  invalid: false,
  playing: false,
  speed: 2,
  theme: currentTheme(),
  first: 0,
  awaited: null,
  details: {},
  brush: null,
  score: null,
  refusals: {},
});

/** Return whether there are clamps or changed weights. @param {Changes} changes */
export const isChanged = ({ clamps, weights }) => clamps.length + weights.length > 0;

/** @param {Changes} changes @returns {Changes} */
const changesOf = ({ clamps, weights, against = "", h0 = null, write = null }) => ({
  clamps,
  weights,
  against,
  h0,
  write,
});

/** @param {Changes} a @param {Changes} b */
const sameChanges = (a, b) => JSON.stringify(changesOf(a)) === JSON.stringify(changesOf(b));

/** Replace the text of the sequence. @param {State} state @param {string} text */
export const write = (state, text) => change(state, { text, upto: null, playing: false, awaited: null });

/** Choose a model. Its first example becomes the sequence. @param {State} state @param {string} model */
export function choose(state, model) {
  const entry = state.models.find(({ id }) => id === model);
  return entry && model !== state.model
    ? change(state, {
        ...NOTHING_CHANGED,
        model,
        text: entry.examples[0] ?? "",
        upto: null,
        playing: false,
        awaited: null,
      })
    : state;
}

/**
 * Follow a link: show its model, its sequence and its changes, and wait for the run unless the tape already shows this run.
 * @param {State} state
 * @param {Changes & {model: string, text: string, focus: Focus, notice: string, upto?: number | null}} link `notice` says which parts could not be used
 * @param {boolean} onTape whether the link's run is already on the tape
 */
export function follow(state, link, onTape) {
  const { model, text, notice, upto = null } = link;
  const changed = change(state, {
    ...NOTHING_CHANGED,
    ...changesOf(link),
    model,
    text,
    upto,
    playing: false,
    error: notice,
    invalid: false,
  });
  return onTape
    ? focus(change(changed, { awaited: null }), link.focus)
    : change(changed, { awaited: { focus: link.focus, notice } });
}

/**
 * Go back to the model, clamps and weights of the run on the tape, because the new scenario cannot be run here. Text that the
 * visitor is typing stays.
 * @param {State} state @param {string} why
 */
export function stay(state, why) {
  const { run, received, model, text, refusals } = state;
  const here = changesOf(run);
  const undo = state.undo.slice(0, 1 + state.undo.findLastIndex((changes) => !sameChanges(changes, here)));
  const reverted = { ...here, undo, chosen: null, playing: false, awaited: null };
  if (model !== run.model)
    return change(state, { ...reverted, error: why, model: run.model, text: scenarioOf(run).sequence });
  if (received === run.T && text === scenarioOf(run).sequence)
    return change(state, { ...reverted, refusals: { ...refusals, changes: why } });
  return change(state, { ...reverted, error: why });
}

/**
 * Change clamps or weights, and store the old ones for undo.
 * @param {State} state
 * @param {Partial<State>} changes
 * @param {string | null} altering names the value that a slider moves: one undo reverts all moves of a slider
 */
function alter(state, changes, altering) {
  const goesOn = altering !== null && altering === state.altering;
  const undo = goesOn ? state.undo : [...state.undo, changesOf(state)];
  return change(state, { ...changes, undo, redo: [], altering, upto: null, playing: false });
}

/**
 * Replace the clamps.
 * @param {State} state
 * @param {readonly Clamp[]} clamps
 * @param {number | null} chosen
 * @param {string | null} [altering] as in `alter`
 */
export const setClamps = (state, clamps, chosen, altering = null) => alter(state, { clamps, chosen }, altering);

/** Clear all clamps, and reset every weight to its trained value. @param {State} state */
export const clearChanges = (state) => alter(state, { clamps: [], weights: [], chosen: null }, null);

/** Compare with a second sequence; "" ends the comparison. @param {State} state @param {string} against */
export const compareWith = (state, against) =>
  alter(state, { against, difference: against !== "" && state.difference }, "against");

/** Set the initial states of the layers; null for zero. @param {State} state @param {Changes["h0"]} h0 */
export const startFrom = (state, h0) => alter(state, { h0 }, "h0");

/** Set how the network writes after the sequence; null to write nothing. @param {State} state @param {Changes["write"]} write */
export const writeOn = (state, write) => alter(state, { write }, "write");

/**
 * Set a weight to `value`; null resets the weight to its trained value.
 * @param {State} state
 * @param {WeightPlace} place
 * @param {number | null} value
 * @param {string | null} [altering] as in `alter`
 */
export function setWeight(state, place, value, altering = null) {
  const key = weightKey(place);
  const others = state.weights.filter((weight) => weightKey(weight) !== key);
  return alter(state, { weights: value === null ? others : [...others, { ...place, value }] }, altering);
}

/** Return the name of a weight in links, such as L2.z.1.W3. @param {WeightPlace} place */
export const weightKey = ({ layer, gate, unit, part, index }) =>
  `${layer === 1 ? "" : `L${layer}.`}${gate}.${unit}.${part}${index ?? ""}`;

/**
 * Open the editor of a weight, and the gate's sum that contains the weight; null closes the editor.
 * @param {State} state
 * @param {WeightPlace | null} editing
 */
export function editWeight(state, editing) {
  if (!editing) return change(state, { editing });
  const { layer, unit, gate } = editing;
  const opened = lookAt(chooseLayer(state, layer - 1), unit - 1);
  return change(state.views.includes("cell") ? opened : toggleView(opened, "cell"), { editing, zoom: "gate", gate });
}

/** Undo the last change. @param {State} state */
export function undo(state) {
  const before = state.undo.at(-1);
  if (!before) return state;
  const [undo, redo] = [state.undo.slice(0, -1), [...state.redo, changesOf(state)]];
  return change(state, { ...before, chosen: null, altering: null, undo, redo });
}

/** Redo the change that was undone last. @param {State} state */
export function redo(state) {
  const after = state.redo.at(-1);
  if (!after) return state;
  const [undo, redo] = [[...state.undo, changesOf(state)], state.redo.slice(0, -1)];
  return change(state, { ...after, chosen: null, altering: null, undo, redo });
}

/**
 * Choose the clamp that the form edits, by index; with null the form describes a new clamp.
 * @param {State} state @param {number | null} chosen
 */
export const chooseClamp = (state, chosen) => change(state, { chosen });

/** Select units and steps in a heatmap, for the next clamp. @param {State} state @param {Range} selection */
export const select = (state, selection) => change(state, { selection, chosen: null });
