"""The `gruscope` command, run in this process or in a new process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli import main

GRUSCOPE = [sys.executable, "-m", "app.cli"]


def exit_code(*arguments: str) -> object:
    """Run a command in this process, which imports the packages only once, and return its exit code."""
    try:
        return main(arguments)
    except SystemExit as error:
        return error.code


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a server in a new process. Yield the process, the output up to the address, and the address."""
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
