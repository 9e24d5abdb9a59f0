"""Unusual and broken requests to every route: no response may be a 5xx, or take longer than two seconds.

    python -m benchmarks.fuzz_routes --count 100000 --seed 0

The routes and the schemas of their bodies come from the OpenAPI document; the routes of pages are added. The same seed
gives the same requests, and `--only` sends one of them again. The application runs in this process. Only trainings and
uploads start other processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from fastapi import FastAPI

from app import main
from app.lessons import shelf
from app.link import FOCUS
from app.rooms import codes
from app.settings import Settings
from gru_core import presets

SECONDS = 2.0
PATIENCE = 30.0
"""Seconds after which a request without a response is a finding."""

STREAM = 0.05
"""Seconds until the client closes a stream."""

ALLOWED = {501}
"""Statuses that are not findings: oEmbed requires 501 if the format is not json."""

SLOW = {
    "GET /api/experiments/sequence", "POST /api/models", "POST /api/models/{id}/check", "POST /api/models/{id}/answers",
}  # fmt: skip
"""Routes that start a process with its own time limit. A slow response of such a route is not a finding."""

RARE = {
    "POST /api/models": 0.02, "POST /api/models/{id}/check": 0.02, "POST /api/models/{id}/answers": 0.02,
    "GET /api/experiments/sequence": 0.01, "GET /api/timing/{model}": 0.2, "GET /api/export/page.html": 0.1,
    "GET /api/export/compare.html": 0.1, "GET /api/export/train.html": 0.1, "GET /api/export/lesson.html": 0.1,
}  # fmt: skip
"""The weights of routes that are requested less often, since they start processes, measure times or send megabytes."""

SECRET = "fuzz" * 8

TEXTS = (
    "", " ", "²", "².1", "1.²", "٣", "１.１", "½", "+1", "-1", "1.0", "1_0", "0x10", "1e3", "1e999", "-0", "nan", "inf",
    "9" * 41, "9" * 400, "9" * 5_000, "1" * 3_000 + "x", "." * 500, "٣" * 300, "true", "null", "None", "[]", "{}",
    "\0", "a\0b", "\r\nX-Odd: 1", "\n", "\t", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffd", "é", "ß", "İ",
    "ſ", "日本語", "🙂", "👩‍👩‍👧", "e\u0301" * 50, "<script>alert(1)</script>", '"><b>', "{{ z }}", "{{" * 200,
    "${x}", "%", "%00", "%2e%2e%2f", "../../etc/passwd", "..\\..", "/", "//", "http://[", "http://testserver/",
    "http://testserver/lessons/²", "javascript:alert(1)", "?", "&", "=", "#", ",", ",,,,", ":", "@", "@0", "a@²",
    "flip-flop@٣", "flip-flop@0", "[" * 300,
    "A" * 3_000, "A " * 1_500, "1 " * 1_000, "z@1=0," * 100, "z.1@1-=²", "z.1.W1=1e-5",
)  # fmt: skip
"""Strings that are rarely valid values."""

NUMBERS: tuple[Any, ...] = (
    0, 1, 2, 3, 7, 20, -1, 0.5, -0.5, 1.5, 1e-9, 5e-324, 1e308, -1e308, 2**31, 2**32 - 1, 2**53 + 1, 2**63, 2**64,
    10**30, 10**400, float("nan"), float("inf"), -float("inf"), 1e999, True, False,
)  # fmt: skip

SURROGATE = "\ud800"

LINK = {
    "model": (*presets.SHIPPED, "flip-flop@0", "deep"),
    "sequence": ("A m m B m", "good . bad", "=1 +2 x", "A", "A " * 200, "a" * 30),
    "against": ("B m m B m", "A"), "clamps": ("z.1@2-3=0", "r@1-=1", "L2.z@1=0.5"),
    "weights": ("z.1.b=-2", "z.1.W1=1e-5"), "views": ("tape,cell", "memory"), "v": ("1", "2"),
    "t": ("1", "3", "999999"), "unit": ("1", "2"), "layer": ("1", "2"),
    "task": (*presets.TASKS, "own"), "by": presets.MATCHED, "cells": ("gru", "rnn,lstm,mingru"), "units": ("2", "33"),
    "seed": ("0", "4294967296"), "rate": ("0.01", "1e-4"), "most": ("1", "10"), "T": ("9",), "T_max": ("9",),
    "b_z": ("-1",), "first": ("chrono", "keras"), "changes": ("1:0.1",), "penalty_z": ("0.1",), "step": ("1", "2"),
    "training": ("flip-flop",), "hide": ("question,model",), "theme": ("dark",),
    "name": (*shelf.ORDER[:3],), "when": ("1",),
}  # fmt: skip
KEYS = tuple(dict.fromkeys((*LINK, *FOCUS)))

PLAUSIBLE: dict[str, tuple[Any, ...]] = {
    **LINK,
    "code": ("", "K7M-3QX", "rooms"),
    "id": ("flip-flop", "t-" + "0" * 32, "u-" + "0" * 32),
    "name": (*shelf.ORDER[:4], "gap", "race", "flip-flop"),
    "build": ("0",),
    "path": ("lab.js", "css/page.css", "no.js"),
    "form": ("csv", "html", "pdf"),
    "question": ("1.1", "2.1", 1),
    "url": ("http://testserver/?model=flip-flop", "http://testserver/lessons/update", "http://testserver/train"),
    "format": ("json",),
    "link": ("?model=flip-flop&sequence=A+m", "?t=2", "/compare", "?clamps=z@1=0"),
    "page": ("", "compare", "train", "lessons/update", "compare/gap"),
    "what": ("z@3", "share@2 from 1", "score", "reach@2 from 1", "z - r", "waits scan 9", "gap GRU 50"),
    "steps": ("16", "500"),
    "secret": (SECRET,),
    "authorization": (f"Bearer {SECRET}",),
}


@dataclass
class Sent:
    """A request, and its response. `work` is the processor time, and `fault` describes a finding."""

    route: str
    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    client: str = "127.0.0.1"
    status: int = 0
    seconds: float = 0.0
    work: float = 0.0
    fault: str = ""
    content: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.target[:300]} {self.headers} {self.body[:300]!r}: {self.fault}"


@dataclass(frozen=True)
class Route:
    """A route: a method and a path, with the parameters and the schema of the body from the OpenAPI document."""

    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    schema: dict[str, Any] | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: FastAPI) -> tuple[list[Route], dict[str, Any]]:
    """Return all routes, also the ones that are not in the OpenAPI document, and the document's schemas by name."""
    document = app.openapi()
    all_routes = [Route("GET", "/openapi.json", (), None), Route("GET", "/no/such/{page}", (), None)]
    for module in main.ROUTES:
        for route in module.router.routes:
            path = re.sub(r":path\}", "}", route.path)
            for method in sorted(route.methods):
                operation = document["paths"].get(path, {}).get(method.lower(), {})
                content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                all_routes.append(Route(method, path, tuple(operation.get("parameters", ())), content.get("schema")))
    return all_routes, document["components"]["schemas"]


class Requests:
    """A source of random requests. The same seed and number give the same request."""

    def __init__(self, app: FastAPI, seed: int) -> None:
        self.routes, self.schemas = routes(app)
        self.weights = [RARE.get(route.name, 0.2 if route.method == "HEAD" else 1.0) for route in self.routes]
        self.seed = seed

    def make(self, number: int) -> Sent:
        rng = random.Random(f"{self.seed} {number}")
        (route,) = rng.choices(self.routes, self.weights)
        care = rng.choice((0.0, 0.5, 0.8, 0.95, 1.0))
        return _Maker(rng, care, self.schemas).request(route)


class _Maker:
    """A generator of one request. Each part is plausible with the probability `care`, and otherwise unusual."""

    def __init__(self, rng: random.Random, care: float, schemas: dict[str, Any]) -> None:
        self.rng, self.care, self.schemas = rng, care, schemas

    def careful(self) -> bool:
        return self.rng.random() < self.care

    def request(self, route: Route) -> Sent:
        path = re.sub(r"\{(\w+)\}", lambda name: quote(self.text(name[1]), safe=""), route.path)
        headers = {"host": "localhost"}
        query = []
        for parameter in route.parameters:
            if parameter["in"] == "path" or (not parameter.get("required") and self.rng.random() < 0.3):
                continue
            value = self.text(parameter["name"], parameter.get("schema"))
            if parameter["in"] == "header":
                headers[parameter["name"]] = value
            else:
                query.append((parameter["name"], value))
        if route.schema is None and route.method != "POST":
            query += [(key, self.text(key)) for key in self.rng.sample(KEYS, self.rng.choice((0, 1, 2, 4, 8)))]
        if not self.careful():
            key, value = self.rng.choice(TEXTS), self.rng.choice(TEXTS)
            query.append((key, value))
            odd = self.rng.choice(("accept", "accept-encoding", "range", "if-none-match", "x-forwarded-for", "cookie"))
            headers[odd] = self.rng.choice(("*/*", "text/event-stream", "gzip", "br;q=9", *TEXTS))
        if self.rng.random() < 0.2:
            headers["accept"] = "text/event-stream"
        body = b""
        if route.method == "POST":
            headers["content-type"] = "application/json" if self.rng.random() < 0.97 else self.rng.choice(TEXTS)
            body = self.body(route)
            headers["content-length"] = str(len(body)) if self.rng.random() < 0.97 else self.rng.choice(TEXTS)
        if route.path.endswith("/events") and not self.careful():
            headers["last-event-id"] = self.rng.choice(TEXTS)
        target = path + ("?" + "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in query) if query else "")
        raw = [(name.encode(), value.encode("latin-1", "replace")[:8_000]) for name, value in headers.items()]
        client = f"10.0.{self.rng.randrange(256)}.{self.rng.randrange(256)}"
        return Sent(route.name, route.method, target, raw, body, client)

    def text(self, name: str, schema: dict[str, Any] | None = None) -> str:
        if self.careful():
            if schema and self.kind(schema).get("type") == "integer":
                return str(self.rng.choice((1, 2, 16, 500)))
            return str(self.rng.choice(PLAUSIBLE.get(name, ("flip-flop", "A m", "1"))))
        if self.rng.random() < 0.2:
            ranges = (128, 0xD800, 0x20000)
            points = (self.rng.randrange(self.rng.choice(ranges)) for _ in range(self.rng.choice((1, 3, 20))))
            return "".join(chr(point) for point in points if not 0xD800 <= point < 0xE000)
        return self.rng.choice(TEXTS)

    def body(self, route: Route) -> bytes:
        if route.schema is None:
            return self.rng.randbytes(self.rng.choice((0, 1, 100)))
        if self.rng.random() < 0.02:
            return self.rng.choice((b"", b"{", b"[" * 100_000, b"\xff\xfe", b"1" * 5_000, b'"\\ud800"', b'{"a":' * 900))
        value = self.value(route.schema, "", 0)
        if self.rng.random() < 0.02 and isinstance(value, dict) and value:
            self.wide(value)
        text = json.dumps(value, allow_nan=True)
        return text.encode()[: self.rng.choice((10**9, 10**9, 10**9, 10**9, 10**9, max(1, len(text) - 1)))]

    def wide(self, value: dict[str, Any]) -> None:
        """Give a body many invalid list items in one field, or many unknown fields."""
        many = self.rng.choice((10, 1_000, 20_000))
        key = self.rng.choice(list(value))
        wrong: Any = self.rng.choice((None, "a", [], {}, [None] * 3, {"gate": 1}))
        if self.rng.random() < 0.5:
            value[key] = [wrong] * many
        else:
            value.update({f"{i}": 0 for i in range(many)})

    def kind(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def value(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        schema = self.kind(schema)
        if depth > 6 or not (self.careful() or self.rng.random() < 0.5):
            return self.odd()
        if "anyOf" in schema or "oneOf" in schema:
            return self.value(self.rng.choice(schema.get("anyOf") or schema["oneOf"]), name, depth + 1)
        if "enum" in schema or "const" in schema:
            return self.rng.choice(schema.get("enum") or [schema["const"]]) if self.careful() else self.odd()
        make: dict[str, Callable[[], Any]] = {
            "object": lambda: self.object(schema, depth),
            "array": lambda: self.array(schema.get("items", {}), name, depth),
            "string": lambda: self.text(name) if self.rng.random() < 0.95 else SURROGATE,
            "integer": lambda: self.integer(schema, name),
            "number": lambda: self.rng.choice((0, 0.5, 1, 0.1)) if self.careful() else self.rng.choice(NUMBERS),
            "boolean": lambda: self.rng.random() < 0.5,
            "null": lambda: None,
        }  # fmt: skip
        return make.get(schema.get("type", ""), self.odd)()

    def array(self, items: dict[str, Any], name: str, depth: int) -> list[Any]:
        return [self.value(items, name, depth + 1) for _ in range(self.rng.choice((0, 1, 1, 2, 5)))]

    def integer(self, schema: dict[str, Any], name: str) -> Any:
        if not self.careful():
            return self.rng.choice(NUMBERS)
        if name == "most":
            return 1  # a very short training
        return self.rng.choice((schema.get("minimum", 1), 1, 1, 2, 3, 5))

    def object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {}
        for key, inner in schema.get("properties", {}).items():
            if key in required or key in ("most", "units") or self.rng.random() < 0.3:
                made[key] = self.value(inner, key, depth + 1)
        if "properties" not in schema:
            made = {
                self.text("key"): self.value(schema.get("additionalProperties", {}), "", depth + 1) for _ in range(2)
            }
        if not self.careful() and made and self.rng.random() < 0.2:
            del made[self.rng.choice(list(made))]
        if not self.careful() and self.rng.random() < 0.1:
            made[self.rng.choice((*TEXTS, SURROGATE))] = self.odd()
        return made

    def odd(self) -> Any:
        deep: Any = 1
        for _ in range(self.rng.choice((1, 3, 200))):
            deep = [deep]
        return self.rng.choice((None, [], {}, [[]], [[1, 2], [3]], {"": {}}, deep, SURROGATE, *TEXTS, *NUMBERS))


async def send(app: FastAPI, sent: Sent) -> Sent:
    """Send a request to the application, as uvicorn does. Close a stream soon after its start."""
    leave, received, loop = asyncio.Event(), False, asyncio.get_running_loop()
    path, _, query = sent.target.partition("?")

    async def receive() -> dict[str, Any]:
        nonlocal received
        if not received:
            received = True
            return {"type": "http.request", "body": sent.body, "more_body": False}
        await leave.wait()
        return {"type": "http.disconnect"}

    start, worked = _own_time(), time.process_time()

    async def respond(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.status, sent.seconds = message["status"], _own_time() - start
            for _, value in message["headers"]:
                value.decode("latin-1")
            if (b"content-type", b"text/event-stream; charset=utf-8") in message["headers"]:
                loop.call_later(STREAM, leave.set)
        elif len(sent.content) < 10_000:
            sent.content += message.get("body", b"")

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": sent.method, "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode("ascii"),
        "root_path": "", "headers": sent.headers, "client": (sent.client, 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    try:
        await asyncio.wait_for(app(scope, receive, respond), PATIENCE)
    except TimeoutError:
        sent.fault = f"no response after {PATIENCE:.0f} s"
    except Exception:
        sent.fault = traceback.format_exc(limit=-4)
    sent.work = time.process_time() - worked
    if not leave.is_set():
        sent.seconds = _own_time() - start
    if not sent.fault and (sent.status == 0 or (sent.status >= 500 and sent.status not in ALLOWED)):
        sent.fault = f"status {sent.status}: {sent.content[:200]!r}"
    return sent


def _own_time() -> float:
    """Return the time in seconds, without the time in which this process's threads waited for a processor."""
    waited = 0
    for stat in Path("/proc/self/task").glob("*/schedstat"):  # only Linux has these files
        with suppress(OSError):
            waited += int(stat.read_text().split()[1])
    return time.perf_counter() - waited / 1e9


async def send_with_retries(app: FastAPI, make: Callable[[], Sent]) -> Sent:
    """Send a request, up to three times if it takes too long, since other work may have slowed the machine."""
    for _ in range(3):
        sent = await send(app, make())
        if sent.fault or sent.route in SLOW or sent.seconds <= SECONDS:
            return sent
    sent.fault = f"took {sent.seconds:.1f} s, three times"
    return sent


class Server:
    """The application, with a folder for uploads and a room that can be opened again after its end."""

    def __init__(self, folder: str, lessons: str = "") -> None:
        settings = Settings(uploads=folder, lessons=lessons, trainings=1, waiting=1)
        self.app = main.create_app(settings)
        PLAUSIBLE["code"] = (codes.code_of(SECRET), codes.code_of(SECRET), "K7M-3QX")
        device = codes.new_device(codes.digest_of(SECRET))
        PLAUSIBLE["x-device"] = (device,)

    async def open_room(self) -> None:
        body = json.dumps({"view": {"page": "", "link": "?model=flip-flop"}, "secret": SECRET}).encode()
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        await send(self.app, Sent("", "POST", "/api/rooms", headers, body))


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    `longest` is the longest time of a request in seconds. `hardest` is the longest processor time of a request, and
    `slowest` names this request.
    """

    statuses: Counter[str]
    findings: list[Sent]
    longest: float
    hardest: float
    slowest: str


async def run(numbers: list[int], seed: int, report: Callable[[str], None]) -> Outcome:
    """Send the requests with these numbers. `report` receives findings and progress as lines of text."""
    statuses: Counter[str] = Counter()
    findings: list[Sent] = []
    longest, hardest, slowest = 0.0, 0.0, ""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        requests = Requests(server.app, seed)
        async with server.app.router.lifespan_context(server.app):
            for i, number in enumerate(numbers):
                if i % 200 == 0:
                    await server.open_room()
                sent = await send_with_retries(server.app, partial(requests.make, number))
                statuses[str(sent.status)] += 1
                if sent.route not in SLOW:
                    longest = max(longest, sent.seconds)
                    if sent.work > hardest:
                        hardest, slowest = sent.work, f"{number}, {sent.route}"
                if sent.fault:
                    findings.append(sent)
                    report(f"{number}: {sent}")
                if i % 5_000 == 4_999:
                    report(f"{i + 1:,} requests, {len(findings)} findings, the longest took {longest:.2f} s")
    return Outcome(statuses, findings, longest, hardest, slowest)


def command() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz_routes", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="send only the request with this number")
    options = parser.parse_args()
    numbers = list(range(options.count)) if options.only is None else [options.only]
    start = time.perf_counter()
    outcome = asyncio.run(run(numbers, options.seed, lambda line: print(line, flush=True)))
    failed = sum(n for status, n in outcome.statuses.items() if int(status) >= 500 and int(status) not in ALLOWED)
    print(
        f"{len(numbers):,} requests in {time.perf_counter() - start:.0f} s: {dict(sorted(outcome.statuses.items()))}, "
        f"{failed} 5xx, the longest took {outcome.longest:.2f} s, the longest processor time {outcome.hardest:.2f} s "
        f"({outcome.slowest}), {len(outcome.findings)} findings"
    )
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(command())
