"""`make soak MINUTES=60`: requests of every kind, no two alike, and whether the server grows."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import numpy as np

from benchmarks.crowd import ASKED, DEVICE
from benchmarks.load import LIMITS, OURS, Running, holds, must, running
from gru_core import GRU, Model, Readout, presets
from gru_core.model import Card
from gru_core.training.tasks import TASKS

VISITORS = 3
PAUSE = 0.01
"""Seconds of a visitor between two requests."""

BETWEEN, REST = 20, 2
"""Seconds between two looks at how large the server is, and of rest before one: an export takes some megabytes."""

WARM = 0.25
"""Share of the time after which the growth counts."""

WINDOW = 5
"""Minutes of which the smallest sample counts."""

LARGE = {"task": "sentiment", "cell": "lstm", "units": 32, "T": 2, "after": 0, "most": 28, "reach": 2}
LARGE_ONES = 90
"""Trainings of 0.8 MB, so that those that are kept are as many as there is room for before the time begins."""

MOST, TABLES, MOST_OF_TABLES = 2, 44, 40
"""Megabytes an hour; own tables that are posted at once, and the megabytes that they may leave."""

BOUNDS = {"GRUSCOPE_MAX_KEPT": "100", "GRUSCOPE_TRAININGS": "1"}
"""So that the uploads that are kept are as many as they may be before the time begins that counts."""

LESSONS = ("gates", "reset", "half-life", "parameters", "candidate")
TABLE_STEPS, TABLE_ROWS = 64, 2_000


class Visitor:
    """Somebody who asks one thing after another; `seen` counts the answers by kind and status."""

    def __init__(self, url: str, seed: int, seen: Counter[tuple[str, int]]) -> None:
        self.host, self.seed, self.seen, self.number, self.kind = urlsplit(url).netloc, seed, seen, seed, ""
        self.connection = http.client.HTTPConnection(self.host, timeout=60)
        self.rng, self.turn = random.Random(seed), threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        until: re.Pattern[bytes] | None = None,
    ) -> bytes:
        """The answer, whole or until the pattern is in it."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | (headers or {})
        try:
            self.connection.request(method, path, content, sent)
            response = self.connection.getresponse()
            self.seen[self.kind, response.status] += 1
            if until is None:
                return response.read()
            found = b""
            while not until.search(found) and (piece := response.read1(8192)):
                found += piece
            self.connection.close()
            return found
        except (http.client.HTTPException, OSError):  # one that was refused before its body had come, or was cut
            self.seen[self.kind, 0] += 1
            self.connection.close()
            return b""

    def data(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        try:
            return json.loads(self.ask(method, path, body, headers) or b"{}")
        except ValueError:
            return {}

    def scenario(self) -> dict[str, Any]:
        name = self.rng.choice(presets.TASKS)
        sequence = TASKS[name].text(np.random.default_rng(self.rng.randrange(2**32)), self.rng.randrange(3, 60))
        clamp = {"gate": "z", "units": [1], "from": 1, "to": 2, "value": round(self.rng.random(), 6)}
        return {"model": name, "sequence": sequence, "clamps": [clamp]}

    def link(self) -> str:
        found = self.scenario()
        held = f"z.1@1-2={found['clamps'][0]['value']}"
        return urlencode({"model": found["model"], "sequence": found["sequence"], "clamps": held, "t": 2})

    def go(self, until: Callable[[], bool]) -> None:
        while not until():
            self.number += VISITORS
            kind = self.rng.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
            self.kind = kind
            with self.turn:
                KINDS[kind][0](self)
            time.sleep(PAUSE)


def fill(me: Visitor) -> None:
    """Have the server keep as much as it may."""
    me.kind = "filling"
    for seed in range(LARGE_ONES):
        id = me.data("POST", "/api/trainings?token=fill", LARGE | {"seed": seed}).get("id")
        me.ask("GET", f"/api/trainings/{id}/events?token=fill")
    for _ in range(int(BOUNDS["GRUSCOPE_MAX_KEPT"])):
        me.number += VISITORS
        uploads(me)
    for name in LESSONS:
        me.ask("GET", f"/lessons/{name}")


def runs(me: Visitor) -> None:
    me.ask("POST", "/api/trace", me.scenario(), {"accept": "text/event-stream"})
    me.ask("POST", "/api/trace", me.scenario())


def details(me: Visitor) -> None:
    unit, steps = {"layer": 1, "unit": 1}, {"from": 1, "to": 2}
    me.ask("POST", "/api/sums", me.scenario() | unit | steps)
    me.ask("POST", "/api/ledger", me.scenario() | unit | steps)
    me.ask("POST", "/api/sensitivity", me.scenario() | unit | {"t": 2})
    me.ask("POST", "/api/moments", me.scenario() | unit | steps | {"signal": "z"})
    me.ask("POST", "/api/score", me.scenario())
    what = [f"z@{me.rng.randrange(1, 4)}", f"h@{me.rng.randrange(1, 4)}"]
    me.ask("POST", "/api/numbers", {"link": "?" + me.link(), "what": what})


def pages(me: Visitor) -> None:
    seed, name = me.rng.randrange(2**32), me.rng.choice(LESSONS)
    sequence, step = quote(" ".join(me.rng.choices("ABxyz", k=9))), me.rng.randrange(1, 4)
    for path in (
        f"/?{me.link()}", f"/embed?{me.link()}", f"/compare?task=flip-flop&sequence={sequence}",
        f"/train?task=flip-flop&seed={seed}", f"/lessons/{name}?step={step}&n={seed}", f"/lessons/{name}/print",
        f"/api/lessons/{name}/outline", f"/compare/gap?n={seed}", f"/rooms?n={seed}", f"/docs?n={seed}",
        f"/api/models?n={seed}", f"/api/models/flip-flop/draw?seed={seed}",
        f"/oembed?url={quote(f'http://{me.host}/?{me.link()}')}",
    ):  # fmt: skip
        me.ask("GET", path)


def exports(me: Visitor) -> None:
    for form in ("page.html", "trace.csv", "trace.json", "trace.npz"):
        me.ask("GET", f"/api/export/{form}?{me.link()}")
    step = me.rng.randrange(29)
    me.ask("GET", f"/api/export/model.safetensors?model=flip-flop@{step}")
    me.ask("GET", f"/api/export/lesson.html?name={me.rng.choice(LESSONS)}")


def uploads(me: Visitor) -> None:
    rng = np.random.default_rng([me.seed, me.number])
    task, units = TASKS["flip-flop"], int(rng.integers(1, 64))
    readout = Readout("softmax", rng.normal(size=(len(task.labels), units)), np.zeros(len(task.labels)), task.labels)
    card = Card(f"No. {me.number}", "flip-flop", "", "", "random", "", examples=("A x B",))
    model = Model(task.encoder, (GRU.random(task.encoder.inputs, units, rng),), readout, card)
    id = me.data("POST", f"/api/models?name={me.number}.safetensors", model.to_bytes()).get("model", {}).get("id")
    if id:
        me.ask("GET", f"/?model={id}&sequence=A+x+B")
        me.ask("POST", "/api/trace", {"model": id, "sequence": "A x x B"})
    me.ask("POST", f"/api/models?name={me.number}.npz", rng.bytes(500))


def trainings(me: Visitor) -> None:
    recipe: dict[str, Any] = {"task": "sentiment", "units": me.rng.randrange(1, 33), "seed": me.rng.randrange(2**32)}
    if me.rng.random() < 0.3:
        recipe = {"task": "own", "table": table(me.rng.randrange(2**32)), "units": me.rng.randrange(1, 33)}
    token = f"{me.seed}.{me.number}"
    id = me.data("POST", f"/api/trainings?token={token}", recipe | {"after": 0, "most": 30, "reach": 2}).get("id")
    if not id:
        return
    if me.rng.random() < 0.5:
        me.ask("GET", f"/api/trainings/{id}/events?token={token}")
        me.ask("POST", f"/api/trainings/{id}/tapes", {"sequence": "good . bad"})
        me.ask("GET", f"/train?training={id}")
    me.ask("DELETE", f"/api/trainings/{id}?token={token}")


def rooms(me: Visitor) -> None:
    view = {"page": "", "link": "?" + me.link()}
    opened = me.data("POST", "/api/rooms", {"view": view})
    if "code" not in opened:
        return
    path, lead = f"/api/rooms/{opened['code']}", {"authorization": f"Bearer {opened['secret']}"}
    me.ask("GET", f"/rooms/{opened['code']}")
    me.ask("POST", f"{path}/question", {"of": "own", "text": f"{me.number}?", "options": ["a", f"{me.number}"]}, lead)
    told = me.ask("GET", f"{path}/events", until=ASKED)
    if (device := DEVICE.search(told)) and (asked := ASKED.search(told)):
        me.ask("POST", f"{path}/answers", {"question": int(asked[1]), "answer": 0}, {"x-device": device[1].decode()})
    me.ask("POST", f"{path}/view", {"page": "", "link": "?" + me.link()}, lead)
    me.ask("POST", f"{path}/turn", {"turn": "reveal"}, lead)
    me.ask("GET", f"{path}/record.csv", headers=lead)
    me.ask("GET", f"{path}/qr.svg")
    me.ask("DELETE", path, headers=lead)


def refused(me: Visitor) -> None:
    odd = f"{me.number}" + "".join(me.rng.choices("é\u0663×{}<&'\" ", k=20))
    for path in ("/", "/api/models/", "/api/trainings/", "/?model=", "/?sequence=", "/?clamps=", "/lessons/", "/rooms/",
                 "/train?units=", "/static/", f"/?model=u-{me.rng.getrandbits(128):032x}&n="):  # fmt: skip
        me.ask("GET", path + quote(odd))
    me.ask("GET", "/", headers={"host": f"{me.number}.example"})
    me.ask("POST", "/api/trace", me.scenario(), {"origin": f"https://{me.number}.example"})
    me.ask("POST", "/api/trace", f'{{"model": {me.number}'.encode())
    me.ask("POST", "/api/trace", {"model": odd, "sequence": odd, odd: odd})
    me.ask("POST", "/api/trace", me.scenario() | {"sequence": odd})
    me.ask("POST", "/api/trainings", {"task": "own", "table": table(me.number), "T_max": 20})
    me.ask("POST", "/api/trainings", {"task": "own", "table": odd})
    me.ask("POST", "/api/rooms", {"view": {"page": odd, "link": odd}})
    me.ask("POST", "/api/trace", b"{" + odd.encode() * 10_000)
    me.ask("BREW", f"/{me.number}")


KINDS: dict[str, tuple[Callable[[Visitor], None], int]] = {
    "runs": (runs, 8), "details": (details, 4), "pages": (pages, 2), "exports": (exports, 1), "uploads": (uploads, 1),
    "trainings": (trainings, 3), "rooms": (rooms, 2), "refused": (refused, 3),
}  # fmt: skip
"""What is asked, and how often beside the others."""


def table(number: int) -> str:
    """As large as a table of one's own can be, in 12 KB: one sequence is long, the others are of one step."""
    symbols = [f"s{i}" for i in range(TABLE_STEPS)]
    long = f"{' '.join(symbols)},{' '.join('ab'[i % 2] for i in range(TABLE_STEPS))}"
    return "\n".join([long, *(f"{symbols[i % 64]},{i % 7}" for i in range(TABLE_ROWS - 2)), f"s0,n{number}"])


def growth(samples: list[tuple[float, float]]) -> float:
    """Return the slope of a line through the smallest sample of each `WINDOW`, in MB an hour.

    The allocator gives freed memory back late, so that single samples lie on several levels. Memory that is in use
    also raises the lowest.
    """
    lowest = dict[int, tuple[float, float]]()
    for hours, size in samples:
        window = int(hours * 60 / WINDOW)
        lowest[window] = min(lowest.get(window, (hours, size)), (hours, size), key=lambda sample: sample[1])
    hours, sizes = np.array(list(lowest.values())).T
    return float(np.polyfit(hours, sizes, 1)[0])


async def tables() -> None:
    """Tables of one's own that are posted at once: most of them are told to wait."""
    async with running([*OURS, "0"]) as server:
        seen: Counter[tuple[str, int]] = Counter()
        me = Visitor(server.url, 0, seen)
        me.kind = "tables"
        await asyncio.to_thread(pages, me)
        seen.clear()
        first = server.used.kib()
        for number in range(TABLES):
            await asyncio.to_thread(me.ask, "POST", "/api/trainings", {"task": "own", "table": table(number)})
        await asyncio.sleep(2)
        print(f"{TABLES} own tables of 12 KB posted: {said(seen)}", flush=True)
        holds("the server has grown by", (server.used.kib() - first) / 1024, MOST_OF_TABLES, "MB")


def said(seen: Counter[tuple[str, int]]) -> str:
    by: Counter[int] = Counter()
    for (_, status), count in seen.items():
        by[status] += count
    return ", ".join(f"{count:,} times {status or 'cut'}" for status, count in sorted(by.items()))


async def soak(minutes: float) -> None:
    async with running([*OURS, "0"], LIMITS | BOUNDS) as server:
        await _soaked(server, minutes)


async def _soaked(server: Running, minutes: float) -> None:
    over, seen = threading.Event(), Counter[tuple[str, int]]()

    def at_rest() -> float:
        """Megabytes of the server while nobody asks for anything."""
        with ExitStack() as turns:
            for one in visitors:
                turns.enter_context(one.turn)
            time.sleep(REST)
            return server.used.kib() / 1024

    visitors = [Visitor(server.url, seed, seen) for seed in range(VISITORS)]
    await asyncio.to_thread(fill, visitors[0])
    print(f"filled: {server.used.kib() / 1024:.1f} MB", flush=True)
    going = [asyncio.create_task(asyncio.to_thread(one.go, over.is_set)) for one in visitors]
    print(f"{VISITORS} visitors for {minutes:g} min, {WARM:.0%} of it to warm up", flush=True)
    begun, samples, last = time.perf_counter(), list[tuple[float, float]](), 0.0
    try:
        while (passed := (time.perf_counter() - begun) / 60) < minutes:
            await asyncio.sleep(BETWEEN)
            size = await asyncio.to_thread(at_rest)
            if passed >= WARM * minutes:
                samples.append((passed / 60, size))
            if passed - last >= 1:
                last = passed
                print(f"  {passed:.0f} min: {size:.1f} MB after {seen.total():,} answers", flush=True)
            if failed := [task for task in going if task.done()]:
                failed[0].result()
    finally:
        over.set()
        await asyncio.gather(*going)
    by_kind = Counter[str]()
    for (kind, _), count in seen.items():
        by_kind[kind] += count
    print("  " + ", ".join(f"{kind} {count:,}" for kind, count in by_kind.items()), flush=True)
    print(f"  {said(seen)}", flush=True)
    must("no answer was a 5xx", not any(status >= 500 for _, status in seen))
    holds("growth after warm-up", growth(samples), MOST, "MB an hour")


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    told = parser.parse_args()
    await tables()
    await soak(told.minutes)


if __name__ == "__main__":
    asyncio.run(main())
