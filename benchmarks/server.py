"""Servers for the benchmarks, each in its own process, and the processor time and memory of a process."""

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
    """Start a server, and yield the address that it prints. End the server at the end of the context."""
    with started(command, **environment) as (url, _):
        yield url


@contextmanager
def started(command: list[str], **environment: str) -> Iterator[tuple[str, int]]:
    """Start a server as `serving` does, and yield its address and the id of its process."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | environment
    )
    try:
        url = printed_address(process)
        assert process.stdout is not None
        Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would block the server
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def printed_address(process: subprocess.Popen[str]) -> str:
    """Return the address that a server prints. Raises RuntimeError with its output if it ends without an address."""
    assert process.stdout is not None
    output = ""
    while line := process.stdout.readline():
        output += line
        if address := re.search(r"http://127\.0\.0\.1:\d+/", line):
            return address[0]
    raise RuntimeError(output)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its child processes so far. Raises OSError if there is no /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor_seconds(int(child)) for child in children)


def memory_kib(pid: int) -> int:
    """Return the memory of a process in KiB. Raises OSError if there is no /proc."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def gruscope() -> list[str]:
    """Return the command that starts our server at a free port."""
    return [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--no-browser"]
