"""The effect of two running trainings on visitors of the Lab: the p99 of /api/trace, and the time of an edit."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import sync_playwright

from benchmarks.page import edits, open_page
from benchmarks.server import gruscope, serving
from benchmarks.timing import verdict
from tests.support.chromium import installed

REQUESTS, TURNS = 600, 5
LONG = {"task": "sentiment", "units": 32, "T": 100, "most": 6000, "reach": 2.0}
TEXT = "the film was good . not very bad . dull " * 2


def content(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> bytes:
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    return connection.getresponse().read()


def slowest(connection: http.client.HTTPConnection) -> float:
    """Return the 99th percentile of the time of a run, in seconds."""
    seconds = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        content(connection, "POST", "/api/trace", {"model": "sentiment", "sequence": TEXT})
        seconds.append(time.perf_counter() - start)
        time.sleep(0.002)
    return statistics.quantiles(seconds, n=100)[98]


def once(host: str, method: str, path: str, body: object = None) -> Any:
    """Send a request on a new connection, since the server closes idle ones, and return the JSON of the response."""
    return json.loads(content(http.client.HTTPConnection(host), method, path, body))


def follow(host: str, id: str) -> None:
    with suppress(http.client.HTTPException, OSError):  # the server ends before the training
        content(http.client.HTTPConnection(host), "GET", f"/api/trainings/{id}/events?token=own")


@contextmanager
def training(host: str, seed: int) -> Iterator[None]:
    """Start two trainings, follow them, and delete them at the end of the context."""
    ids = [once(host, "POST", "/api/trainings?token=own", LONG | {"seed": seed + i})["id"] for i in (0, 1)]
    for id in ids:
        Thread(target=follow, args=[host, id]).start()
    while not all(once(host, "GET", f"/api/trainings/{id}")["steps"] for id in ids):
        time.sleep(0.1)
    yield
    for id in ids:
        before = once(host, "GET", f"/api/trainings/{id}")["state"]
        assert before == "running", before
        once(host, "DELETE", f"/api/trainings/{id}?token=own")


def main() -> None:
    with sync_playwright() as playwright, serving(gruscope()) as ours:
        host = urlsplit(ours).netloc
        connection = http.client.HTTPConnection(host)
        slowest(connection)
        print(f"Two trainings at once: the p99 of {REQUESTS} runs of 20 steps, and edits, in {TURNS} turns")
        without, beside = [], []
        for turn in range(TURNS):
            without.append(slowest(connection))
            with training(host, 2 * turn):
                beside.append(slowest(connection))
        p99 = [1e3 * statistics.median(seconds) for seconds in (without, beside)]
        verdict(f"p99 beside trainings ({p99[1]:.1f} ms) over without ({p99[0]:.1f} ms)", p99[1] / p99[0], 2)
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        texts = [TEXT + word for word in ("good", "bad")]
        page = open_page(browser, ours + "?" + urlencode({"model": "sentiment", "sequence": texts[0]}))
        alone = edits({"ours": (page, texts)})["ours"]
        with training(host, 100):
            busy = edits({"ours": (page, texts)})["ours"]
        verdict(f"an edit beside trainings ({busy:.0f} ms) over without ({alone:.0f} ms)", busy / alone, 1.5)
