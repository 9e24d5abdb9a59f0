/** Runs the network with the visitor's gates. */

/** @import { Gates, Played } from "./main.js" */
import { postJson } from "../server.js";

/**
 * Run the network over all letters, with the visitor's gates held at the first of them. If the network's own run is `hidden`, the
 * server does not send it: a run against the same sequence is the visitor's run again.
 * @param {string} model
 * @param {string[]} letters
 * @param {Gates[]} gates
 * @param {boolean} hidden
 * @returns {Promise<Played>}
 */
export async function play(model, letters, gates, hidden) {
  const clamps = gates.flatMap((values, at) =>
    ["z", "r"].map((gate) => ({ gate, from: at + 1, to: at + 1, value: values[/** @type {"z" | "r"} */ (gate)] })),
  );
  const sequence = letters.join(" ");
  const body = { model, sequence, clamps, equations: { layer: 1, unit: 1 }, against: hidden ? sequence : null };
  const run = await postJson("api/trace", body);
  const [layer] = run.layers;
  const only = (/** @type {number[][]} */ rows) => rows.map(([value]) => value);
  const answersOf = (/** @type {number[][]} */ y) => y.map((row) => run.y.labels[row.indexOf(Math.max(...row))]);
  const { decimals } = run.equations[gates.length - 1];
  return {
    h: only(layer.h),
    candidate: only(layer.h_tilde),
    answers: answersOf(run.y.values),
    right: run.right.map((/** @type {number} */ place) => run.y.labels[place - 1]),
    twinZ: only(layer["twin.z"]),
    twinAnswers: answersOf(run["twin.y"]),
    decimals: (decimals["h.value"] ?? [2])[0] ?? 4,
  };
}
