"""A stranger's file is read in a process apart: few at a time, in little memory, for seconds at most."""

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
from dataclasses import dataclass
from typing import Any

from gru_core import Model, formats

from ..errors import Refused
from ..intake.child import MEMORY, SECONDS
from ..intake.upload import Upload

RUNNING, WAITING = 2, 8
PATIENCE = 20
"""Seconds by the clock after which a child is ended, whatever it is doing."""

NICE = 5

_places = threading.Semaphore(RUNNING + WAITING)
_running = threading.Semaphore(RUNNING)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What came of an upload: a `model` and what was `said`, or the `question` in the way of it."""

    said: tuple[str, ...] = ()
    model: Model | None = None
    question: dict[str, Any] | None = None


def read(upload: Upload) -> Found:
    """The model in an upload, or what must be answered first. Raises Refused when there is none."""
    answer, model = _child("read", upload, b"")
    found = formats.read(model, upload.name).model if model else None
    return Found(tuple(answer.get("said", ())), found, answer.get("question"))


def check(upload: Upload, reference: bytes) -> dict[str, Any]:
    """How the model of an upload meets a reference. Raises Refused when they cannot be compared."""
    answer, _ = _child("check", upload, reference)
    found: dict[str, Any] = answer["parity"]
    return found


def _child(do: str, upload: Upload, reference: bytes) -> tuple[dict[str, Any], bytes]:
    asked = json.dumps({"do": do, "upload": upload.about}).encode()
    with _place(), tempfile.TemporaryDirectory(prefix="gruscope-") as nowhere:
        status, out = _run(b"\n".join((asked, upload.data + reference)), nowhere)
    head, _, model = out.partition(b"\n")
    if status != 0 or not head:
        _log.warning("the process that had to %s a file ended with status %s", do, status)
        limits = f"{SECONDS[do]} seconds of computing and {MEMORY // 2**20} MiB of memory"
        message = f"this file could not be read within {limits}: check that it is complete, or upload a smaller file"
        raise Refused(422, "limits", message, "file")
    answer = json.loads(head)
    if "failed" in answer:
        _log.warning("a file could not be read: %s", answer["failed"])
        raise Refused(422, "format", "this file could not be read: it is damaged, or its type is not supported", "file")
    if "error" in answer:
        raise Refused(422, "format", answer["error"], "file")
    return answer, model


@contextmanager
def _place() -> Iterator[None]:
    """Wait for one of the few places. Raises Refused when too many do."""
    if not _places.acquire(blocking=False):
        message = "too many files are being read at the moment; try again in a few seconds"
        raise Refused(429, "busy", message, retry_after=5)
    try:
        with _running:
            yield
    finally:
        _places.release()


def _run(asked: bytes, folder: str) -> tuple[int, bytes]:
    """Run the child in an empty folder: how it ended, and what it said."""
    command = [sys.executable, "-P", "-m", f"{__package__}.child"]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=nothing, cwd=folder, env=_environment()
    ) as process:  # fmt: skip
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
        try:
            out, _ = process.communicate(asked, PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
        return process.returncode, out


def _environment() -> dict[str, str]:
    """Nothing of the server's but where its modules are."""
    environment = {
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",  # each thread takes memory
    }
    # Without it Windows finds none of its libraries.
    return environment | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
