"""A store of rooms in an SQLite file. A change is written before the response, so rooms outlive the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .keeper import LOG, SEEN_SECONDS, UNREADABLE, InMemory
from .room import Room
from .state import Changes, State, changes_to_json
from .tables import Table, table_named

FILE = "rooms.sqlite"

IN_MEMORY = "rooms are stored in memory only and are lost when this process ends: %s"

TABLES = """
CREATE TABLE IF NOT EXISTS rooms (code TEXT PRIMARY KEY, digest TEXT, opened REAL, seen REAL, epoch TEXT, n INTEGER);
CREATE TABLE IF NOT EXISTS fields (code TEXT, name TEXT, value BLOB, PRIMARY KEY (code, name));
CREATE TABLE IF NOT EXISTS entries (code TEXT, name TEXT, key TEXT, value BLOB, PRIMARY KEY (code, name, key));
"""

PARTS = ("rooms", "fields", "entries")

T = TypeVar("T")


class InFile(InMemory):
    """A store of rooms in a file in `folder`, created with the first room. Only one process can use it at a time.

    The process does not force its writes onto the disk: rooms survive the end of the process, but not a power failure.
    Raises OSError if the file exists and cannot be written, or if another process uses it.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self._path = Path(folder) / FILE
        self._file: sqlite3.Connection | None = None
        if self._path.exists():
            self._file = _open(self._path)
            self._load(self._file)

    async def open(self, room: Room) -> None:
        if self._file is None:  # This is the first room.
            try:
                self._file = _open(self._path)
            except OSError as error:
                LOG.warning(IN_MEMORY, error)
        await super().open(room)
        row = (room.code, room.digest, room.opened, room.seen, room.epoch, room.n)
        self._run("INSERT OR REPLACE INTO rooms VALUES (?, ?, ?, ?, ?, ?)", [row])
        self._write_fields(room, room.state.to_json())

    async def change(self, room: Room, changes: Changes) -> None:
        self._run("UPDATE rooms SET n = ? WHERE code = ?", [(room.n + 1, room.code)])
        self._write_fields(room, changes_to_json(changes))
        await super().change(room, changes)

    async def put(self, room: Room, table: Table[T], values: Mapping[str, T]) -> None:
        if room.code in self._rooms:
            rows = [(room.code, table.name, key, table.to_json(value)) for key, value in values.items()]
            self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
        await super().put(room, table, values)

    async def drop(self, room: Room, table: Table[T], keys: Sequence[str]) -> None:
        rows = [(room.code, table.name, key) for key in keys]
        self._run("DELETE FROM entries WHERE code = ? AND name = ? AND key = ?", rows)
        await super().drop(room, table, keys)

    async def mark_seen(self, room: Room, now: float) -> None:
        if now - room.seen >= SEEN_SECONDS:
            self._run("UPDATE rooms SET seen = ? WHERE code = ?", [(now, room.code)])
            await super().mark_seen(room, now)

    async def forget(self, room: Room) -> None:
        await super().forget(room)
        self._delete(room.code)

    async def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write_fields(self, room: Room, texts: Mapping[str, bytes]) -> None:
        rows = [(room.code, name, text) for name, text in texts.items()]
        self._run("INSERT OR REPLACE INTO fields VALUES (?, ?, ?)", rows)

    def _delete(self, code: str) -> None:
        for part in PARTS:
            self._run(f"DELETE FROM {part} WHERE code = ?", [(code,)])

    def _run(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        if self._file is not None:
            with self._file:
                self._file.executemany(statement, rows)

    def _load(self, file: sqlite3.Connection) -> None:
        """Load all rooms. Delete rooms that another version of GRU Scope stored in a different format."""
        for code, *row in file.execute("SELECT code, digest, opened, seen, epoch, n FROM rooms").fetchall():
            try:
                self._load_room(file, code, *row)
            except ValueError as error:
                LOG.warning(UNREADABLE, error)
                self._rooms.pop(code, None)
                self._tables.pop(code, None)
                self._delete(code)

    def _load_room(
        self, file: sqlite3.Connection, code: str, digest: str, opened: float, seen: float, epoch: str, n: int
    ) -> None:
        """Load a room. Raise ValueError if another version of GRU Scope stored it in a different format."""
        fields = file.execute("SELECT name, value FROM fields WHERE code = ?", (code,))
        room = Room(code, digest, opened, State.from_json(dict(fields)), epoch, n)
        room.seen = seen
        tables = self._tables.setdefault(code, {})
        for name, key, value in file.execute("SELECT name, key, value FROM entries WHERE code = ?", (code,)):
            tables.setdefault(name, {})[key] = table_named(name).from_json(value)
        self._rooms[code] = room


def _open(path: Path) -> sqlite3.Connection:
    """Open the file. Replace it with a new one if it is damaged. Raise OSError if it cannot be used."""
    try:
        return _connect(path)
    except sqlite3.OperationalError as error:
        raise OSError(f"{path} cannot be used: {error}") from error
    except sqlite3.DatabaseError:
        for part in path.parent.glob(f"{FILE}*"):
            part.unlink()
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    """Connect to the file.

    Raise sqlite3.OperationalError if the file cannot be written or another process uses it, and
    sqlite3.DatabaseError if it is damaged.
    """
    file = sqlite3.connect(path, timeout=0, check_same_thread=False)
    try:
        # The file stays locked while the process runs, because two processes would not see each other's changes.
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = OFF"):
            file.execute(f"PRAGMA {pragma}")
        file.executescript(TABLES)
        (check,) = file.execute("PRAGMA quick_check").fetchone()
        if check != "ok":
            raise sqlite3.DatabaseError(check)
    except BaseException:
        file.close()
        raise
    return file
