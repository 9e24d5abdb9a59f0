"""Atomic writing of files: a file is written completely, or it does not change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def check(path: Path) -> None:
    """Raise OSError if no file can be written at `path`. Call this before long work."""
    part = _part_of(path)
    if part is not None:
        try:
            _write(part, b"", path)
        finally:
            part.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Write `content` to `path`. After an interruption, the file is either complete or unchanged. Raises OSError."""
    part = _part_of(path)
    if part is None:
        path.write_bytes(content)
        return
    try:
        _write(part, content, path)
        target = path.resolve()  # a symbolic link stays a link
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _part_of(path: Path) -> Path | None:
    """Return the path of a temporary file in the same folder, or None for a device or a pipe, which is not replaced."""
    if path.exists() and not path.is_file():
        return None
    target = path.resolve()
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def _write(part: Path, content: bytes, path: Path) -> None:
    try:
        part.write_bytes(content)
    except OSError as error:
        error.filename = str(path)
        raise
