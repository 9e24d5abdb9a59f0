"""A server of one's own for the benchmarks, in a process of its own as in use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread


@contextmanager
def serving(command: list[str], **environment: str) -> Iterator[str]:
    """The address of a server started by `command`, which prints it."""
    with started(command, **environment) as (url, _):
        yield url


@contextmanager
def started(command: list[str], **environment: str) -> Iterator[tuple[str, int]]:
    """The same, with the id of the server's process."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | environment
    )
    try:
        assert process.stdout is not None
        found, said = None, ""
        while not found:
            line = process.stdout.readline()
            said += line
            if not line:
                raise RuntimeError(said)
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        Thread(target=process.stdout.read, daemon=True).start()  # its log would fill the pipe, and stop it
        yield found[0], process.pid
    finally:
        process.kill()
        process.wait()


def processor_seconds(pid: int) -> float:
    """What a process and those that it began have computed so far. Raises OSError where there is no /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor_seconds(int(child)) for child in children)


def gruscope() -> list[str]:
    return [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--no-browser"]
