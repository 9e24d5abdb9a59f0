import assert from "node:assert/strict";
import test from "node:test";
import { compact, expand, isCompact } from "../../static/fragment.js";
import { LONGEST, decode } from "../../static/link.js";

const sequence = Array.from({ length: 3000 }, (_, i) => `0.${i},é`).join(" ");
const query = `?${new URLSearchParams({ model: "net", sequence, t: "3" })}`;

test("a short view stays as it is", async () => {
  const short = "?model=flip-flop&sequence=A+m";
  assert.deepEqual(await compact(short), { query: short, fragment: "" });
  assert.equal(await expand(short, "#4"), short);
});

test("a long view is short for the server, and whole for the page", async () => {
  const { query: seen, fragment } = await compact(query);
  assert.ok(seen.length < LONGEST && isCompact(fragment) && /^#more=[\w-]+$/.test(fragment));
  assert.deepEqual(Object.fromEntries(new URLSearchParams(seen)), { model: "net", t: "3" });
  assert.equal(decode(await expand(seen, fragment)).sequence, sequence);
});

test("a damaged fragment gets a notice, and the rest of the link stays", async () => {
  const { query: seen, fragment } = await compact(query);
  for (const damaged of [fragment.slice(0, -9), "#more=%%", fragment.replace(/.{40}$/, "A".repeat(40))]) {
    const link = decode(await expand(seen, damaged));
    assert.equal(link.model, "net");
    assert.equal(link.notices.length, 1);
  }
});
