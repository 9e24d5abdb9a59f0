/** Test that the engine's random numbers equal NumPy's, bit for bit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { randomOf } from "./page.js";
import { randomNumbers } from "../../static/engine/random.js";

test("each seed gives the numbers of np.random.default_rng", () => {
  assert.ok(Object.keys(randomOf).length > 300);
  for (const [seed, numbers] of Object.entries(randomOf)) {
    const next = randomNumbers(Number(seed));
    assert.deepEqual(numbers.map(next), numbers, seed);
  }
});
