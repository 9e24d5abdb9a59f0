"""Responses per second, compared with a Dash app.

Each request has an edited sequence, and each response has the data of its run. Clients keep their connections open.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

from benchmarks.dash_app import MODEL, SIGNALS
from benchmarks.page import wait_for
from benchmarks.server import gruscope, processor_seconds, started

CLIENTS = 8
SECONDS = 1.5
ROUNDS = 7
WORDS = [*MODEL.encoder.alphabet, *MODEL.encoder.alphabet][:20]
CHANGED = MODEL.encoder.alphabet[:5]

MakeRequest = Callable[[str], tuple[str, dict[str, object], str, bytes]]
"""A function that takes a sequence, and returns a request and a part that the response must contain.

The request is a path, a body and an accepted content type.
"""


def events(text: str) -> tuple[str, dict[str, object], str, bytes]:
    return "/api/trace", {"model": "sentiment", "sequence": text}, "text/event-stream", b"event: done"


def whole(text: str) -> tuple[str, dict[str, object], str, bytes]:
    return "/api/trace", {"model": "sentiment", "sequence": text}, "application/json", b'"h_tilde"'


def dash(text: str) -> tuple[str, dict[str, object], str, bytes]:
    outputs = [{"id": name, "property": "figure"} for name in SIGNALS]
    changed = {"id": "sequence", "property": "value", "value": text}
    written = ".." + "...".join(f"{name}.figure" for name in SIGNALS) + ".."
    body = {"output": written, "outputs": outputs, "inputs": [changed], "changedPropIds": ["sequence.value"]}
    return "/_dash-update-component", body, "application/json", b"heatmap"


def main() -> None:
    print(f"Responses: {len(WORDS)} words for a GRU of 8 units, {CLIENTS} clients, medians of {ROUNDS} rounds")
    with ExitStack() as stack:
        one_worker, two_workers, dash_app = (
            stack.enter_context(started(command))
            for command in (gruscope(), [*gruscope(), "--workers", "2"], [sys.executable, "-m", "benchmarks.dash_app"])
        )
        wait_for(dash_app[0])
        for url, _ in (one_worker, two_workers):
            wait_until_compressed(url)
        cases: dict[str, tuple[tuple[str, int], MakeRequest]] = {
            "1 worker, events": (one_worker, events),
            "1 worker, JSON": (one_worker, whole),
            "2 workers, events": (two_workers, events),
            "2 workers, JSON": (two_workers, whole),
            "Dash": (dash_app, dash),
        }
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
        for _ in range(1 + ROUNDS):  # in turns, since other work on the machine comes and goes
            for name, (server, make_request) in cases.items():
                rates[name].append(asyncio.run(rate(*server, make_request)))
    median = {name: [*map(statistics.median, zip(*pairs[1:], strict=True))] for name, pairs in rates.items()}
    print("                     per second          per second of processor time")
    for name, ours in median.items():
        over_dash = [a / b for a, b in zip(ours, median["Dash"], strict=True)]
        print(f"  {name:17} {ours[0]:6,.0f}, {over_dash[0]:4.1f} × Dash {ours[1]:9,.0f}, {over_dash[1]:4.1f} × Dash")
    for kind in ("events", "JSON"):
        ours, both, dashs = (median[name] for name in (f"1 worker, {kind}", f"2 workers, {kind}", "Dash"))
        print(f"  {kind}: two workers over one, with {len(os.sched_getaffinity(0))} cores: {both[0] / ours[0]:.2f}")
        print(f"  {kind}: one over Dash at least 15: {'yes' if ours[0] >= 15 * dashs[0] else 'NO'}")


def wait_until_compressed(url: str) -> None:
    """Wait until a server has compressed its files, which occupies a core for some seconds after the start."""
    with urllib.request.urlopen(url) as page:
        folder = re.findall(rb"static/\w+/", page.read())[0].decode()
    request = urllib.request.Request(f"{url}{folder}race.js", headers={"accept-encoding": "br"})
    while True:
        with urllib.request.urlopen(request) as response:
            if response.headers["content-encoding"] == "br":
                return
        time.sleep(0.2)


async def rate(url: str, pid: int, make_request: MakeRequest) -> tuple[float, float]:
    """Return the responses per second, and the responses per second of the server's processor time.

    Other programs on the machine lower the first number, but not the second.
    """
    texts, answered = _texts(), 0
    start, spent = time.perf_counter(), processor_seconds(pid)

    async def client() -> None:
        nonlocal answered
        visitor = Visitor(url)
        while time.perf_counter() < start + SECONDS:
            path, body, accept, part = make_request(next(texts))
            assert part in await visitor.post(path, body, accept)
            answered += 1
        visitor.leave()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answered / (time.perf_counter() - start), answered / (processor_seconds(pid) - spent)


def _texts() -> Iterator[str]:
    """Yield sequences. Each differs in one word from the sequence before it."""
    words = list(WORDS)
    for place, word in itertools.cycle(itertools.product(range(len(words)), CHANGED)):
        words[place] = word
        yield " ".join(words)


class Visitor:
    """A client that takes almost no time itself, so that the measured time is the server's."""

    def __init__(self, url: str) -> None:
        self.host, self.port = str(urlsplit(url).hostname), urlsplit(url).port
        self.reader: asyncio.StreamReader | None = None

    async def post(self, path: str, body: object, accept: str) -> bytes:
        """Post JSON, and return the content of the response. Raises AssertionError if the status is not 200."""
        if self.reader is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\ncontent-type: application/json\r\n"
            f"accept: {accept}\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self.writer.write(head.encode() + content)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        assert " 200 " in lines[0], lines
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        answer = await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close" or lines[0].startswith("http/1.0"):
            self.leave()
        return answer

    def leave(self) -> None:
        self.writer.close()
        self.reader = None
