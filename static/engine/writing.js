/** Writing, as in gru_core/runs/writing.py: after the sequence, the network reads its own outputs as inputs. */

/** @import { Vector } from "./cells.js" */
/** @import { Model } from "./model.js" */
/** @import { Clamp, Writing } from "../run.js" */
import { CELLS } from "./cells.js";
import { encodeToken, maskOf } from "./encoders.js";
import { forward } from "./forward.js";
import { readOut } from "./model.js";
import { randomNumbers } from "./random.js";

const TINY = 2 ** -1022; // the smallest normal number

/** Return whether the outputs of a model can be its next inputs. @param {Model} model */
export function canWrite({ encoder: { kind, alphabet }, layers, readout }) {
  if (layers.some(({ backward }) => backward)) return false;
  if (kind === "scaled") return readout.kind === "linear" && readout.labels.length === 1;
  const unknown = readout.labels.filter((label) => !alphabet.includes(label));
  return ["symbols", "letters"].includes(kind) && readout.kind === "softmax" && unknown.length <= 1;
}

/**
 * Let the network write after the given `tokens`. Return all tokens and inputs, and the mask. If the network writes its end, it skips
 * the remaining timesteps, and their tokens are "".
 * @param {Model} model @param {string[]} tokens @param {Vector[]} x the inputs of these tokens @param {Writing} writing
 * @param {readonly Clamp[]} clamps @param {Record<string, Vector>[] | null} states
 * @returns {{tokens: string[], x: Vector[], mask: boolean[] | null}}
 */
export function written(model, tokens, x, { steps, temperature, seed }, clamps, states) {
  const random = randomNumbers(seed);
  const all = { tokens: [...tokens], x: [...x] };
  const T = tokens.length + steps;
  let [start, state, end] = [0, states, T];
  for (let t = tokens.length; t < T; t++) {
    const part = all.x.slice(start, t);
    const shifted = clamps.map((clamp) => ({ ...clamp, from: clamp.from - start, to: clamp.to && clamp.to - start }));
    const runs = forward(model.layers, part, shifted, state, maskOf(model.encoder, part));
    state = runs.map(({ layer, steps }) => {
      const { signals } = steps[steps.length - 1];
      return Object.fromEntries(CELLS[layer.cell].carried.map((name) => [name, signals[name]]));
    });
    start = t;
    const top = runs[runs.length - 1].steps;
    const token = next(model, readOut(model, top[top.length - 1].signals.h), temperature, random);
    all.tokens.push(token);
    if (model.encoder.kind !== "scaled" && !model.encoder.alphabet.includes(token)) {
      end = t;
      break;
    }
    all.x.push(encodeToken(model.encoder, token, t + 1));
  }
  while (all.x.length < T) all.x.push(new Float64Array(x[0].length));
  while (all.tokens.length < T) all.tokens.push("");
  const mask = maskOf(model.encoder, all.x);
  return { ...all, mask: end < T ? all.x.map((_, t) => t < end && mask?.[t] !== false) : mask };
}

/** Return the token that a model writes after an output. @param {Model} model @param {Vector} y @param {number} temperature @param {() => number} random */
function next({ encoder, readout: { labels } }, y, temperature, random) {
  if (encoder.kind === "scaled") return numberText(encoder, y[0]);
  return labels[drawn(heated(y, temperature), random())];
}

/** Format a number of the network in the unit of the series, rounded as in Python. @param {Model["encoder"]} encoder @param {number} x */
function numberText({ scale = 1, shift = 0, decimals = 2 }, x) {
  const number = Number((x * scale + shift).toFixed(Math.max(2, decimals)));
  const isSmall = number !== 0 && Math.abs(number) < 1e-4;
  return isSmall ? number.toExponential().replace(/e-(\d)$/, "e-0$1") : String(number);
}

/** Return probabilities proportional to p^(1 / temperature). At temperature 0 the largest has probability 1. @param {Vector} p @param {number} temperature */
function heated(p, temperature) {
  const best = p.indexOf(Math.max(...p));
  if (temperature === 0) return p.map((_, k) => Number(k === best));
  const logarithms = p.map((value) => Math.log(Math.max(value, TINY)));
  const powers = logarithms.map((value) => Math.exp((value - logarithms[best]) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Return the index of an outcome with probabilities `p`, drawn by a random number from 0 to 1. @param {Vector} p @param {number} number */
function drawn(p, number) {
  let sum = 0;
  const at = p.findIndex((share) => (sum += share) > number);
  return at === -1 ? p.length - 1 : at;
}
