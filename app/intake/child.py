"""What reads a stranger's file: a process of its own, which can be ended. `reading.py` runs it.

By stdin come a line of JSON, the file and, where the model is to be checked, the reference; by
stdout go a line of JSON and the model's own bytes. It gets 512 MB besides what it began with and a
few seconds of work, and can write no file.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

import gru_core
from gru_core import Model, Parity, formats
from gru_core.formats import FormatError, Imported, Unanswered
from gru_core.trace import read

from ..intake.upload import Upload

MEMORY = 512 * 2**20
SECONDS = {"read": 2, "check": 10}
"""Of work, once it has started: on a busy machine they last longer."""


def main() -> None:
    asked = sys.stdin.buffer.read()
    _limit(SECONDS[json.loads(asked[: asked.index(b"\n")])["do"]])
    sys.stdout.buffer.write(answer(asked))


def answer(asked: bytes) -> bytes:
    """What comes in turned into what goes out."""
    head, _, body = asked.partition(b"\n")
    about = json.loads(head)
    size = about["upload"]["data"]
    upload = Upload.of(about["upload"], body[:size])
    said, model = _answer(upload, body[size:] if about["do"] == "check" else None)
    return json.dumps(said).encode() + b"\n" + model


def _answer(upload: Upload, reference: bytes | None) -> tuple[dict[str, Any], bytes]:
    """What there is to say of the upload and the model in it, or how it meets the reference."""
    try:
        found = imported(upload)
        if reference is not None:
            return {"parity": parity(gru_core.check(found, reference))}, b""
        model = as_kept(found.model)
        try_out(model)
        return {"said": found.said}, model.to_bytes()
    except Unanswered as error:
        return {"question": asdict(error.question)}, b""
    except FormatError as error:
        return {"error": str(error)}, b""
    except MemoryError:
        raise
    except Exception as error:  # a stranger's file can be wrong in any way
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        return {"failed": f"{type(error).__name__} at {place}"}, b""


def imported(upload: Upload) -> Imported:
    """The model in a file as it was brought. Raises as `gru_core.formats.read`."""
    return formats.read(upload.data, upload.name, upload.answers, upload.alphabet, upload.labels)


def as_kept(model: Model) -> Model:
    """The model with a card that says how it got here, whatever the card in the file says."""
    return replace(model, card=replace(model.card, weights="imported"))


def try_out(model: Model) -> None:
    """Raise when the model cannot be run, or answers what is not finite: better known now than on the page."""
    for text in {*model.examples, model.encoder.example}:
        _, x = read(model, text)
        if not np.isfinite(gru_core.trace(model, x).y).all():
            raise FormatError("the outputs of this network are not finite numbers")
    if not all(isinstance(text, str) for text in (*model.encoder.labels, model.encoder.hint)):
        raise FormatError("the names of this network's inputs cannot be shown: they are not text")


def parity(report: Parity) -> dict[str, Any]:
    """A proof of parity, or of the lack of it, as JSON has it."""
    return {
        "passed": report.passed,
        "tolerance": report.tolerance,
        "differences": [asdict(d) | {"by_step": d.by_step.tolist()} for d in report.differences],
        "cause": report.cause and str(report.cause),
        "text": str(report),
    }


def _limit(seconds: int) -> None:
    """Bound what this process may take up from here on. Where the system has no limits the parent's clock remains."""
    try:
        import resource
    except ImportError:  # Windows
        return
    of = resource.getrusage(resource.RUSAGE_SELF)
    worked = math.ceil(of.ru_utime + of.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (worked, worked))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = Path("/proc/self/statm")
    if pages.exists():
        most = int(pages.read_text().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
