"""What was brought is kept in a directory for as long as there is room: who has the link can see the model.

One file for each upload, named by its id: a line of JSON, the model's own bytes, then the file as it
was brought, which a check of parity reads again. Several servers may share the directory: files come
by renaming, are never changed, and go one at a time, the least recently used first.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gru_core import formats

from ..intake.reading import Found
from ..intake.upload import ID, Upload

ENDING = ".upload"
UNFINISHED = ".part"
ABANDONED = 3600
"""Seconds after which an unfinished file is nobody's."""

LOADED = 64 * 2**20
"""Bytes of the models that stay in memory."""


class Store:
    """The uploads in `folder`, at most `most` of them and `most_bytes` together. Raises OSError without a folder."""

    def __init__(self, folder: str | Path, most: int, most_bytes: int) -> None:
        self.folder, self.most, self.most_bytes = Path(folder), most, most_bytes
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._loaded: OrderedDict[str, Found] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, upload: Upload, found: Found) -> None:
        """Keep an upload, and let others go where there is no more room. Raises OSError when it cannot."""
        model = b"" if found.model is None else found.model.to_bytes()
        about = {"upload": upload.about, "said": found.said, "question": found.question, "model": len(model)}
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=UNFINISHED, delete=False) as file:
            try:
                file.writelines((json.dumps(about).encode(), b"\n", model, upload.data))
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
            with self._lock:
                self._loaded.pop(id, None)
            return None
        with self._lock:
            if id in self._loaded:
                self._loaded.move_to_end(id)
                return self._loaded[id]
        found = self.peek(id)
        if found is None:
            return None
        with self._lock:
            self._loaded[id] = found
            while len(self._loaded) > 1 and sum(map(_size, self._loaded.values())) > LOADED:
                self._loaded.popitem(last=False)
        return found

    def peek(self, id: str) -> Found | None:
        """The same, without using it."""
        parts = self._read(id)
        if parts is None:
            return None
        about, model, _ = parts
        return Found(tuple(about["said"]), formats.read(model, id).model if model else None, about["question"])

    def upload(self, id: str) -> Upload | None:
        """The file as it was brought and what was said about it; None when it is not kept any more."""
        parts = self._read(id) if self._use(id) else None
        return None if parts is None else Upload.of(parts[0]["upload"], parts[2])

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

    def _read(self, id: str) -> tuple[dict[str, Any], bytes, bytes] | None:
        try:
            with self._path(id).open("rb") as file:
                about = json.loads(file.readline())
                return about, file.read(about["model"]), file.read(about["upload"]["data"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # another server's, of another version
            return None

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
                count, total = count - 1, total - size
        for path in self.folder.glob("*" + UNFINISHED):
            try:
                if path.stat().st_mtime < time.time() - ABANDONED:
                    path.unlink()
            except FileNotFoundError:
                continue


def _size(found: Found) -> int:
    return 0 if found.model is None else sum(array.nbytes for array in found.model.parameters.values())
