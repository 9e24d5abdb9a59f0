/**
 * The core's description of each cell: its signals in order, its gates, and everything that can be clamped. Views that work for
 * every cell use these lists. Code for a single cell is in the cell's folder, for example gru/.
 */

/** @import { Gate, Held, Signal } from "./run.js" */
/** @import { ModelEntry } from "./state.js" */
import { boot } from "./boot.js";

/**
 * The description of a signal. `words` is the signal's name in words. `lowest` and `highest` are the ends of its scale; `low` and
 * `high` describe these ends in words.
 * @typedef {{name: Signal, symbol: string, words: string, low: string, high: string, lowest: number, highest: number}} SignalEntry
 */
/**
 * The description of a cell. `gates` are the signals that are computed from a sum W x + U h + b; only the sums of `recurrent` gates
 * have the term U h. `functions` has the function that each gate applies to its sum, or null if the gate equals its sum. `parts`
 * names the products in the equations, in the order in which the server sends them. `holds` has the lowest and the highest value of
 * everything that can be clamped. `key_gate` is the gate that is selected at first: the gate that keeps the old state, or the only
 * gate. `chrono`: whether the cell supports chrono initialization.
 * @typedef {{title: string, signals: SignalEntry[], gates: Gate[], recurrent: Gate[], parts: string[], functions: Record<Gate, "σ" | "tanh" | null>, key_gate: Gate, chrono: boolean, holds: Record<Held, [number, number]>}} CellEntry
 */

/** Return the description of the cell of a layer. @param {{cell: string}} layer */
export const cellOf = ({ cell }) => boot.cells[cell];

/** The first layer of the page's model. Its cell is the page's cell; models with another cell have another page. */
export const pageCell = /** @type {ModelEntry} */ (boot.models.find(({ id }) => id === boot.scenario.model)).layers[0];

/** Return the gate that is selected at first. @param {{cell: string}} layer */
export const firstGate = (layer) => cellOf(layer).key_gate;

/** @param {(cell: CellEntry) => string[]} names @returns {readonly string[]} */
const ofAll = (names) => [...new Set(Object.values(boot.cells).flatMap(names))];

/** The names of the signals of all cells. */
export const SIGNALS = ofAll(({ signals }) => signals.map(({ name }) => name));

/** The gates of all cells. */
export const GATES = ofAll(({ gates }) => gates);

/** The names of all values that can be clamped, in all cells. */
export const HELD = ofAll(({ holds }) => Object.keys(holds));

/** Return the signal of a previous state, for example "h" for "h_prev"; null for the name of a gate. @param {Held} name */
export const earlier = (name) => (name.endsWith("_prev") ? name.slice(0, -"_prev".length) : null);

/** Return the entry of a signal: its symbol, its name in words and its scale. @param {{cell: string}} layer @param {Signal} name @returns {SignalEntry} */
export function entryOf(layer, name) {
  const entry = cellOf(layer).signals.find((signal) => signal.name === name);
  if (!entry) throw new Error(`${layer.cell} has no ${name}`);
  return entry;
}

/** Return the function that a gate applies to its sum; null if the gate equals its sum. @param {{cell: string}} layer @param {Gate} gate */
export const functionOf = (layer, gate) => cellOf(layer).functions[gate];

/**
 * Return the signal that carries the memory of the cell. The core computes the contributions to this signal.
 * @param {{cell: string}} layer
 * @returns {"h" | "c"}
 */
export const memoryOf = (layer) => (cellOf(layer).signals.some(({ name }) => name === "c") ? "c" : "h");

/** Return the symbol of a signal, or of a previous state, such as "previous h". @param {{cell: string}} layer @param {Signal | Held} name */
export function symbolOf(layer, name) {
  const before = earlier(name);
  const { symbol } = entryOf(layer, before ?? name);
  return before ? `previous ${symbol}` : symbol;
}
