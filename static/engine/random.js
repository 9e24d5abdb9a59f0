/**
 * The random numbers of `np.random.default_rng(seed)`: NumPy's SeedSequence and the generator PCG64 (O'Neill 2014, XSL-RR 128/64). With
 * them, a seed gives the same text in a saved page as on the server. tests/unit/random.test.js compares the numbers with NumPy.
 */

const POOL = 4;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;

/** @param {bigint} value */
const to128 = (value) => BigInt.asUintN(128, value);

/** Mix the upper 16 bits of a 32-bit number into its lower 16 bits. @param {number} value */
const folded = (value) => (value ^ (value >>> 16)) >>> 0;

/** Return a 32-bit hash function. Its result also depends on the number of earlier calls. @param {number} start @param {number} multiplier */
function hashing(start, multiplier) {
  let constant = start;
  return (/** @type {number} */ value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, multiplier);
    return folded(Math.imul(mixed, constant));
  };
}

/** Return the four 64-bit numbers that SeedSequence generates from a seed below 2³². @param {number} seed */
function wordsOf(seed) {
  const hash = hashing(0x43b0d7e5, 0x931e8875);
  const pool = Array.from({ length: POOL }, (_, i) => hash(i === 0 ? seed : 0));
  for (let from = 0; from < POOL; from++)
    for (let to = 0; to < POOL; to++)
      if (from !== to) pool[to] = folded(Math.imul(0xca01f9dd, pool[to]) - Math.imul(0x4973f715, hash(pool[from])));
  const spread = hashing(0x8b51f9dd, 0x58f38ded);
  const halves = Array.from({ length: 2 * POOL }, (_, i) => BigInt(spread(pool[i % POOL])));
  return Array.from({ length: POOL }, (_, i) => halves[2 * i] | (halves[2 * i + 1] << 32n));
}

/**
 * Return a generator function: each call returns the next random number, at least 0 and below 1.
 * @param {number} seed a whole number below 2³²
 */
export function randomNumbers(seed) {
  const [high, low, incrementHigh, incrementLow] = wordsOf(seed);
  const increment = to128((((incrementHigh << 64n) | incrementLow) << 1n) | 1n);
  const next = (/** @type {bigint} */ state) => to128(state * MULTIPLIER + increment);
  let state = next(to128(increment + ((high << 64n) | low)));
  return () => {
    state = next(state);
    const bits = BigInt.asUintN(64, (state >> 64n) ^ state);
    const turn = state >> 122n;
    const turned = BigInt.asUintN(64, (bits >> turn) | (bits << (64n - turn)));
    return Number(turned >> 11n) / 2 ** 53;
  };
}
