/** The correct answers of the built-in tasks, as in gru_core/training: toys.py, abilities.py, tagging.py. */

/** @import { Vector } from "./cells.js" */
/**
 * The answer at each timestep: the index of a label, from 0, or a number; null at a timestep without an answer.
 * @typedef {(number | null)[]} Answers
 */

/**
 * Return the correct answers for the inputs of a task, in the form of `Start.right`: the indices of labels count from 1. Return null if
 * the task is not built in.
 * @param {string} task @param {Vector[]} x @returns {Answers | null}
 */
export function answersOf(task, x) {
  if (Object.hasOwn(NUMBERS, task)) return NUMBERS[task](x);
  if (!Object.hasOwn(CHOICES, task)) return null;
  return CHOICES[task](x).map((answer) => (answer === null ? null : answer + 1));
}

/** Return the first index of the largest number. @param {Vector} values */
const best = (values) => values.indexOf(Math.max(...values));

/**
 * Return the answers at all timesteps. `next` returns each answer, given the answer at the previous timestep, the input and the timestep,
 * from 0. `first` is the answer before the first timestep.
 * @param {Vector[]} x @param {number | null} first @param {(sofar: number | null, input: Vector, t: number) => number | null} next
 * @returns {Answers}
 */
function folded(x, first, next) {
  let sofar = first;
  return x.map((input, t) => (sofar = next(sofar, input, t)));
}

/** @param {Vector[]} x @param {number} first @param {number} n */
const lastOf = (x, first, n) =>
  folded(x, null, (last, input) => {
    const part = input.slice(first, first + n);
    return part.some((value) => value > 0) ? best(part) : last;
  });

/** @param {Answers} answers @returns {Answers} */
const atTheEnd = (answers) => answers.map((answer, t) => (t === answers.length - 1 ? answer : null));

/** The tasks with a number as their answer. @type {Record<string, (x: Vector[]) => Answers>} */
const NUMBERS = {
  "pocket-calculator": (x) =>
    folded(x, 0, (total, [value, load, add]) => {
      if (load) return value;
      return add ? Math.min(1, Math.max(-1, Number(total) + value)) : total;
    }),
  "running-total": (x) => folded(x, 0, (total, [value, restart]) => (restart ? value : Number(total) + value)),
  adding: (x) => atTheEnd(folded(x, 0, (sum, [value, mark]) => Number(sum) + (mark > 0 ? value : 0))),
};

/** The tasks with a label as their answer. @type {Record<string, (x: Vector[]) => Answers>} */
const CHOICES = {
  "flip-flop": (x) => lastOf(x, 0, 2),
  gap: (x) => atTheEnd(lastOf(x, 0, 2)),
  "store-and-recall": (x) => lastOf(x, 4, 4).map((letter, t) => (x[t][8] > 0 ? letter : null)),
  sentiment(x) {
    let [mood, flipped] = [1, false];
    return x.map((input, t) => {
      const is = (/** @type {number} */ from, /** @type {number} */ to) =>
        input.slice(from, to).some((value) => value > 0);
      if (is(0, 6)) [mood, flipped] = [is(0, 3) !== flipped ? 2 : 0, false];
      else if (is(7, 8)) [mood, flipped] = [1, false];
      else if (is(6, 7)) flipped = true;
      return mood;
    });
  },
  recall(x) {
    const items = x.flatMap((input, t) => (input[4] > 0 ? [] : [{ t, letter: best(input.slice(0, 4)) }]));
    let k = 0;
    return x.map((input, t) => {
      if (!(input[4] > 0)) return null;
      const item = items[k++];
      return item && item.t < t ? item.letter : null;
    });
  },
  tagger(x) {
    const backwards = x.toReversed();
    const [before, after] = [lastOf(x, 0, 2), lastOf(backwards, 0, 2).reverse()];
    return x.map((input, t) => {
      const [left, right] = [before[t], after[t]];
      return left === null || right === null || input[0] + input[1] > 0 ? null : 2 * left + right;
    });
  },
  parity: (x) => folded(x, 0, (odd, [, bit]) => (bit > 0 ? 1 - Number(odd) : odd)),
  brackets: (x) =>
    folded(x, 0, (depth, [opens, closes]) =>
      Math.min(4, Math.max(0, Number(depth) + Number(opens > 0) - Number(closes > 0))),
    ),
  echo: (x) => x.map((_, t) => best(x[Math.max(0, t - 2)])),
  "reversed-words"(x) {
    const A = 3; // letters. It is also the index of > among the inputs, and of the end among the labels.
    const places = x.map(best);
    const n = places.findIndex((place) => place >= A);
    const ends = places.findIndex((place, t) => t > n && place <= A);
    return x.map((_, t) => {
      if (n < 0 || places[n] !== A || t < n || t > 2 * n || (ends >= 0 && t >= ends)) return null;
      return t === 2 * n ? A : places[2 * n - t - 1];
    });
  },
  counting(x) {
    let ahead = 0;
    return x.map(([a, b]) => {
      ahead += b - a;
      return b > 0 ? Math.sign(ahead) + 1 : null;
    });
  },
};
