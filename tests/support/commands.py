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
    """Run a server; yield its process, its output so far, and its address."""
    process = subprocess.Popen(
        [*GRUSCOPE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    output = ""
    try:
        assert process.stdout is not None
        while "Ctrl+C" not in output:
            line = process.stdout.readline()
            assert line, output
            output += line
        match = re.search(r"http://\S+/", output)
        assert match is not None
        yield process, output, match[0]
    finally:
        process.kill()
        process.communicate()
