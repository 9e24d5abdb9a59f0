"""Each parser of a visitor's text takes linear time for the worst known texts of 64 KB."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app import link, models, recipes
from app.errors import Refused
from app.lessons import quantities, reading, shelf, shown
from app.runs.census import read_data
from app.runs.limits import MOST_LINES
from app.settings import Settings
from gru_core import SequenceError, Vectors
from gru_core.encoders.symbols import Symbols
from gru_core.formats.vectors import read_vectors
from gru_core.numerals import decimal, whole
from gru_core.runs.trace import read
from gru_core.training import own, table
from tests.support.timing import cpu_seconds

HEAD = "---\ntitle: a\nmodel: flip-flop\nminutes: 5\n---\n\n## [a](?sequence=A)\n"
SIZE = 65_536
SECONDS = 0.05
REFUSALS = (Refused, SequenceError, table.TableError, reading.LessonError, ValueError)

Parse = Callable[[str], object]


def filled(piece: str, end: str = "") -> str:
    """Return a string of 64 KB that repeats `piece` and ends with `end`."""
    return (piece * (SIZE // len(piece) + 1))[: SIZE - len(end)] + end


def seconds(parse: Parse, text: str) -> float:
    """Return the CPU seconds that `parse` takes to parse or refuse `text`."""

    def call() -> None:
        with suppress(*REFUSALS):
            parse(text)

    return cpu_seconds(call, SECONDS)


PIECES = (
    "1", ".", "1.", ",", "1,", "1 ", "-", "A", "A ", "w", "good ", "+1 ", "=1 ", " ", "\n", "\0", "٣", "İ", "½", "é",
    "\u0301", "\u0f73",
)  # fmt: skip
ENDS = ("", "x", "e", ".")
MODELS = {
    "symbols": gru.load("flip-flop"),
    "words": gru.load("sentiment"),
    "numbers": gru.load("pocket-calculator"),
    "letters": gru.load("names"),
    "scaled numbers": gru.load("sunspots"),
    "a vector of one": replace(gru.load("flip-flop"), encoder=Vectors(1)),
    "vectors": replace(gru.load("flip-flop"), encoder=Vectors(256)),
}


def sequences() -> Iterator[tuple[str, Parse, str]]:
    texts = [filled(piece, end) for piece in PIECES for end in ENDS] + [filled(",".join(["1"] * 256) + " ")]
    half = SIZE // 2  # an accent has two bytes
    texts += ["e" + (half // 2) * "\u0301" + (half // 2) * "\u0316", filled("e" + 15 * "\u0301\u0316")[:half]]
    for name, model in MODELS.items():
        for text in texts:
            yield name, lambda text, model=model: read(model, text, 2_000), text


def links() -> Iterator[tuple[str, Parse, str]]:
    values = [
        *(filled(piece, end) for piece in PIECES for end in ("", "x")),
        filled("z.1@4-6=0,"), filled("z.1.W1=0,"), filled("tape,", "tape"), filled("tape|"), filled("gru,"),
        "z@1=" + filled("1", "x"), "z.1.W1=" + filled("1", "x"), "z@1=-" + filled("1.", "x"), "z@1-" + filled("1", "x"),
        "z." + filled("1+", "@1=0"), "z.1.b=1e-" + filled("1", "x"), filled("1:1,"), filled("0:0.1,"),
    ]  # fmt: skip
    keys = ("model", "sequence", *link.CHANGES, "v", *link.FOCUS)
    numbers = ("units", "seed", "T_max", "after", "most", "T", "rate", "reach", "b_z", "penalty_z", "changes")
    for text in values:
        for key in keys:
            yield key, lambda text, key=key: link.read_link({key: text}), text
        for key in ("task", "cells", "first", *numbers):
            yield key, lambda text, key=key: recipes.read_recipes({key: text}), text
    yield "an address", link.read_address, filled("a=1&")


def tables() -> Iterator[tuple[str, Parse, str]]:
    pieces = (
        "A m,A B\n",
        "A,A\n",
        "A,-\n",
        ",",
        '"',
        '""',
        '"a\n',
        "A ",
        "\n",
        " \n",
        "é",
        "A " * 64 + "," + "A " * 64 + "\n",
    )
    wide = " ".join(f"s{i}" for i in range(64)) + "," + " ".join("A" for _ in range(64))
    texts = [filled(piece, end) for piece in pieces for end in ("", "x")] + ["\n".join([wide, *["s1,B"] * 1_999])]
    for text in texts:
        yield "a table or a series", own.read, text


def files() -> Iterator[tuple[str, Parse, str]]:
    for piece in (*PIECES, "1\n", "1.5\n", '"1"\n', "-\n", "A,B\n", "A\tB\n", "\r", ";", "\t", "1;2\n", "- -,"):
        for end in ("", "x"):
            text = filled(piece, end)
            for model in (MODELS["symbols"], MODELS["words"], MODELS["letters"]):
                for is_table in (True, False):
                    parse = partial(read_data, table=is_table, model=model, most=MOST_LINES)
                    yield "sequences for a census", parse, text
            for model in (MODELS["a vector of one"], MODELS["vectors"]):
                parse = partial(read_file, model=model)
                yield "a file of vectors", parse, text


def read_file(text: str, model: gru.Model) -> str:
    return read_vectors(text.encode(), "x.csv", model.encoder, Settings().max_steps).text


def lessons() -> Iterator[tuple[str, Parse, str]]:
    for piece in (
        "{{",
        "{{ z }} ",
        "[",
        "](",
        "[a](",
        "$",
        "$$",
        "`",
        "*a ",
        ">",
        "- a\n",
        "|a|b\n|-|-\n",
        ":::\n",
        "<",
    ):
        yield "a lesson", lambda text: reading.read("a", text), HEAD + filled(piece)
    figure, runs = reading.Figure("", {"model": "flip-flop"}), quantities.Runs(Settings())
    for piece in ("z", "a ", "- ", " ", "a - ", "z@", "z@1", "9", "waits scan ", "| a=b, ", "_-", "\n"):
        for end in ("", "x"):
            yield "an expression", lambda text: quantities.evaluate(text, figure, runs), filled(piece, end)
            yield "a curve", lambda text: quantities.curve(text, figure, runs), filled(piece, end)
            yield "steps", lambda text: quantities.matching_steps(text, figure, runs), f"z above {filled(piece, end)}"
            yield (
                "steps",
                lambda text: quantities.matching_steps(text, figure, runs),
                f"most share@{filled(piece, end)}",
            )
    for piece in ("/", "?", "//", "http:", "?a=b&", "/embed", "%"):
        yield "a link of a lesson", lambda text: reading.figure_of(text, figure), filled(piece)


def names() -> Iterator[tuple[str, Parse, str]]:
    lesson = shelf.get("update", Settings())
    for piece in ("1", "9.", ".", "²", "٣", "a", "@", "flip-flop@", "/", "u-"):
        for end in ("", "@0", "@1", ".1"):
            yield "a question", lambda text: shown.question_of(lesson, text), filled(piece, end)
            yield "a model", lambda text: models.get(text, Settings()), filled(piece, end)
            yield "a whole number", whole, filled(piece, end)
            yield "a number", decimal, filled(piece, end)


@pytest.mark.parametrize("cases", [sequences, links, tables, files, lessons, names])
def test_parsers_take_at_most_50_ms_for_the_worst_texts(cases: Callable[[], Iterator[tuple[str, Parse, str]]]) -> None:
    slow = [(name, text[:40], took) for name, parse, text in cases() if (took := seconds(parse, text)) > SECONDS]
    assert not slow


MANY_JOINED = tuple("!" * 60 + f"{i:03}x" for i in range(1_000))
MANY_LENGTHS = tuple("!" * n + "x" for n in range(1, 64))


@pytest.mark.parametrize("joined", [MANY_JOINED, MANY_LENGTHS])
def test_symbols_with_signs_inside_are_found_in_linear_time(joined: tuple[str, ...]) -> None:
    """Each character takes 2 µs, or 17 µs with 63 symbol lengths. The limit of 40 µs allows for a busy machine."""
    encoder = Symbols(("!", *joined))
    for n in (SIZE // 8, SIZE // 2):
        assert cpu_seconds(lambda n=n: encoder.tokens("!" * n), n * 4e-5) < n * 4e-5


@pytest.mark.parametrize("piece", ["{{", "[", "![", "$x$ ", "$$)(", "[a](", "**a ", "- a\n", "|a|b\n|-|-\n", "1. a\n"])
def test_a_lesson_of_the_largest_allowed_size_is_parsed_in_5_seconds(piece: str) -> None:
    """A lesson is parsed once, outside the event loop, and only the host of the server can add it."""
    text = (HEAD + filled(piece))[: reading.MOST_BYTES]
    start = time.thread_time()
    with suppress(reading.LessonError):
        reading.read("a", text)
    assert time.thread_time() - start < 5


MANY = 20_000
WIDE: dict[str, tuple[str, object]] = {
    "wrong numbers": ("/api/trace", {"model": "flip-flop", "sequence": [["a"] * MANY]}),
    "wrong rows": ("/api/trace", {"model": "flip-flop", "sequence": [0] * MANY}),
    "wrong states": ("/api/trace", {"model": "flip-flop", "sequence": "A", "h0": [[None] * MANY]}),
    "wrong clamps": ("/api/trace", {"model": "flip-flop", "sequence": "A", "clamps": [{}] * MANY}),
    "unknown fields": ("/api/sums", {"model": "flip-flop", **{str(i): 0 for i in range(MANY)}}),
    "unknown fields further in": ("/api/trace", {"clamps": [{str(i): 0 for i in range(400)}] * 64}),
    "unknown gates": ("/api/trainings", {"task": "flip-flop", "biases": {str(i): 0 for i in range(MANY)}}),
    "changes": ("/api/trainings", {"task": "flip-flop", "changes": [{}] * MANY}),
    "no object": ("/api/score", [0] * MANY),
}


@pytest.mark.parametrize("case", WIDE)
def test_a_body_with_20000_mistakes_is_refused_within_50_ms(client: TestClient, case: str) -> None:
    """Validation runs on the event loop, where it would block all other requests."""
    path, body = WIDE[case]
    content = json.dumps(body, separators=(",", ":"))

    def post() -> None:
        assert client.post(path, content=content, headers={"Content-Type": "application/json"}).status_code == 422

    assert cpu_seconds(post, SECONDS, time.process_time) <= SECONDS


def test_the_numbers_route_leaves_out_results_after_its_time_limit(client: TestClient) -> None:
    """A typical expression takes milliseconds. Here each expression needs its own run of 2,000 timesteps."""
    link = "?model=pocket-calculator&sequence=" + "=1+" * 2_000
    body = {"link": link, "what": [f"z@1 | weights=z.1.b={n}" for n in range(32)]}
    start = time.process_time()
    results = client.post("/api/numbers", json=body).json()
    assert time.process_time() - start < 5  # all 32 would take more than twice that
    assert results[0] is not None
    assert results[-1] is None
