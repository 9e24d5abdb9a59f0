"""What was brought is kept in a directory for as long as there is room: who has the link can see the model.

One file for each upload, named by its id: the SHA-256 of the line after it, a line of JSON with those of the rest,
the model's own bytes, then the file as it was brought, which a check of parity reads again. A file that does not meet
them is damaged, or another version's, and counts as gone. Several servers may share the directory: files come by
renaming, are never changed, and go one at a time, the least recently used first.
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

from ..intake.reading import Found
from ..intake.upload import ID, Upload

ENDING = ".upload"
UNFINISHED = ".part"
ABANDONED = 3600
"""Seconds after which an unfinished file is nobody's."""

DAMAGED = (OSError, ValueError, KeyError, TypeError)
"""What reading a file raises that is not as this version writes it."""

LOADED = 64 * 2**20
"""Bytes of the models that stay in memory."""


class Store:
    """The uploads in `folder`, at most `most` of them and `most_bytes` together. Raises OSError without a folder."""

    def __init__(self, folder: str | Path, most: int, most_bytes: int) -> None:
        self.folder, self.most, self.most_bytes = Path(folder), most, most_bytes
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._loaded: OrderedDict[str, tuple[Found, int]] = OrderedDict()  # each with its size
        self._size = 0
        self._lock, self._loading = threading.Lock(), threading.Lock()

    def put(self, upload: Upload, found: Found) -> None:
        """Keep an upload, and let others go where there is no more room. Raises OSError when it cannot."""
        model = b"" if found.model is None else found.model.to_bytes()
        about = {
            "upload": upload.about,
            "said": found.said,
            "question": found.question,
            "model": len(model),
            "sums": [_sum(model), _sum(upload.data)],
        }
        head = json.dumps(about).encode() + b"\n"
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=UNFINISHED, delete=False) as file:
            try:
                file.writelines((_sum(head).encode(), b"\n", head, model, upload.data))
                file.flush()
                os.fsync(file.fileno())
                file.close()
                Path(file.name).replace(self._path(upload.id))
            except BaseException:
                file.close()
                Path(file.name).unlink(missing_ok=True)
                raise
        self._make_room(upload.id)

    def get(self, id: str) -> Found | None:
        """What came of the upload of that id, which is thereby used; None when it is not kept, or not any more."""
        if not self._use(id):
            self._unload(id)
            return None
        found = self._of_loaded(id)
        if found is None:
            with self._loading:  # one at a time: what it takes to read a model is more than the model
                found = self._of_loaded(id) or self._load(id)
        return found

    def peek(self, id: str) -> Found | None:
        """The same, without using it."""
        try:
            with self._path(id).open("rb") as file:
                about = _head(file)
                model = _part(file, about["model"], about["sums"][0])
            return Found(tuple(about["said"]), formats.read(model, id).model if model else None, about["question"])
        except DAMAGED:
            return None

    def upload(self, id: str) -> Upload | None:
        """The file as it was brought and what was said about it; None when it is not kept any more."""
        if not self._use(id):
            return None
        try:
            with self._path(id).open("rb") as file:
                about = _head(file)
                file.seek(about["model"], os.SEEK_CUR)
                return Upload.of(about["upload"], _part(file, about["upload"]["data"], about["sums"][1]))
        except DAMAGED:
            return None

    def whole(self, id: str) -> bool:
        """Whether the file of that id is there, undamaged."""
        return self.peek(id) is not None and self.upload(id) is not None

    def ids(self) -> list[str]:
        """What is kept, the most recently used first."""
        return [path.stem for _, _, path in sorted(self._files(), reverse=True)]

    def _path(self, id: str) -> Path:
        assert ID.fullmatch(id)
        return self.folder / (id + ENDING)

    def _use(self, id: str) -> bool:
        try:
            os.utime(self._path(id))
        except FileNotFoundError:
            return False
        except OSError:  # a directory that can only be read
            return self._path(id).exists()
        return True

    def _unload(self, id: str) -> None:
        with self._lock:
            self._size -= self._loaded.pop(id, (None, 0))[1]

    def _of_loaded(self, id: str) -> Found | None:
        with self._lock:
            if id not in self._loaded:
                return None
            self._loaded.move_to_end(id)
            return self._loaded[id][0]

    def _load(self, id: str) -> Found | None:
        found = self.peek(id)
        if found is not None:
            size = _size(found, set())
            with self._lock:
                self._loaded[id] = found, size
                self._size += size
                while len(self._loaded) > 1 and self._size > LOADED:
                    self._size -= self._loaded.popitem(last=False)[1][1]
        return found

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """When each was used, how large it is, and where."""
        for path in self.folder.glob("*" + ENDING):
            try:
                about = path.stat()
            except FileNotFoundError:  # another server let it go
                continue
            yield about.st_mtime_ns, about.st_size, path

    def _make_room(self, but: str) -> None:
        """Let go what was not used for longest, but not the newcomer; and what nobody will finish."""
        files = sorted(self._files())
        count, total = len(files), sum(size for _, size, _ in files)
        for _, size, path in files:
            if count <= self.most and total <= self.most_bytes:
                break
            if path.stem != but:
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
    """What the file says of itself, and nothing that was not written. Raises ValueError when it is damaged."""
    wanted, head = file.readline(len(_sum(b"")) + 1), file.readline()
    if wanted != _sum(head).encode() + b"\n":
        raise ValueError("the file is damaged, or another version's")
    about: dict[str, Any] = json.loads(head)
    return about


def _part(file: BinaryIO, size: int, wanted: str) -> bytes:
    part = file.read(size)
    if _sum(part) != wanted:
        raise ValueError("the file is damaged")
    return part


def _size(thing: object, seen: set[int]) -> int:
    """Bytes of an object and of all that it holds, but for what is in `seen`."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    inner: Iterable[object] = ()
    if isinstance(thing, np.ndarray):
        inner = (thing.base,)
    elif isinstance(thing, dict):
        inner = (*thing, *thing.values())
    elif isinstance(thing, tuple | list):
        inner = thing
    elif hasattr(thing, "__dict__"):
        inner = (vars(thing),)
    return sys.getsizeof(thing) + sum(_size(one, seen) for one in inner)
