"""A room in one process: its state, the devices that are connected here, and the signals that wake their streams."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from collections import Counter
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from .events import public_event
from .state import Changes, PrivateState, PublicState, State


class Signal:
    """A signal that any number of tasks can wait for, again and again."""

    def __init__(self) -> None:
        self.next = asyncio.Event()
        """The next signal. A task must read this attribute before it reads the state, or it may miss a change."""

    def send(self) -> None:
        """Wake all tasks that wait for `next`."""
        self.next.set()
        self.next = asyncio.Event()


class CachedPage:
    """The page for new followers. It is built and compressed only once, because a whole class arrives together."""

    def __init__(self) -> None:
        self._key, self._gzipped, self._lock = "", b"", asyncio.Lock()

    async def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """Return the page, compressed with gzip. If the cached page has another key, build it in a worker thread."""
        async with self._lock:
            if self._key != key:
                self._gzipped = await run_in_threadpool(lambda: gzip.compress(make()))
                self._key = key
            return self._gzipped


class Room:
    """A room in this process.

    `digest` is the digest of the teacher's secret. `opened` is the time at which the room was opened, in seconds, and
    `seen` is the time at which the teacher was last seen. `followers` and `teachers` count the streams of this process.
    `connections` has the number of streams of each device. Some devices poll the state instead of reading a stream:
    `polls` has the timer that ends the connection of each. `epoch` and `n`, the number of changes, identify a state.
    """

    def __init__(self, code: str, digest: str, opened: float, state: State, epoch: str = "", n: int = 0) -> None:
        self.code, self.digest, self.opened = code, digest, opened
        self.epoch, self.n = epoch or secrets.token_hex(4), n
        self.followers, self.teachers, self.seen = 0, 0, opened
        self.connections, self.polls = Counter[str](), dict[str, asyncio.TimerHandle]()
        self.page = CachedPage()
        self.state_changed, self.class_changed = Signal(), Signal()
        self.closed = False
        """Whether the streams of this process must end."""
        self._set(state)

    @property
    def public(self) -> PublicState:
        """The part of the state that everyone in the room may see."""
        return self.state.public

    @property
    def private(self) -> PrivateState:
        """The part of the state that no student may see."""
        return self.state.private

    @property
    def id(self) -> str:
        """The id of the newest state, and of the event that sends it."""
        return f"{self.epoch}-{self.n}"

    def change(self, changes: Changes, n: int | None = None) -> None:
        """Change the state and wake all streams. `n` is the number of this change, by default the next number."""
        self.replace(self.state.changed(changes), self.n + 1 if n is None else n)

    def replace(self, state: State, n: int) -> None:
        """Replace the state with `state`, which results from the first `n` changes, and wake all streams."""
        self.n = n
        self._set(state)
        self.wake()

    def wake(self) -> None:
        """Wake all streams. Each stream sends a new state or, if there is none, a ping."""
        self.state_changed.send()
        self.class_changed.send()

    def close(self) -> None:
        """End all streams, but not the room. The devices connect again, to another process or after a restart."""
        self.closed = True
        self.wake()

    def _set(self, state: State) -> None:
        self.state = state
        self.event = public_event(state.public, self.id)
        """The newest state as an event, which is encoded once for all followers."""
