"""The store of uploads: a folder that keeps uploads while there is space. Everyone with the link can see a model.

Each upload has one file, named by the upload's id. The file has four parts: the SHA-256 of the second line, a line of
JSON with the SHA-256 of the other parts, the bytes of the model, and the uploaded file, which a parity check reads
again. A file that does not match its checksums is damaged or of another version, and counts as deleted. Several servers
may share the folder: they rename a complete file into place, never change a file, and delete the least recently used
files first.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gru_core import formats
from gru_core.formats import LIMITS, Limits

from ..intake.reading import UploadResult
from ..intake.upload import ID, Upload

ENDING = ".upload"
UNFINISHED = ".part"
ABANDONED = 3600
"""Seconds after which an unfinished file is deleted."""

DAMAGED = (OSError, ValueError, KeyError, TypeError)
"""The exceptions that reading a damaged file, or a file of another version, can raise."""

LOADED = 64 * 2**20
"""The maximum number of bytes of models in memory."""


class Store:
    """The uploads in `folder`: at most `most` files, with `most_bytes` bytes together, and models within `limits`.

    Raises OSError if the folder cannot be created.
    """

    def __init__(self, folder: str | Path, most: int, most_bytes: int, limits: Limits = LIMITS) -> None:
        self.folder, self.most, self.most_bytes, self.limits = Path(folder), most, most_bytes, limits
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._loaded: OrderedDict[str, tuple[UploadResult, int]] = OrderedDict()  # with the size in bytes
        self._size = 0
        self._lock, self._loading = threading.Lock(), threading.Lock()

    def put(self, upload: Upload, result: UploadResult) -> None:
        """Store an upload, and delete the least recently used ones if there is no space.

        Raises OSError if the file cannot be written.
        """
        model = b"" if result.model is None else result.model.to_bytes()
        head = {
            "upload": upload.metadata,
            "report": result.report,
            "question": result.question,
            "model": len(model),
            "sums": [_sum(model), _sum(upload.data)],
        }
        line = json.dumps(head).encode() + b"\n"
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=UNFINISHED, delete=False) as file:
            try:
                file.writelines((_sum(line).encode(), b"\n", line, model, upload.data))
                file.flush()
                os.fsync(file.fileno())
                file.close()
                Path(file.name).replace(self._path(upload.id))
            except BaseException:
                file.close()
                Path(file.name).unlink(missing_ok=True)
                raise
        self._make_room(upload.id)

    def get(self, id: str) -> UploadResult | None:
        """Return the result of an upload, and mark the upload as used. Return None if it is not stored, or damaged."""
        if not self._use(id):
            self._unload(id)
            return None
        result = self._in_memory(id)
        if result is None:
            with self._loading:  # one at a time, because reading a model needs more memory than the model
                result = self._in_memory(id) or self._load(id)
        return result

    def peek(self, id: str) -> UploadResult | None:
        """Return the result of an upload as `get` does, but do not mark the upload as used."""
        try:
            with self._path(id).open("rb") as file:
                head = _head(file)
                model = _part(file, head["model"], head["sums"][0])
            return UploadResult(
                tuple(head["report"]),
                formats.read(model, id, limits=self.limits).model if model else None,
                head["question"],
            )
        except DAMAGED:
            return None

    def upload(self, id: str) -> Upload | None:
        """Return the uploaded file and its answers, and mark it as used. Return None if it is missing or damaged."""
        if not self._use(id):
            return None
        try:
            with self._path(id).open("rb") as file:
                head = _head(file)
                file.seek(head["model"], os.SEEK_CUR)
                return Upload.from_metadata(head["upload"], _part(file, head["upload"]["data"], head["sums"][1]))
        except DAMAGED:
            return None

    def is_intact(self, id: str) -> bool:
        """Return whether an upload is stored and its file is undamaged."""
        return self.peek(id) is not None and self.upload(id) is not None

    def ids(self) -> list[str]:
        """Return the ids of the stored uploads, the most recently used first."""
        return [path.stem for _, _, path in sorted(self._files(), reverse=True)]

    def _path(self, id: str) -> Path:
        assert ID.fullmatch(id)
        return self.folder / (id + ENDING)

    def _use(self, id: str) -> bool:
        try:
            os.utime(self._path(id))
        except FileNotFoundError:
            return False
        except OSError:  # the folder is read-only
            return self._path(id).exists()
        return True

    def _unload(self, id: str) -> None:
        with self._lock:
            self._size -= self._loaded.pop(id, (None, 0))[1]

    def _in_memory(self, id: str) -> UploadResult | None:
        with self._lock:
            if id not in self._loaded:
                return None
            self._loaded.move_to_end(id)
            return self._loaded[id][0]

    def _load(self, id: str) -> UploadResult | None:
        result = self.peek(id)
        if result is not None:
            size = _size(result, set())
            with self._lock:
                self._loaded[id] = result, size
                self._size += size
                while len(self._loaded) > 1 and self._size > LOADED:
                    self._size -= self._loaded.popitem(last=False)[1][1]
        return result

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """Yield for each file the time of its last use, its size and its path."""
        for path in self.folder.glob("*" + ENDING):
            try:
                status = path.stat()
            except FileNotFoundError:  # another server deleted it
                continue
            yield status.st_mtime_ns, status.st_size, path

    def _make_room(self, newest: str) -> None:
        """Delete the least recently used files, but not the file of `newest`, and unfinished files that are too old."""
        files = sorted(self._files())
        count, total = len(files), sum(size for _, size, _ in files)
        for _, size, path in files:
            if count <= self.most and total <= self.most_bytes:
                break
            if path.stem != newest:
                path.unlink(missing_ok=True)
                self._unload(path.stem)
                count, total = count - 1, total - size
        for path in self.folder.glob("*" + UNFINISHED):
            try:
                if path.stat().st_mtime < time.time() - ABANDONED:
                    path.unlink()
            except FileNotFoundError:
                continue


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _head(file: BinaryIO) -> dict[str, Any]:
    """Read the line of JSON from a file. Raises ValueError if the line does not match its SHA-256."""
    checksum, head = file.readline(len(_sum(b"")) + 1), file.readline()
    if checksum != _sum(head).encode() + b"\n":
        raise ValueError("the file is damaged, or another version's")
    content: dict[str, Any] = json.loads(head)
    return content


def _part(file: BinaryIO, size: int, checksum: str) -> bytes:
    part = file.read(size)
    if _sum(part) != checksum:
        raise ValueError("the file is damaged")
    return part


def _size(value: object, seen: set[int]) -> int:
    """Return the size in bytes of an object and everything in it. An object with its id in `seen` counts as 0."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    inner: Iterable[object] = ()
    if isinstance(value, np.ndarray):
        inner = (value.base,)
    elif isinstance(value, dict):
        inner = (*value, *value.values())
    elif isinstance(value, tuple | list):
        inner = value
    elif hasattr(value, "__dict__"):
        inner = (vars(value),)
    return sys.getsizeof(value) + sum(_size(part, seen) for part in inner)
