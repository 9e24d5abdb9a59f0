"""How many answers a second: from an edit of the sequence to the new run's data, for clients that keep connections."""

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

Ask = Callable[[str], tuple[str, dict[str, object], str, bytes]]
"""From a sequence to path, body and accepted type, and to what an answer must have in it."""


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
    print(f"Answers: {len(WORDS)} words for a GRU of 8 units, {CLIENTS} clients, medians of {ROUNDS} rounds")
    with ExitStack() as stack:
        one, two, other = (
            stack.enter_context(started(command))
            for command in (gruscope(), [*gruscope(), "--workers", "2"], [sys.executable, "-m", "benchmarks.dash_app"])
        )
        wait_for(other[0])
        for url, _ in (one, two):
            settled(url)
        asked: dict[str, tuple[tuple[str, int], Ask]] = {
            "1 worker, events": (one, events),
            "1 worker, JSON": (one, whole),
            "2 workers, events": (two, events),
            "2 workers, JSON": (two, whole),
            "Dash": (other, dash),
        }
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
        for _ in range(1 + ROUNDS):  # in turns, since other work on the machine comes and goes
            for name, (server, ask) in asked.items():
                rates[name].append(asyncio.run(rate(*server, ask)))
    median = {name: [statistics.median(of) for of in zip(*found[1:], strict=True)] for name, found in rates.items()}
    print("                     a second            a second of processor")
    for name, found in median.items():
        of_dash = [ours / theirs for ours, theirs in zip(found, median["Dash"], strict=True)]
        print(f"  {name:17} {found[0]:6,.0f}, {of_dash[0]:4.1f} × Dash {found[1]:9,.0f}, {of_dash[1]:4.1f} × Dash")
    for kind in ("events", "JSON"):
        ours, both, dashs = (median[name] for name in (f"1 worker, {kind}", f"2 workers, {kind}", "Dash"))
        print(f"  {kind}: two workers over one, with {len(os.sched_getaffinity(0))} cores: {both[0] / ours[0]:.2f}")
        print(f"  {kind}: one over Dash at least 15: {'yes' if ours[0] >= 15 * dashs[0] else 'NO'}")


def settled(url: str) -> None:
    """Wait until a server has compressed its files, which takes a core for some seconds after it has begun."""
    with urllib.request.urlopen(url) as page:
        folder = re.findall(rb"static/\w+/", page.read())[0].decode()
    request = urllib.request.Request(f"{url}{folder}race.js", headers={"accept-encoding": "br"})
    while True:
        with urllib.request.urlopen(request) as answer:
            if answer.headers["content-encoding"] == "br":
                return
        time.sleep(0.2)


async def rate(url: str, pid: int, ask: Ask) -> tuple[float, float]:
    """Answers a second, and a second of the server's processor time: that counts where others use the processors."""
    texts, answered = _texts(), 0
    begun, spent = time.perf_counter(), processor_seconds(pid)

    async def client() -> None:
        nonlocal answered
        visitor = Visitor(url)
        while time.perf_counter() < begun + SECONDS:
            path, body, accept, wanted = ask(next(texts))
            assert wanted in await visitor.post(path, body, accept)
            answered += 1
        visitor.leave()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answered / (time.perf_counter() - begun), answered / (processor_seconds(pid) - spent)


def _texts() -> Iterator[str]:
    """One sequence after another, each with a word of the last one changed."""
    words = list(WORDS)
    for place, word in itertools.cycle(itertools.product(range(len(words)), CHANGED)):
        words[place] = word
        yield " ".join(words)


class Visitor:
    """A client that costs next to no time itself, so that it is the servers that are measured."""

    def __init__(self, url: str) -> None:
        self.host, self.port = str(urlsplit(url).hostname), urlsplit(url).port
        self.reader: asyncio.StreamReader | None = None

    async def post(self, path: str, body: object, accept: str) -> bytes:
        """The content of the answer, which must be good."""
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
