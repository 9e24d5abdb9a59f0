import assert from "node:assert/strict";
import test from "node:test";
import { StreamError, createParser, parseEvents, readEvents } from "../../static/events.js";
import { events, stream } from "./page.js";

test("the stream of a run has a start, an event for each timestep in order, and an end", () => {
  const [start, ...steps] = events;
  const end = steps.pop();
  assert.deepEqual([start.name, end.name], ["start", "done"]);
  assert.deepEqual(
    steps.map(({ name, data }) => [name, data.t]),
    Array.from({ length: start.data.T }, (_, i) => ["step", i + 1]),
  );
});

test("the stream gives the same events in pieces of any length", () => {
  for (const length of [1, 7, 100, 1000]) {
    const parse = createParser();
    const received = [];
    for (let i = 0; i < stream.length; i += length) received.push(...parse(stream.slice(i, i + length)));
    assert.deepEqual(received, events);
  }
});

test("an event is complete only after its empty line", () => {
  const parse = createParser();
  assert.deepEqual(parse('event: room\nid: 7-2\ndata: {"a": 1}\n'), []);
  assert.deepEqual(parse("\nevent: you"), [{ name: "room", id: "7-2", data: { a: 1 } }]);
});

test("a comment gives an event without a name, and data may contain colons", () => {
  const [comment, event] = parseEvents(': still here\n\nevent: room\ndata: {"at": "t: 1"}\n\n');
  assert.deepEqual(comment, { name: "", id: "", data: null });
  assert.deepEqual(event.data, { at: "t: 1" });
});

test("characters of several bytes may be split between pieces", async () => {
  const bytes = new TextEncoder().encode('event: room\ndata: "h̃ → ∂"\n\n');
  for (let cut = 1; cut < bytes.length; cut++) {
    const pieces = [bytes.slice(0, cut), bytes.slice(cut)];
    const received = [];
    await readEvents(new Response(ReadableStream.from(pieces)), (parsed) => received.push(...parsed));
    assert.deepEqual(received, [{ name: "room", id: "", data: "h̃ → ∂" }]);
  }
});

test("a broken connection raises StreamError, but an error in the listener is not changed", async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError("network error")) });
  await assert.rejects(
    readEvents(new Response(broken), () => {}),
    StreamError,
  );
  const whole = new Response("event: room\ndata: 1\n\n");
  await assert.rejects(
    readEvents(whole, () => {
      throw new RangeError("a bug");
    }),
    RangeError,
  );
});
