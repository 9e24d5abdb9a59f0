/** Runs the network with the visitor's gates. */

import { postJson } from "../server.js";

const LEAST = 3; // decimals: with these the equation adds up at almost every letter, so that their number does not change

/** @typedef {{z: number, r: number}} Gates the visitor's gates at a letter */
/**
 * A run with the visitor's `gates` at the first letters. The other rows have a value for each letter: the memory h, the candidate, the
 * network's answer, the correct answer, and the gates and answers of the network when it sets its gates itself. `decimals` is the number of decimals that the equation of
 * the last of these letters needs.
 * @typedef {{gates: readonly Gates[], h: number[], candidate: number[], answers: string[], right: string[], ownZ: number[],
 *            ownR: number[], ownAnswers: string[], decimals: number}} Played
 */

/**
 * Run the network over all letters, with the visitor's gates as clamps. If the network's own run is `hidden`, the server does not
 * send it: against the same sequence, the visitor's run comes in its place.
 * @param {string} model
 * @param {readonly string[]} letters
 * @param {readonly Gates[]} gates
 * @param {boolean} hidden
 * @returns {Promise<Played>}
 */
export async function play(model, letters, gates, hidden) {
  const clamps = gates.flatMap(({ z, r }, at) =>
    Object.entries({ z, r }).map(([gate, value]) => ({ gate, from: at + 1, to: at + 1, value })),
  );
  const sequence = letters.join(" ");
  const body = { model, sequence, clamps, equations: { layer: 1, unit: 1 }, against: hidden ? sequence : null };
  const run = await postJson("api/trace", body);
  const [layer] = run.layers;
  const only = (/** @type {string} */ name) => layer[name].map((/** @type {number[]} */ [value]) => value);
  const answersOf = (/** @type {number[][]} */ y) => y.map((row) => run.y.labels[row.indexOf(Math.max(...row))]);
  return {
    gates,
    h: only("h"),
    candidate: only("h_tilde"),
    answers: answersOf(run.y.values),
    right: run.right.map((/** @type {number} */ place) => run.y.labels[place - 1]),
    ownZ: only("twin.z"),
    ownR: only("twin.r"),
    ownAnswers: answersOf(run["twin.y"]),
    decimals: Math.max(LEAST, (run.equations[gates.length - 1].decimals["h.value"] ?? [LEAST])[0] ?? 4),
  };
}
