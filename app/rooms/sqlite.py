"""Rooms of one process that outlive it: every change is in a file before it is answered."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from .keeper import InMemory
from .room import Room

FILE = "rooms.sqlite"

LOG = logging.getLogger("gruscope.rooms")

IN_MEMORY = "rooms are stored in memory only and are lost when this process ends: %s"

TABLES = """
CREATE TABLE IF NOT EXISTS rooms (code TEXT PRIMARY KEY, digest TEXT, opened REAL, seen REAL, epoch TEXT, n INTEGER);
CREATE TABLE IF NOT EXISTS fields (code TEXT, name TEXT, value BLOB, PRIMARY KEY (code, name));
CREATE TABLE IF NOT EXISTS entries (code TEXT, name TEXT, key TEXT, value BLOB, PRIMARY KEY (code, name, key));
"""

PARTS = ("rooms", "fields", "entries")

SEEN_SECONDS = 20
"""Between two notes that the teacher was seen."""


class InFile(InMemory):
    """Rooms in a file of `folder`, which is made with the first room and belongs to one process at a time.

    The file is written as the process goes and not forced onto the disk: it survives the process, not a power failure.

    Raises OSError when the file is there and cannot be written, or another process has it.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self._path = Path(folder) / FILE
        self._file: sqlite3.Connection | None = None
        if self._path.exists():
            self._file = _opened(self._path)
            self._load(self._file)

    async def open(self, room: Room) -> None:
        if self._file is None:  # the first room
            try:
                self._file = _opened(self._path)
            except OSError as error:
                LOG.warning(IN_MEMORY, error)
        await super().open(room)
        about = (room.code, room.digest, room.opened, room.seen, room.epoch, room.n)
        self._run("INSERT OR REPLACE INTO rooms VALUES (?, ?, ?, ?, ?, ?)", [about])
        self._write("fields", ((room.code, name, value) for name, value in room.state.items()))

    async def change(self, room: Room, fields: Mapping[str, Any]) -> None:
        self._run("UPDATE rooms SET n = ? WHERE code = ?", [(room.n + 1, room.code)])
        self._write("fields", ((room.code, name, value) for name, value in fields.items()))
        await super().change(room, fields)

    async def put(self, room: Room, table: str, values: Mapping[str, Any]) -> None:
        if room.code in self._rooms:
            self._write("entries", ((room.code, table, key, value) for key, value in values.items()))
        await super().put(room, table, values)

    async def drop(self, room: Room, table: str, keys: Sequence[str]) -> None:
        rows = [(room.code, table, key) for key in keys]
        self._run("DELETE FROM entries WHERE code = ? AND name = ? AND key = ?", rows)
        await super().drop(room, table, keys)

    async def meet(self, room: Room, now: float) -> None:
        if now - room.seen >= SEEN_SECONDS:
            self._run("UPDATE rooms SET seen = ? WHERE code = ?", [(now, room.code)])
            await super().meet(room, now)

    async def forget(self, room: Room) -> None:
        await super().forget(room)
        for part in PARTS:
            self._run(f"DELETE FROM {part} WHERE code = ?", [(room.code,)])

    async def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, part: str, rows: Iterable[tuple[Any, ...]]) -> None:
        made = [(*row[:-1], orjson.dumps(row[-1], option=orjson.OPT_NON_STR_KEYS)) for row in rows]
        if made:
            self._run(f"INSERT OR REPLACE INTO {part} VALUES ({', '.join('?' * len(made[0]))})", made)

    def _run(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if self._file is not None:
            with self._file:
                self._file.executemany(statement, rows)

    def _load(self, file: sqlite3.Connection) -> None:
        for code, digest, opened, seen, epoch, n in file.execute("SELECT * FROM rooms").fetchall():
            fields = file.execute("SELECT name, value FROM fields WHERE code = ?", (code,))
            room = Room(code, digest, opened, {name: orjson.loads(value) for name, value in fields}, epoch, n)
            room.seen = seen
            self._rooms[code], tables = room, self._tables.setdefault(code, {})
            for name, key, value in file.execute("SELECT name, key, value FROM entries WHERE code = ?", (code,)):
                tables.setdefault(name, {})[key] = orjson.loads(value)


def _opened(path: Path) -> sqlite3.Connection:
    """Open the file, a new one when it is damaged, which counts as gone. Raises OSError when it cannot be used."""
    try:
        return _connected(path)
    except sqlite3.OperationalError as error:
        raise OSError(f"{path} cannot be used: {error}") from error
    except sqlite3.DatabaseError:
        for part in path.parent.glob(f"{FILE}*"):
            part.unlink()
        return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    """Raises OperationalError when the file cannot be written or is another's, DatabaseError when it is damaged."""
    file = sqlite3.connect(path, timeout=0, check_same_thread=False)
    try:
        # Locked for as long as the process lives: two processes would not hear of each other's changes.
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = OFF"):
            file.execute(f"PRAGMA {pragma}")
        file.executescript(TABLES)
        (whole,) = file.execute("PRAGMA quick_check").fetchone()
        if whole != "ok":
            raise sqlite3.DatabaseError(whole)
    except BaseException:
        file.close()
        raise
    return file
