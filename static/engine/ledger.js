/**
 * The contributions of all timesteps to a unit's state, as in gru_core/runs/ledger.py. A state that mixes the old state and a
 * candidate, m_t = keep_t m_{t-1} + take_t candidate_t, is
 *
 *     m_t = L_{t,0} s_t + Σ_{k≤t} L_{t,k} candidate_k        L_{t,k} = take_k Π_{k<s≤t} keep_s
 *
 * s_t is the initial state, or the last value at which the state was clamped. For a unit that reads the sequence from its end, row t
 * has the shares of the timesteps k ≥ t.
 */

/** @import { LayerRun } from "./forward.js" */
/** @import { Mixture } from "./cells.js" */
import { CELLS } from "./cells.js";

/**
 * The terms of a unit's state at a timestep: m_t = keep m_{t-1} + take candidate. `old` is the state that the timestep reads. `held`:
 * whether the state is clamped: the state that the timestep reads or, in an LSTM, the state that the timestep leaves.
 * @typedef {ReturnType<Mixture["terms"]> & {held: boolean}} Mixed
 */

/** Return the terms of a unit's state at each timestep, or null if no state is a mixture. @param {LayerRun} run @param {number} unit from 0 @returns {Mixed[] | null} */
export function mixture({ layer, steps, clamps, mask }, unit) {
  const { mixture } = CELLS[layer.cell];
  if (!mixture) return null;
  const own = clamps.filter(({ gate, units }) => gate === mixture.clamped && (units?.includes(unit + 1) ?? true));
  return steps.map((values, t) => {
    const held = mask?.[t] !== false && own.some(({ from, to }) => from <= t + 1 && t + 1 <= (to ?? Infinity));
    return { ...mixture.terms(values, unit), held };
  });
}

/**
 * Return the contributions at the timesteps `from` to `to`, counted from 1. `largest` has the columns of the three largest shares in
 * each row.
 * @param {LayerRun} run @param {Mixed[]} mixed @param {number} unit from 0 @param {number} from @param {number} to
 */
export function shares({ layer: { cell, H, backward }, steps }, mixed, unit, from, to) {
  const { state, clamped } = /** @type {Mixture} */ (CELLS[cell].mixture);
  const after = clamped === state ? 1 : 0; // the timesteps from a clamp to the first state that it sets
  const states = steps.map(({ signals }) => signals[state][unit]);
  if (unit < H - backward) {
    const inOrder = sharesAsRead(after, states, mixed, from, to);
    return { ...inOrder, largest: inOrder.shares.map(largest) };
  }
  const T = mixed.length;
  const read = sharesAsRead(after, states.toReversed(), mixed.toReversed(), T + 1 - to, T + 1 - from);
  const rows = read.shares.toReversed().map(([first, ...rest]) => [first, ...rest.reverse()]);
  return {
    shares: rows,
    largest: rows.map(largest),
    origins: read.origins.toReversed(),
    since: read.since.toReversed().map((t) => (t ? T + 1 - t : 0)),
  };
}

/**
 * Return the contributions of a unit that reads the timesteps in the order of `mixed`.
 * @param {number} after @param {number[]} states @param {Mixed[]} mixed @param {number} from @param {number} to
 */
function sharesAsRead(after, states, mixed, from, to) {
  const T = mixed.length;
  /** @type {number[][]} */
  const rows = [];
  /** @type {[number[], number[]]} */
  const [since, origins] = [[], []];
  let row = new Array(T + 1).fill(0);
  row[0] = 1;
  let start = -1;
  for (let t = 0; t < to; t++) {
    if (mixed[t].held) start = t + after;
    const { keep, take } = mixed[t];
    if (start > t) row = unitRow(T);
    else {
      row = start === t ? unitRow(T) : row.slice();
      for (let k = 0; k <= t; k++) row[k] *= keep;
      row[t + 1] = take;
    }
    if (t < from - 1) continue;
    rows.push(row);
    since.push(start + 1);
    const at = Math.max(0, start);
    origins.push(at < T ? mixed[at].old : states[T - 1]);
  }
  return { shares: rows, origins, since };
}

/** @param {number} T @returns {number[]} */
function unitRow(T) {
  const row = new Array(T + 1).fill(0);
  row[0] = 1;
  return row;
}

/** Return the indices of the three largest numbers, the largest first. @param {number[]} row */
const largest = (row) => [...row.keys()].sort((a, b) => row[b] - row[a] || a - b).slice(0, 3);
