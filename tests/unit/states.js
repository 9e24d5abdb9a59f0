/** Runs and states for tests: the page's first run, and small runs with given numbers. */
import { boot } from "../../static/boot.js";
import { finish, newRun, putStep } from "../../static/run.js";
import { FOCUS } from "../../static/state.js";
import { parseEvents } from "../../static/events.js";
import { drawnData, events } from "./page.js";

/** Return the page's first run with all its timesteps. */
export const firstRun = () => readRun(events);

/** Return the complete run that `events` describe. */
function readRun(events, clamps = []) {
  const [start, ...rest] = events.map(({ data }) => data);
  const run = newRun(start, { clamps, weights: [] });
  for (const step of rest.slice(0, -1)) putStep(run, step);
  finish(run, rest.at(-1));
  return run;
}

/** Return a page state for every unit and timestep of every random run, with the server's answers in `details`. */
export const drawnStates = () =>
  drawnData.flatMap(({ clamps, events, ledgers, sensitivities }) => {
    const run = readRun(parseEvents(events), clamps);
    return sensitivities.flatMap((ofSteps, unit) =>
      ofSteps.map((sensitivity, i) => {
        const whole = { run, layer: 0, unit, from: 1, to: run.T };
        const ledger = ledgers && { ...whole, ...ledgers[unit] };
        const details = { ledger, sensitivity: { ...whole, from: i + 1, to: i + 1, ...sensitivity } };
        return stateOf(run, { step: i + 1, unit, clamps, details });
      }),
    );
  });

/**
 * Return a run of one layer. Each input is A, and each output is A.
 * `rows` has the values of each signal, one row per unit, by the signal names in the server's data. Missing signals are 0. `layer` and
 * `changes` replace defaults.
 */
export function runOf(cell, rows, layer = {}, changes = {}) {
  const { signals, gates } = boot.cells[cell];
  const [first] = Object.values(rows);
  const [H, T] = [first.length, first[0].length];
  const zeros = (length) => Array(length).fill(0);
  const names = [
    ...signals.map(({ name }) => name),
    ...gates.flatMap((gate) => [`Wx.${gate}`, `Uh.${gate}`]),
    "half_life",
  ];
  const b = Object.fromEntries(gates.map((gate) => [gate, zeros(H)]));
  const start = {
    model: "m",
    T,
    tokens: Array(T).fill("A"),
    others: null,
    twin: false,
    x: { labels: ["A"] },
    layers: [{ cell, H, backward_units: 0, reset: "before", b, h0: zeros(2 * H), held: [], ...layer }],
    y: { kind: "softmax", labels: ["A", "B"] },
    right: null,
  };
  const run = {
    ...newRun(start, { clamps: [], weights: [] }),
    outputs: [Array(T).fill(0.9), Array(T).fill(0.1)],
    ...changes,
  };
  run.layers[0].rows = {
    ...Object.fromEntries(names.map((name) => [name, Array.from({ length: H }, () => zeros(T))])),
    ...rows,
  };
  return run;
}

/** Return the page state that shows a complete run. `changes` replace defaults. */
export const stateOf = (run, changes = {}) => ({
  ...FOCUS,
  models: boot.models,
  run,
  received: run.T,
  first: 0,
  details: {},
  ...changes,
});
