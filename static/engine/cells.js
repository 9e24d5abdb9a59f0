/**
 * The equations of the cells, one timestep at a time, in float64. gru_core/cells has the same equations for NumPy, and
 * tests/unit/engine.test.js compares the two.
 *
 * GRU       r = σ(W_r x + U_r h + b_r)                  z = σ(W_z x + U_z h + b_z)
 *           h̃ = tanh(W_h x + U_h (r ⊙ h) + b_h)         reset "before"
 *           h̃ = tanh(W_h x + b_h + r ⊙ (U_h h + c_h))   reset "after"
 *           h ← (1 − z) ⊙ h + z ⊙ h̃
 * LSTM      i, f, o = σ(W x + U h + b)                  c̃ = tanh(W_c x + U_c h + b_c)
 *           c ← f ⊙ c + i ⊙ c̃                           h ← o ⊙ tanh(c)
 * RNN       h ← tanh(W x + U h + b)
 * minGRU    z = σ(W_z x + b_z)     h̃ = W_h x + b_h      h ← (1 − z) ⊙ h + z ⊙ h̃
 *
 * A clamped value replaces the computed value at once, so later equations use the clamped value.
 */

/** @typedef {Float64Array<ArrayBuffer>} Vector */
/**
 * A layer: its weights by gate. `W` has H × I numbers for each gate, and `U` H × H for each gate that reads the old state. `c` is
 * the GRU's second bias of the candidate, and null if its reset gate acts before the product. `title` is the name of the cell on
 * the page, and `holds` has the lowest and the highest value of each signal that can be clamped. The last `backward` units read the
 * sequence from its end: see directions.js.
 * @typedef {{cell: string, H: number, I: number, title: string, holds: Record<string, [number, number]>, W: Record<string, Vector>,
 *            U: Record<string, Vector>, b: Record<string, Vector>, c: Vector | null, backward: number}} Layer
 */
/** The clamped values by name, with NaN for the units that are not clamped. @typedef {Record<string, Vector>} Held */
/**
 * The values of one timestep: the signals; the terms of the sums, by gate; `h_prev`, the old state, or the clamped value in its
 * place; `computed`, the values without clamps, for each name that is clamped at any timestep of the run; and `before`, the state
 * that the previous timestep left.
 * @typedef {{signals: Record<string, Vector>, Wx: Record<string, Vector>, Uh: Record<string, Vector>, h_prev: Vector,
 *            computed: Record<string, Vector>, half_life: Vector | null, before: Record<string, Vector>, x: Vector}} Values
 */
/**
 * The definition of a cell. `functions` has the function that each gate applies to its sum, or null if the gate equals its sum.
 * `carried` names the signals that a timestep passes on to the next. `skip` has the values to clamp at a timestep that the network
 * skips. `mixture` is null if no state is a mixture. `reset` is the gate with a sum in which r multiplies the old state, and `output`
 * is the gate that multiplies tanh(c) to give h; most cells have neither.
 * @typedef {{signals: string[], functions: Record<string, "σ" | "tanh" | null>, recurrent: string[], carried: string[],
 *            skip: Record<string, number>, mixture: Mixture | null, reset?: string, output?: string,
 *            step: (layer: Layer, values: Values, held: Held, skipped: boolean) => void}} CellEquations
 */
/**
 * A state that mixes its old value and a candidate: `state` = keep ⊙ old + take ⊙ candidate. `terms` returns the four values of unit
 * k. `clamped` is the name under which the state is clamped: its old value, or the state itself.
 * @typedef {{state: string, clamped: string,
 *            terms: (values: Values, k: number) => {keep: number, old: number, take: number, candidate: number}}} Mixture
 */

/** Return a vector with f(i) at index i. @param {number} n @param {(i: number) => number} f @returns {Vector} */
export function vector(n, f) {
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = f(i);
  return values;
}

/** Return the product of a matrix and a vector. @param {Vector} matrix its rows one after another @param {Vector} v @returns {Vector} */
export function product(matrix, v) {
  const n = v.length;
  return vector(matrix.length / n, (i) => {
    let sum = 0;
    for (let j = 0, at = i * n; j < n; j++, at++) sum += matrix[at] * v[j];
    return sum;
  });
}

/** @param {number} a */
const σ = (a) => 1 / (1 + Math.exp(-a));

/** Apply a gate's function to its sum. @param {"σ" | "tanh" | null} name @param {number} a */
export const squash = (name, a) => (name === "σ" ? σ(a) : name === "tanh" ? Math.tanh(a) : a);

/** Return the number of timesteps after which half of a state is left, if each timestep removes the share `lost`. @param {number} lost */
export const halfLife = (lost) => Math.LN2 / Math.abs(Math.log1p(-lost));

/**
 * Return the values of the signal `name`: the clamped value for each clamped unit, and the computed value for every other unit. If
 * `held` has this name, store the computed values of all units in `values.computed`.
 * @param {Values} values @param {Held} held @param {string} name @param {Vector} computed
 */
function settle(values, held, name, computed) {
  const replaced = held[name];
  if (!replaced) return computed;
  values.computed[name] = computed;
  return vector(computed.length, (i) => (Number.isNaN(replaced[i]) ? computed[i] : replaced[i]));
}

/** Compute a gate from its sum. @param {Layer} layer @param {Values} values @param {Held} held @param {string} gate */
function open({ cell, H, b }, values, held, gate) {
  const name = CELLS[cell].functions[gate];
  const [Wx, Uh, bias] = [values.Wx[gate], values.Uh[gate], b[gate]];
  const computed = vector(H, (i) => squash(name, Wx[i] + (Uh ? Uh[i] : 0) + bias[i]));
  values.signals[gate] = settle(values, held, gate, computed);
}

/** Compute h as a mix of the old state and the candidate. @param {Values} values */
function mix({ signals, h_prev }) {
  const { z, h_tilde } = signals;
  signals.h = vector(z.length, (i) => (1 - z[i]) * h_prev[i] + z[i] * h_tilde[i]);
}

/** The mixture of a cell with an update gate. @type {Mixture} */
const UPDATED = {
  state: "h",
  clamped: "h_prev",
  terms: ({ signals: { z, h_tilde }, h_prev }, k) => ({
    keep: 1 - z[k],
    old: h_prev[k],
    take: z[k],
    candidate: h_tilde[k],
  }),
};

/** @type {Record<string, CellEquations>} */
export const CELLS = {
  gru: {
    signals: ["r", "z", "h_tilde", "h"],
    functions: { r: "σ", z: "σ", h_tilde: "tanh" },
    recurrent: ["r", "z", "h_tilde"],
    carried: ["h"],
    skip: { z: 0 },
    mixture: UPDATED,
    reset: "h_tilde",
    step(layer, values, held) {
      const { H, U, c } = layer;
      const h = (values.h_prev = settle(values, held, "h_prev", values.before.h));
      for (const gate of ["r", "z"]) {
        values.Uh[gate] = product(U[gate], h);
        open(layer, values, held, gate);
      }
      const { r, z } = values.signals;
      if (c) {
        const Uh = product(U.h_tilde, h);
        values.Uh.h_tilde = vector(H, (i) => r[i] * (Uh[i] + c[i]));
      } else
        values.Uh.h_tilde = product(
          U.h_tilde,
          vector(H, (i) => r[i] * h[i]),
        );
      open(layer, values, held, "h_tilde");
      mix(values);
      values.half_life = z.map(halfLife);
    },
  },
  lstm: {
    signals: ["i", "f", "o", "c_tilde", "c", "h"],
    functions: { i: "σ", f: "σ", c_tilde: "tanh", o: "σ" },
    recurrent: ["i", "f", "c_tilde", "o"],
    carried: ["h", "c"],
    skip: { i: 0, f: 1, h: 0 },
    mixture: {
      state: "c",
      clamped: "c",
      terms: ({ signals: { f, i, c_tilde }, before: { c } }, k) => ({
        keep: f[k],
        old: c[k],
        take: i[k],
        candidate: c_tilde[k],
      }),
    },
    output: "o",
    step(layer, values, held, skipped) {
      const { H, U } = layer;
      for (const gate of CELLS.lstm.recurrent) {
        values.Uh[gate] = product(U[gate], values.h_prev);
        open(layer, values, held, gate);
      }
      const { signals, before } = values;
      const { i, f, o, c_tilde } = signals;
      const c = vector(H, (k) => f[k] * before.c[k] + i[k] * c_tilde[k]);
      signals.c = settle(values, held, "c", c);
      const h = vector(H, (k) => o[k] * Math.tanh(signals.c[k]));
      signals.h = settle(values, held, "h", h);
      if (skipped) signals.h = before.h;
      values.half_life = f.map((share) => Math.LN2 / Math.abs(Math.log(share)));
    },
  },
  rnn: {
    signals: ["h"],
    functions: { h: "tanh" },
    recurrent: ["h"],
    carried: ["h"],
    skip: { h: 0 },
    mixture: null,
    step(layer, values, held, skipped) {
      values.Uh.h = product(layer.U.h, values.h_prev);
      open(layer, values, held, "h");
      if (skipped) values.signals.h = values.before.h;
    },
  },
  mingru: {
    signals: ["z", "h_tilde", "h"],
    functions: { z: "σ", h_tilde: null },
    recurrent: [],
    carried: ["h"],
    skip: { z: 0 },
    mixture: UPDATED,
    step(layer, values, held) {
      values.h_prev = settle(values, held, "h_prev", values.before.h);
      for (const gate of ["z", "h_tilde"]) open(layer, values, held, gate);
      mix(values);
      values.half_life = values.signals.z.map(halfLife);
    },
  },
};

/** Return the gates of a cell, in the order of their blocks of rows in W. @param {string} cell */
export const gatesOf = (cell) => Object.keys(CELLS[cell].functions);

/**
 * Run one timestep of a layer.
 * @param {Layer} layer
 * @param {Vector} x the input
 * @param {Record<string, Vector>} before the carried signals of the previous timestep
 * @param {Held} held
 * @param {boolean} skipped whether the network skips the timestep, so that its state does not change
 * @returns {Values}
 */
export function step(layer, x, before, held, skipped) {
  const Wx = Object.fromEntries(gatesOf(layer.cell).map((gate) => [gate, product(layer.W[gate], x)]));
  /** @type {Values} */
  const values = { signals: {}, Wx, Uh: {}, h_prev: before.h, computed: {}, half_life: null, before, x };
  CELLS[layer.cell].step(layer, values, held, skipped);
  return values;
}
