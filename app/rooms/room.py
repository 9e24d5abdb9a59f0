"""A room as one process has it: what everybody in it sees, and how they hear of it.

It is a state, not a log: whoever is behind is sent the newest state, once. A state becomes an event once, for all.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from fastapi.sse import format_sse_event

PING = format_sse_event(comment="still here")
PING_SECONDS = 15
"""Proxies cut streams that are idle for 29 s and more."""


class Room:
    """`state` is what was said of the room last, by field. Fields that begin with "_" are for the teacher alone.

    `digest` is that of the secret, `opened` a time in seconds. `followers` are those of this process. A state is known
    by the room's `epoch` and its number `n`.
    """

    def __init__(
        self, code: str, digest: str, opened: float, state: Mapping[str, Any], epoch: str = "", n: int = 0
    ) -> None:
        self.code, self.digest, self.opened = code, digest, opened
        self.state = dict(state)
        self.followers, self.teachers, self.seen = 0, 0, opened
        # How many streams each device has in this process, and when those that ask now and then count as gone.
        self.here, self.asking = Counter[str](), dict[str, asyncio.TimerHandle]()
        # What a follower is first answered: for which view, gzipped. A class comes all at once.
        self.page, self.making = ("", b""), asyncio.Lock()
        self.epoch, self.n = epoch or secrets.token_hex(4), n
        self._changed, self._stirred = asyncio.Event(), asyncio.Event()
        self._left = False
        self._event = self._encoded()

    @property
    def id(self) -> str:
        """By which the newest state is known."""
        return f"{self.epoch}-{self.n}"

    @property
    def ended(self) -> bool:
        return bool(self.state.get("ended"))

    def change(self, fields: Mapping[str, Any], n: int | None = None) -> None:
        """Put these in the state, the n-th or the next, and let everybody know."""
        self.state |= fields
        self.n = self.n + 1 if n is None else n
        self._event = self._encoded()
        self._wake()
        self.stir()

    def stir(self) -> None:
        """Let the teacher know that something of the class has changed."""
        self._stirred.set()
        self._stirred = asyncio.Event()

    def beat(self) -> None:
        """A sign of life to everybody."""
        self._wake()
        self.stir()

    def leave(self) -> None:
        """End the streams, and not the room: whoever followed comes back, to another process or this one's next."""
        self._left = True
        self.beat()

    async def events(self, device: str, last: str, once: bool = False) -> AsyncIterator[bytes]:
        """The device's own name, and the newest state whenever it is newer than the one whose id is `last`.

        With `once`, only what there is now.
        """
        yield format_sse_event(event="you", data_str=orjson.dumps({"device": device}).decode())
        seen = last
        while not self._left:
            changed = self._changed
            if self.id != seen:
                seen = self.id
                yield self._event
                if self.ended or once:
                    return
                continue
            if once:
                return
            await changed.wait()
            if self.id == seen and not self._left:
                yield PING

    async def stirs(self) -> AsyncIterator[None]:
        """Now, and whenever something may have changed; for as long as the room is here."""
        while not self._left:
            stirred, ended = self._stirred, self.ended
            yield
            if ended:
                return
            await stirred.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _encoded(self) -> bytes:
        public = {name: value for name, value in self.state.items() if not name.startswith("_")}
        return format_sse_event(event="room", data_str=orjson.dumps(public).decode(), id=self.id)
