"""A test of whether the server's memory grows, with different requests of every kind: `make soak MINUTES=60`."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import numpy as np

from benchmarks.crowd import DEVICE, QUESTION_ID
from benchmarks.room import LIMITS, OURS, Running, print_check, print_limit, running
from gru_core import GRU, Model, Readout, presets
from gru_core.model import Card
from gru_core.training.toys import TASKS

VISITORS = 3
PAUSE = 0.01
"""Seconds between two requests of a visitor."""

BETWEEN, REST = 20, 2
"""Seconds between two samples of the server's memory, and seconds without requests before each sample."""

WARM = 0.25
"""The share of the time that is warm-up. Growth during the warm-up does not count."""

LARGE = {"task": "sentiment", "cell": "lstm", "units": 32, "T": 2, "after": 0, "most": 28, "reach": 2}
LARGE_ONES = 8
"""The number of trainings of 0.8 MB that fill the small cache of trainings before the measurement."""

MOST, TABLES, MOST_AFTER_TABLES = 2, 44, 40
"""The maximum growth in MB per hour, the number of tables that are posted, and the maximum growth in MB after them."""

BOUNDS = {"GRUSCOPE_MAX_KEPT": "10", "GRUSCOPE_TRAININGS": "1"}
"""Settings with which the stored uploads reach their limit before the measurement."""

SMALL_CACHE = """
import sys
from app import cli
from app.jobs import cache
from app.server import memory
cache.CACHE_BYTES, cache.CACHE_TRAININGS = 4 * 2**20, 40
memory.TRIM_SECONDS = 1
sys.exit(cli.main(["serve", "--no-browser", "--port", "0"]))
"""
"""The program of a server with a small cache of trainings, which returns free memory to the system each second.

The usual cache of 64 MB holds 30 to 60 MB, depending on the latest trainings. The usual server returns free memory each
minute, and up to 15 MB can be free until then. Both would hide a growth of a few megabytes.
"""

LESSONS = ("gates", "reset", "half-life", "parameters", "candidate")
TABLE_STEPS, TABLE_ROWS = 64, 2_000


class Visitor:
    """A visitor who sends one request after another. `seen` counts the responses by kind and status."""

    def __init__(self, url: str, seed: int, seen: Counter[tuple[str, int]]) -> None:
        self.host, self.seed, self.seen, self.number, self.kind = urlsplit(url).netloc, seed, seen, seed, ""
        self.connection = http.client.HTTPConnection(self.host, timeout=60)
        self.rng, self.turn = random.Random(seed), threading.Lock()

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        until: re.Pattern[bytes] | None = None,
    ) -> bytes:
        """Send a request, and return the content of the response, or nothing if the connection fails.

        With `until`, stop reading after the first match of this pattern.
        """
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | (headers or {})
        try:
            self.connection.request(method, path, content, sent)
            response = self.connection.getresponse()
            self.seen[self.kind, response.status] += 1
            if until is None:
                return response.read()
            received = b""
            while not until.search(received) and (piece := response.read1(8192)):
                received += piece
            self.connection.close()
            return received
        except (http.client.HTTPException, OSError):  # refused before the whole body was sent, or disconnected
            self.seen[self.kind, 0] += 1
            self.connection.close()
            return b""

    def data(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        try:
            return json.loads(self.send(method, path, body, headers) or b"{}")
        except ValueError:
            return {}

    def scenario(self) -> dict[str, Any]:
        name = self.rng.choice(presets.TASKS)
        sequence = TASKS[name].text(np.random.default_rng(self.rng.randrange(2**32)), self.rng.randrange(3, 60))
        clamp = {"gate": "z", "units": [1], "from": 1, "to": 2, "value": round(self.rng.random(), 6)}
        return {"model": name, "sequence": sequence, "clamps": [clamp]}

    def link(self) -> str:
        scenario = self.scenario()
        clamps = f"z.1@1-2={scenario['clamps'][0]['value']}"
        return urlencode({"model": scenario["model"], "sequence": scenario["sequence"], "clamps": clamps, "t": 2})

    def go(self, until: Callable[[], bool]) -> None:
        while not until():
            self.number += VISITORS
            kind = self.rng.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
            self.kind = kind
            with self.turn:
                KINDS[kind][0](self)
            time.sleep(PAUSE)


def fill(me: Visitor) -> None:
    """Fill the server's caches and its store of uploads."""
    me.kind = "filling"
    for seed in range(LARGE_ONES):
        id = me.data("POST", "/api/trainings?token=fill", LARGE | {"seed": seed}).get("id")
        me.send("GET", f"/api/trainings/{id}/events?token=fill")
    for _ in range(int(BOUNDS["GRUSCOPE_MAX_KEPT"])):
        me.number += VISITORS
        uploads(me)
    for name in LESSONS:
        me.send("GET", f"/lessons/{name}")


def runs(me: Visitor) -> None:
    me.send("POST", "/api/trace", me.scenario(), {"accept": "text/event-stream"})
    me.send("POST", "/api/trace", me.scenario())


def details(me: Visitor) -> None:
    unit, steps = {"layer": 1, "unit": 1}, {"from": 1, "to": 2}
    me.send("POST", "/api/sums", me.scenario() | unit | steps)
    me.send("POST", "/api/ledger", me.scenario() | unit | steps)
    me.send("POST", "/api/sensitivity", me.scenario() | unit | {"t": 2})
    me.send("POST", "/api/moments", me.scenario() | unit | steps | {"signal": "z"})
    me.send("POST", "/api/score", me.scenario())
    what = [f"z@{me.rng.randrange(1, 4)}", f"h@{me.rng.randrange(1, 4)}"]
    me.send("POST", "/api/numbers", {"link": "?" + me.link(), "what": what})


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
        me.send("GET", path)


def exports(me: Visitor) -> None:
    for form in ("page.html", "trace.csv", "trace.json", "trace.npz"):
        me.send("GET", f"/api/export/{form}?{me.link()}")
    step = me.rng.randrange(29)
    me.send("GET", f"/api/export/model.safetensors?model=flip-flop@{step}")
    me.send("GET", f"/api/export/lesson.html?name={me.rng.choice(LESSONS)}")


def uploads(me: Visitor) -> None:
    rng = np.random.default_rng([me.seed, me.number])
    task, units = TASKS["flip-flop"], int(rng.integers(1, 64))
    readout = Readout("softmax", rng.normal(size=(len(task.labels), units)), np.zeros(len(task.labels)), task.labels)
    card = Card(f"No. {me.number}", "flip-flop", "", "", "random", "", examples=("A m B",))
    model = Model(task.encoder, (GRU.random(task.encoder.inputs, units, rng),), readout, card)
    id = me.data("POST", f"/api/models?name={me.number}.safetensors", model.to_bytes()).get("model", {}).get("id")
    if id:
        me.send("GET", f"/?model={id}&sequence=A+m+B")
        me.send("POST", "/api/trace", {"model": id, "sequence": "A m m B"})
    me.send("POST", f"/api/models?name={me.number}.npz", rng.bytes(500))


def trainings(me: Visitor) -> None:
    recipe: dict[str, Any] = {"task": "sentiment", "units": me.rng.randrange(1, 33), "seed": me.rng.randrange(2**32)}
    if me.rng.random() < 0.3:
        recipe = {"task": "own", "table": table(me.rng.randrange(2**32)), "units": me.rng.randrange(1, 33)}
    token = f"{me.seed}.{me.number}"
    id = me.data("POST", f"/api/trainings?token={token}", recipe | {"after": 0, "most": 30, "reach": 2}).get("id")
    if not id:
        return
    if me.rng.random() < 0.5:
        me.send("GET", f"/api/trainings/{id}/events?token={token}")
        me.send("POST", f"/api/trainings/{id}/tapes", {"sequence": "good . bad"})
        me.send("GET", f"/train?training={id}")
    me.send("DELETE", f"/api/trainings/{id}?token={token}")


def rooms(me: Visitor) -> None:
    view = {"page": "", "link": "?" + me.link()}
    opened = me.data("POST", "/api/rooms", {"view": view})
    if "code" not in opened:
        return
    path, lead = f"/api/rooms/{opened['code']}", {"authorization": f"Bearer {opened['secret']}"}
    me.send("GET", f"/rooms/{opened['code']}")
    me.send(
        "POST", f"{path}/question", {"subject": "own", "text": f"{me.number}?", "options": ["a", f"{me.number}"]}, lead
    )
    events = me.send("GET", f"{path}/events", until=QUESTION_ID)
    if (device := DEVICE.search(events)) and (question := QUESTION_ID.search(events)):
        answer = {"question": int(question[1]), "answer": 0}
        me.send("POST", f"{path}/answers", answer, {"x-device": device[1].decode()})
    me.send("POST", f"{path}/view", {"page": "", "link": "?" + me.link()}, lead)
    me.send("POST", f"{path}/turn", {"turn": "reveal"}, lead)
    me.send("GET", f"{path}/record.csv", headers=lead)
    me.send("GET", f"{path}/qr.svg")
    me.send("DELETE", path, headers=lead)


def refused(me: Visitor) -> None:
    odd = f"{me.number}" + "".join(me.rng.choices("é\u0663×{}<&'\" ", k=20))
    for path in ("/", "/api/models/", "/api/trainings/", "/?model=", "/?sequence=", "/?clamps=", "/lessons/", "/rooms/",
                 "/train?units=", "/static/", f"/?model=u-{me.rng.getrandbits(128):032x}&n="):  # fmt: skip
        me.send("GET", path + quote(odd))
    me.send("GET", "/", headers={"host": f"{me.number}.example"})
    me.send("POST", "/api/trace", me.scenario(), {"origin": f"https://{me.number}.example"})
    me.send("POST", "/api/trace", f'{{"model": {me.number}'.encode())
    me.send("POST", "/api/trace", {"model": odd, "sequence": odd, odd: odd})
    me.send("POST", "/api/trace", me.scenario() | {"sequence": odd})
    me.send("POST", "/api/trainings", {"task": "own", "table": table(me.number), "T_max": 20})
    me.send("POST", "/api/trainings", {"task": "own", "table": odd})
    me.send("POST", "/api/rooms", {"view": {"page": odd, "link": odd}})
    me.send("POST", "/api/trace", b"{" + odd.encode() * 10_000)
    me.send("BREW", f"/{me.number}")


KINDS: dict[str, tuple[Callable[[Visitor], None], int]] = {
    "runs": (runs, 8), "details": (details, 4), "pages": (pages, 2), "exports": (exports, 1), "uploads": (uploads, 1),
    "trainings": (trainings, 3), "rooms": (rooms, 2), "refused": (refused, 3),
}  # fmt: skip
"""The kinds of requests, each with a function that sends them and a relative frequency."""


def table(number: int) -> str:
    """Return a table of 12 KB that takes much memory: one sequence is long, and all others have one timestep."""
    symbols = [f"s{i}" for i in range(TABLE_STEPS)]
    long = f"{' '.join(symbols)},{' '.join('ab'[i % 2] for i in range(TABLE_STEPS))}"
    return "\n".join([long, *(f"{symbols[i % 64]},{i % 7}" for i in range(TABLE_ROWS - 2)), f"s0,n{number}"])


def growth(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope of the line through the samples and its standard error, in MB per hour.

    `samples` are pairs of hours and MB. Single samples scatter, because the stored trainings and pages change. The
    error says how much of the slope this scatter can explain.
    """
    hours, sizes = np.array(samples).T
    slopes, covariance = np.polyfit(hours, sizes, 1, cov=True)
    return float(slopes[0]), float(covariance[0, 0] ** 0.5)


async def tables() -> None:
    """Post many tables in a row. The server refuses most of them. Print how much the server's memory has grown."""
    async with running([*OURS, "0"]) as server:
        seen: Counter[tuple[str, int]] = Counter()
        me = Visitor(server.url, 0, seen)
        me.kind = "tables"
        await asyncio.to_thread(pages, me)
        seen.clear()
        first = server.kib()
        for number in range(TABLES):
            await asyncio.to_thread(me.send, "POST", "/api/trainings", {"task": "own", "table": table(number)})
        await asyncio.sleep(2)
        print(f"{TABLES} own tables of 12 KB posted: {statuses(seen)}", flush=True)
        print_limit("the server has grown by", (server.kib() - first) / 1024, MOST_AFTER_TABLES, "MB")


def statuses(seen: Counter[tuple[str, int]]) -> str:
    by_status: Counter[int] = Counter()
    for (_, status), count in seen.items():
        by_status[status] += count
    return ", ".join(f"{count:,} times {status or 'cut'}" for status, count in sorted(by_status.items()))


async def soak(minutes: float) -> None:
    async with running([sys.executable, "-c", SMALL_CACHE], LIMITS | BOUNDS) as server:
        await _soaked(server, minutes)


async def _soaked(server: Running, minutes: float) -> None:
    over, seen = threading.Event(), Counter[tuple[str, int]]()

    def at_rest() -> float:
        """Return the server's memory in MB after a pause without requests, since a single export takes several MB."""
        with ExitStack() as turns:
            for visitor in visitors:
                turns.enter_context(visitor.turn)
            time.sleep(REST)
            return server.kib() / 1024

    visitors = [Visitor(server.url, seed, seen) for seed in range(VISITORS)]
    await asyncio.to_thread(fill, visitors[0])
    print(f"filled: {server.kib() / 1024:.1f} MB", flush=True)
    going = [asyncio.create_task(asyncio.to_thread(visitor.go, over.is_set)) for visitor in visitors]
    print(f"{VISITORS} visitors for {minutes:g} min, {WARM:.0%} of it to warm up", flush=True)
    start, samples, last = time.perf_counter(), list[tuple[float, float]](), 0.0
    try:
        while (passed := (time.perf_counter() - start) / 60) < minutes:
            await asyncio.sleep(BETWEEN)
            size = await asyncio.to_thread(at_rest)
            if passed >= WARM * minutes:
                samples.append((passed / 60, size))
            if passed - last >= 1:
                last = passed
                print(f"  {passed:.0f} min: {size:.1f} MB after {seen.total():,} responses", flush=True)
            if failed := [task for task in going if task.done()]:
                failed[0].result()
    finally:
        over.set()
        await asyncio.gather(*going)
    by_kind = Counter[str]()
    for (kind, _), count in seen.items():
        by_kind[kind] += count
    print("  " + ", ".join(f"{kind} {count:,}" for kind, count in by_kind.items()), flush=True)
    print(f"  {statuses(seen)}", flush=True)
    print_check("no response was a 5xx", not any(status >= 500 for _, status in seen))
    slope, error = growth(samples)
    print_limit(f"growth after warm-up, with a standard error of {error:.1f} MB", slope, MOST, "MB per hour")


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    await tables()
    await soak(options.minutes)


if __name__ == "__main__":
    asyncio.run(main())
