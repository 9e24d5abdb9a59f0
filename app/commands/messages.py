"""Messages of a command on standard error."""

from __future__ import annotations

import sys


def warn(message: str) -> None:
    """Print a message after the name of the program."""
    print(f"gruscope: {message}", file=sys.stderr)


def fail(message: str, status: int = 1) -> int:
    """Print why the command ends, and return its exit code."""
    warn(message)
    return status


def fail_to_write(name: object, error: OSError) -> int:
    """Print that a file cannot be written and why, and return the exit code."""
    return fail(f"{name} cannot be written: {error.strerror}")
