"""Messages that commands print to standard error."""

from __future__ import annotations

import sys


def warn(message: str) -> None:
    """Print a message to standard error, with the prefix "gruscope: "."""
    print(f"gruscope: {message}", file=sys.stderr)


def fail(message: str, status: int = 1) -> int:
    """Print why the command fails, and return the exit code `status`."""
    warn(message)
    return status


def fail_to_write(name: object, error: OSError) -> int:
    """Print that the file `name` cannot be written and why, and return exit code 1."""
    return fail(f"{name} cannot be written: {error.strerror}")
