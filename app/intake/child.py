"""The child process that reads an uploaded file, which may be hostile. `reading.py` starts it and can kill it.

The input is a line of JSON, the file and, for a parity check, the reference or a second file. The output is a line of
JSON and the bytes of the model. After its start, the process may allocate 512 MiB and compute for a few seconds. Both
limits are higher for a large file. The process may not write files.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypedDict, cast

import numpy as np

import gru_core
from gru_core import Model, Parity, formats
from gru_core.formats import FormatError, Imported, Limits, Unanswered
from gru_core.parity.report import Difference, is_reference
from gru_core.runs.trace import read

from ..intake.upload import Upload

MEMORY = 512 * 2**20

SECONDS = {"read": 2, "check": 10}
"""The seconds of processor time after the start, by job. On a busy machine, the elapsed time can be longer."""

COPIES, RATE = 10, 10 * 2**20
"""The extra bytes of memory for each byte of a request, and the bytes of a request that allow one extra second."""


def most_memory(request: bytes) -> int:
    """Return the maximum number of bytes that the process may allocate for a request."""
    return MEMORY + COPIES * len(request)


def most_seconds(request: bytes, do: str) -> int:
    """Return the seconds of processor time that the process has for a request."""
    return SECONDS[do] + len(request) // RATE


def main() -> None:
    request = sys.stdin.buffer.read()
    _limit(most_seconds(request, json.loads(request[: request.index(b"\n")])["do"]), most_memory(request))
    sys.stdout.buffer.write(answer(request))


def answer(request: bytes) -> bytes:
    """Return the output of the process for the input `request`."""
    head, _, body = request.partition(b"\n")
    details = json.loads(head)
    size = details["upload"]["data"]
    upload = Upload.from_metadata(details["upload"], body[:size])
    limits = Limits(**details["limits"])
    reply, model = _answer(upload, limits, body[size:] if details["do"] == "check" else None)
    return json.dumps(reply).encode() + b"\n" + model


class OptionFields(TypedDict):
    """The fields of an `Option` in JSON."""

    value: str
    means: str


class OpenQuestion(TypedDict):
    """The fields of a `Question` in JSON."""

    key: str
    text: str
    options: Sequence[OptionFields]


class Reply(TypedDict, total=False):
    """The line of JSON in the output: one of the results, or the reason why there is none.

    `report` says how the file was read. `question` is an open question about the file. `error` is a message for the
    visitor, and `failed` names an exception and its place in the code, for the log.
    """

    report: Sequence[str]
    question: OpenQuestion
    parity: ParityResult
    error: str
    failed: str


def _answer(upload: Upload, limits: Limits, reference: bytes | None) -> tuple[Reply, bytes]:
    """Return the reply and the bytes of the model or, with `reference`, the result of the parity check and no bytes."""
    try:
        network = imported(upload, limits)
        if reference is not None:
            return {"parity": parity_result(gru_core.check(network, other(reference, limits)))}, b""
        model = mark_as_imported(network.model)
        check_outputs(model)
        return {"report": network.report}, model.to_bytes()
    except Unanswered as error:
        return {"question": cast(OpenQuestion, asdict(error.question))}, b""
    except FormatError as error:
        return {"error": str(error)}, b""
    except MemoryError:
        raise
    except Exception as error:  # an uploaded file can be wrong in any way
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        return {"failed": f"{type(error).__name__} at {place}"}, b""


def imported(upload: Upload, limits: Limits) -> Imported:
    """Return the network in an uploaded file. Raises the errors of `gru_core.formats.read`."""
    return formats.read(upload.data, upload.name, upload.answers, upload.alphabet, upload.labels, limits=limits)


def other(file: bytes, limits: Limits) -> bytes | Imported:
    """Return the other side of a parity check: the bytes of a reference, or the network in a second file.

    Raises FormatError if the file cannot be read, or if it leaves a question open.
    """
    if is_reference(file):
        return file
    try:
        return formats.read(file, "the second file", limits=limits)
    except Unanswered as error:
        option = error.question.options[0].value
        raise FormatError(
            f"the second file leaves a question open: {error.question.text} Answer it on the command line: "
            f"gruscope check FILE SECOND_FILE --second-answer {error.question.key}={option}"
        ) from error


def mark_as_imported(model: Model) -> Model:
    """Return the model with a card that says that its weights were imported, whatever the card in the file says."""
    return replace(model, card=replace(model.card, weights="imported"))


def check_outputs(model: Model) -> None:
    """Run the model over its examples, to find errors before a page does.

    Raises FormatError if outputs are not finite or names are not text, and any exception of the run itself.
    """
    for text in {*model.examples, model.encoder.example}:
        _, x = read(model, text)
        if not np.isfinite(gru_core.trace(model, x).y).all():
            raise FormatError("the outputs of this network are not finite numbers")
    if not all(isinstance(text, str) for text in (*model.encoder.labels, model.encoder.hint)):
        raise FormatError("the names of this network's inputs cannot be shown: they are not text")


class DifferenceResult(TypedDict):
    """The fields and the title of a `Difference` in JSON types."""

    name: str
    by_step: list[float]
    largest: float
    relative: float
    step: int
    unit: int
    first: int | None
    title: str


class ParityResult(TypedDict):
    """The result of a parity check in JSON types, and the check in words, `text`."""

    passed: bool
    tolerance: float
    differences: list[DifferenceResult]
    gates: list[DifferenceResult]
    precision: str
    cause: str | None
    cause_name: str | None
    remedy: str | None
    text: str


def parity_result(report: Parity) -> ParityResult:
    """Return the result of a parity check in JSON types."""
    cause = report.cause
    return {
        "passed": report.passed,
        "tolerance": report.tolerance,
        "differences": [_difference(difference) for difference in report.differences],
        "gates": [_difference(difference) for difference in report.gates],
        "precision": report.precision,
        "cause": None if cause is None else str(cause),
        "cause_name": None if cause is None else cause.name,
        "remedy": None if cause is None else cause.remedy,
        "text": str(report),
    }


def _difference(difference: Difference) -> DifferenceResult:
    return {
        "name": difference.name,
        "by_step": difference.by_step.tolist(),
        "largest": difference.largest,
        "relative": difference.relative,
        "step": difference.step,
        "unit": difference.unit,
        "first": difference.first,
        "title": difference.title,
    }


def _limit(seconds: int, memory: int) -> None:
    """Limit the time, memory and files of this process. On Windows, only the parent's timeout applies."""
    try:
        import resource
    except ImportError:  # Windows
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    end = math.ceil(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (end, end))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = Path("/proc/self/statm")
    if pages.exists():
        most = int(pages.read_text().split()[0]) * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
