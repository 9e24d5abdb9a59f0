import assert from "node:assert/strict";
import test from "node:test";
import { GATES, HELD, SIGNALS } from "../../static/cells.js";
import { WRITING, decode, encode, writeScenario } from "../../static/link.js";
import { CONVENTIONS, FOCUS, ROWS, SCALES, VIEWS, ZOOMS } from "../../static/state.js";

/** Return a generator of numbers from 0 to 1 that depend only on the seed (mulberry32). */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = seeded(1);
const whole = (low, high) => low + Math.floor(random() * (high - low + 1));
const oneOf = (list) => list[whole(0, list.length - 1)];
const someOf = (list) => list.filter(() => random() < 0.5);
const listOf = (make) => Array.from({ length: whole(0, 3) }, make);

function clamp() {
  const from = whole(1, 9);
  const units = random() < 0.3 ? null : Array.from({ length: whole(1, 3) }, () => whole(1, 256));
  return {
    gate: oneOf(HELD),
    units,
    from,
    to: oneOf([null, from, from + 3]),
    value: Number((random() * 2 - 1).toFixed(3)) + 0,
    layer: whole(1, 4),
  };
}

function weight() {
  const part = oneOf(["W", "U", "b", "c"]);
  const index = part === "W" || part === "U" ? whole(1, 64) : null;
  return {
    layer: whole(1, 4),
    gate: oneOf(GATES),
    unit: whole(1, 64),
    part,
    index,
    value: oneOf([0.5, -1e-7, 12, Number((random() * 4 - 2).toFixed(6)) + 0]),
  };
}

test("encode and decode keep every part of a link", () => {
  for (let i = 0; i < 500; i++) {
    const views = someOf(VIEWS);
    const link = {
      model: oneOf([null, "flip-flop", "u-0&=?#ä", "a b"]),
      sequence: oneOf([null, "A m m B", "=0.3 +0.2", "ä ∂,%@&"]),
      clamps: listOf(clamp),
      weights: listOf(weight),
      against: oneOf(["", "B m m B"]),
      h0: oneOf([null, [[0.5]], [[0.5, -1e-7], [0.1 + 0.2]]]),
      write: oneOf([
        null,
        {
          steps: whole(1, WRITING.steps),
          temperature: oneOf([0, 0.8, 1, 10]),
          seed: oneOf([0, 3, WRITING.seed]),
        },
      ]),
      focus: {
        step: whole(1, 99),
        layer: oneOf([null, 0, 2]),
        unit: whole(0, 99),
        views: views.length ? views : FOCUS.views,
        zoom: oneOf(ZOOMS),
        gate: oneOf(GATES),
        table: oneOf(SIGNALS),
        convention: oneOf(CONVENTIONS),
        rows: oneOf(ROWS),
        scale: oneOf(SCALES),
      },
      notices: [],
    };
    assert.deepEqual(decode(encode(link)), link);
  }
});

test("a bad value is reported with its key, and the other keys are used", () => {
  for (const [key, value] of [
    ["t", "0"],
    ["h0", "0.5,;1"],
    ["write", "101"],
    ["unit", "x"],
    ["views", "tape,nonsense"],
    ["clamps", "q@1=0"],
    ["weights", "z.1.W=1"],
  ]) {
    const { notices, focus } = decode(`?${key}=${value}&zoom=gate`);
    assert.equal(notices.length, 1);
    assert.match(notices[0], new RegExp(`“${key}”`));
    assert.equal(focus.zoom, "gate");
  }
});

test("all ways to write a missing second sequence give the same scenario", () => {
  const scenario = { sequence: "A m B", clamps: [], weights: [] };
  const texts = [undefined, null, ""].map((against) => writeScenario({ ...scenario, against }));
  assert.equal(new Set(texts).size, 1);
});

test("the keys of a link with 64,000 characters are read in at most 50 ms each", () => {
  const digits = "1".repeat(64_000);
  const most = Object.entries({
    clamps: ["z@1=", "z@1-", "z.", "L"],
    weights: ["z.1.b=", "z.1.W", "L"],
    temperature: [""],
    write: [""],
    t: [""],
  });
  for (const [key, starts] of most)
    for (const start of starts)
      for (const end of ["", "x", ".x", "+"]) {
        const before = performance.now();
        decode(`?model=flip-flop&${key}=${encodeURIComponent(start + digits + end)}`);
        assert.ok(performance.now() - before < 50, `${key}=${start}…${end}`);
      }
});
