"""The command `gruscope` in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

GRUSCOPE = [sys.executable, "-m", "app.cli"]


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A running server, what it said, and its address."""
    process = subprocess.Popen(
        [*GRUSCOPE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    said = ""
    try:
        assert process.stdout is not None
        while "Ctrl+C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        found = re.search(r"http://\S+/", said)
        assert found is not None
        yield process, said, found[0]
    finally:
        process.kill()
        process.communicate()
