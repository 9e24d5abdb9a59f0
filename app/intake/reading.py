"""Reading of uploaded files in child processes: a few at a time, with limits on memory and time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from gru_core import Model, formats
from gru_core.formats.limits import Limits

from ..errors import Refused
from ..intake.child import OpenQuestion, ParityResult, Reply, most_memory, most_seconds
from ..intake.upload import Upload

RUNNING, WAITING = 2, 8
TIMEOUT = 20
"""The timeout for a child process, in seconds. The processor time that the process may use is added to it."""

NICE = 5

_places = threading.Semaphore(RUNNING + WAITING)
_running = threading.Semaphore(RUNNING)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadResult:
    """The result of reading an upload: a `model` with a `report` in sentences, or an open `question`."""

    report: tuple[str, ...] = ()
    model: Model | None = None
    question: OpenQuestion | None = None


def read(upload: Upload, limits: Limits) -> UploadResult:
    """Read an upload, and return its model or its open question. Raises Refused if the file cannot be read."""
    answer, model = _call_child("read", upload, limits, b"")
    network = formats.read(model, upload.name, limits=limits).model if model else None
    return UploadResult(tuple(answer.get("report", ())), network, answer.get("question"))


def check(upload: Upload, limits: Limits, reference: bytes) -> ParityResult:
    """Compare the model of an upload with a reference file. Raises Refused if they cannot be compared."""
    answer, _ = _call_child("check", upload, limits, reference)
    return answer["parity"]


def _call_child(do: str, upload: Upload, limits: Limits, reference: bytes) -> tuple[Reply, bytes]:
    head = json.dumps({"do": do, "upload": upload.metadata, "limits": asdict(limits)}).encode()
    request = b"".join((head, b"\n", upload.data, reference))
    seconds = most_seconds(request, do)
    with _place(), tempfile.TemporaryDirectory(prefix="gruscope-") as folder:
        status, out = _run(request, folder, TIMEOUT + seconds)
    reply, _, model = out.partition(b"\n")
    if status != 0 or not reply:
        _log.warning("the process that had to %s a file ended with status %s", do, status)
        bounds = f"{seconds} seconds of computing and {most_memory(request) // 2**20} MiB of memory"
        message = f"this file could not be read within {bounds}: check that it is complete, or upload a smaller file"
        raise Refused(422, "limits", message, "file")
    answer: Reply = json.loads(reply)
    if "failed" in answer:
        _log.warning("a file could not be read: %s", answer["failed"])
        raise Refused(422, "format", "this file could not be read: it is damaged, or its type is not supported", "file")
    if "error" in answer:
        raise Refused(422, "format", answer["error"], "file")
    return answer, model


@contextmanager
def _place() -> Iterator[None]:
    """Wait until a child process may start. Raises Refused if too many requests are already waiting."""
    if not _places.acquire(blocking=False):
        message = "too many files are being read at the moment; try again in a few seconds"
        raise Refused(429, "busy", message, retry_after=5)
    try:
        with _running:
            yield
    finally:
        _places.release()


def _run(request: bytes, folder: str, seconds: int) -> tuple[int, bytes]:
    """Run the child process in an empty folder for at most `seconds`. Return its exit status and its output."""
    command = [sys.executable, "-P", "-m", f"{__package__}.child"]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=nothing, cwd=folder, env=_environment()
    ) as process:  # fmt: skip
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
        try:
            out, _ = process.communicate(request, seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
        return process.returncode, out


def _environment() -> dict[str, str]:
    """Return the environment variables of the child process: the path of the modules, and no secrets of the server."""
    environment = {
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",  # each thread needs memory
    }
    # Without SYSTEMROOT, Windows finds none of its libraries.
    return environment | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
