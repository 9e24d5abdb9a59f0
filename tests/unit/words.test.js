import assert from "node:assert/strict";
import test from "node:test";
import { fixed } from "../../static/run.js";
import { briefly, change, openness, percent, part, tellLasting, whichUnits } from "../../static/words.js";

test("only 0 is written as 0%, and only 1 as 100%", () => {
  for (let share = 1e-9; share < 1; share *= 1.7)
    for (const value of [share, 1 - share])
      assert.ok(!["0%", "100%"].includes(percent(value)), `${value}: ${percent(value)}`);
  assert.deepEqual(
    [0, 1].map((share) => percent(share)),
    ["0%", "100%"],
  );
  assert.deepEqual(
    [0.09, 0.0949, 0.095, 0.5].map((share) => percent(share)),
    ["9%", "9%", "10%", "50%"],
  );
  assert.deepEqual(
    [0, 0.5, 1].map((share) => part(share)),
    ["none", "50%", "all"],
  );
});

test("a negative number has a true minus sign, and zero has none", () => {
  assert.deepEqual(
    [-0.004, -1.5, 12345, NaN, 0.005].map((value) => fixed(value)),
    ["0.00", "−1.50", "1.2e+4", "", "0.01"],
  );
  for (let i = -500; i <= 500; i++) assert.equal(Number(fixed(i / 100).replace("−", "-")), i / 100);
});

test("a half-life is rounded by its size", () => {
  assert.deepEqual([0.62, 9.94, 99.6, 1000, Infinity].map(briefly), ["0.6", "9.9", "100", ">999", "∞"]);
});

test("a gate has as many decimals as its half-life needs", () => {
  const tell = (z) => tellLasting("z", z, z, Math.log(2) / -Math.log1p(-z), "it");
  assert.deepEqual([0, 1e-7, 0.0163, 0.02, 0.5, 0.9].map(tell), [
    "If z stayed at 0.00, all of it would be kept",
    "If z stayed this close to 0, half of it would be left after more than 10,000 timesteps",
    "If z stayed at 0.0163, half of it would be left after about 42 timesteps",
    "If z stayed at 0.02, half of it would be left after about 34 timesteps",
    "If z stayed at 0.50, half of it would be left after about one timestep",
    "If z stayed at 0.90, less than half of it would be left after one timestep",
  ]);
});

test("an equal value stays only if it was kept", () => {
  assert.deepEqual(
    [1, 0.03].map((keep) => change(-0.99, -0.99, keep)),
    ["stays at −0.99", "comes out the same (−0.99)"],
  );
});

test("a gate is called closed only at 0 and open only at 1", () => {
  assert.deepEqual([0, 0.01, 0.5, 0.99, 1].map(openness), [
    "closed",
    "nearly closed",
    "partly open",
    "nearly open",
    "open",
  ]);
});

test("up to four units are named, and more than four are counted", () => {
  const closed = (count, length = 8) =>
    whichUnits(
      Array.from({ length }, (_, unit) => (unit < count ? 0.1 : 0.5)),
      [["closed", "is", "are"]],
    );
  assert.deepEqual(
    [0, 1, 2, 5, 8].map((count) => closed(count)),
    ["", "unit 1 is", "units 1 and 2 are", "5 units are", "all 8 units are"],
  );
});
