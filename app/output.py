"""Files that a command writes whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def check(path: Path) -> None:
    """Raise OSError when no file can be written at `path`: better known before the work than after it."""
    part = _part_of(path)
    if part is not None:
        try:
            _write(part, b"", path)
        finally:
            part.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`. Raises OSError. Whatever interrupts this, the file is whole, or is as it was before."""
    part = _part_of(path)
    if part is None:
        path.write_bytes(content)
        return
    try:
        _write(part, content, path)
        target = path.resolve()  # a link stays one
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _part_of(path: Path) -> Path | None:
    """A file beside the one that is to be written; None for a device or a pipe, whose place no file may take."""
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
