"""The trainings that visitors asked for: a few at once, a few waiting, and those that are done kept for a while.

A training is known by its recipe: who asks for the same one gets the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, Literal

from gru_core import Model, presets
from gru_core.checkpoints import Checkpoint, Training, shipped
from gru_core.presets.recipes import PRESETS
from gru_core.recipe import Recipe

from ..errors import Refused
from ..runs.answers import to_json
from ..settings import Settings
from ..version import VERSIONS
from . import work
from .engine import Cancelled, Engine, Job, Work

ID = r"t-[0-9a-f]{32}"

KEPT_BYTES, KEPT = 64 * 2**20, 500
"""Bytes and number of the trainings that are kept in memory; the least recently used go first."""

ENTRY, REPORT, NUMBER = 4_000, 6_000, 32
"""Bytes that Python takes for a training without its table, for a report without its lists of numbers, and for each
number in those."""

ALONE = 20
"""Seconds after which a training that nobody follows is ended."""

AWAY = 10
"""Seconds for which a visitor who has asked for a training, or whose stream broke off, counts as following it."""

TOGETHER = 64
"""Events that are sent at once."""

BEAT = 15
"""Seconds after which a stream with nothing to say says so: proxies cut idle ones."""

State = Literal["waiting", "running", "done", "stopped", "failed"]


def id_of(recipe: Recipe) -> str:
    """The id of a recipe's training under these versions."""
    text = json.dumps([recipe.to_dict(), VERSIONS], sort_keys=True)
    return "t-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def name_of(recipe: Recipe) -> str:
    """Return the preset whose training ships and has this recipe, or else the id that its training has."""
    return next((name for name in presets.NAMES if PRESETS[name].recipe == recipe), None) or id_of(recipe)


class Kept:
    """Trainings by id, the least recently used first, and those that ship by the name of their preset."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trainings: OrderedDict[str, Training] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self.newest: Callable[[str, Training | None], Training | None] = lambda id, mine: mine
        """From the training that is here to the newest that there is; among several processes another may have it."""

    def put(self, id: str, training: Training) -> None:
        with self._lock:
            self._trainings[id] = training
            self._trainings.move_to_end(id)
            self._sizes[id] = _size(training)

    def add(self, id: str, training: Training, checkpoint: Checkpoint) -> None:
        """One more checkpoint of a training."""
        with self._lock:
            training.checkpoints.append(checkpoint)
            if self._trainings.get(id) is training:
                self._sizes[id] += _size_of(checkpoint)

    def remove(self, id: str) -> None:
        with self._lock:
            if self._trainings.pop(id, None) is not None:
                del self._sizes[id]

    def make_room(self, busy: Collection[str]) -> bool:
        """Remove the least recently used, but none that is busy, until the rest fits; whether it does."""
        with self._lock:
            size = sum(self._sizes.values())
            for id in [id for id in self._trainings if id not in busy]:
                if size <= KEPT_BYTES and len(self._trainings) <= KEPT:
                    break
                del self._trainings[id]
                size -= self._sizes.pop(id)
            return size <= KEPT_BYTES and len(self._trainings) <= KEPT

    def has(self, id: str) -> bool:
        with self._lock:
            return id in self._trainings

    def get(self, id: str) -> Training:
        """Raises Refused where there is none."""
        if id in presets.NAMES:
            return shipped(id)
        with self._lock:
            mine = self._trainings.get(id)
            if mine is not None:
                self._trainings.move_to_end(id)
        training = self.newest(id, mine)
        if training is not None:
            return training
        message = "this server does not have this training: start it again; the same recipe gives the same weights"
        raise Refused(404, "gone", message, "training")

    def model(self, id: str, step: int) -> Model:
        """A checkpoint's. Raises Refused where there is none."""
        try:
            return self.get(id).model(step)
        except ValueError as error:
            raise Refused(404, "step", str(error), "step") from error


@cache
def kept(settings: Settings) -> Kept:
    return Kept()


def _size(training: Training) -> int:
    recipe = training.recipe
    table = sys.getsizeof(recipe.table) + recipe.rows.nbytes if recipe.table else 0
    return ENTRY + table + sum(map(_size_of, training.checkpoints))


def _size_of(checkpoint: Checkpoint) -> int:
    numbers = len(checkpoint.report["losses"]) + len(checkpoint.report["lags"])
    return checkpoint.weights.nbytes + REPORT + NUMBER * numbers


@dataclass
class Live:
    """A training that is asked for. `followers` counts the open streams of each visitor by the visitor's token, "" for
    visitors without one; `away` has for tokens until when they count without a stream."""

    id: str
    training: Training
    state: State = "waiting"
    followers: Counter[str] = field(default_factory=Counter)
    away: dict[str, float] = field(default_factory=dict)
    job: Job | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.TimerHandle | None = None

    @property
    def over(self) -> bool:
        return self.state not in ("waiting", "running")

    @property
    def length(self) -> int:
        """How many events its stream has so far."""
        return 1 + len(self.training.checkpoints) + self.over

    def event(self, number: int) -> bytes:
        """The event of that number, from 0, which is its id."""
        checkpoints, data = self.training.checkpoints, dict[str, Any]()
        if number == 0:
            name, data = "start", about(self.id, self.training)
        elif number <= len(checkpoints):
            name, data = "checkpoint", checkpoints[number - 1].report
        else:
            name, data = "end", {"state": self.state, "why": self.training.end}
        return f"id: {number}\nevent: {name}\ndata: ".encode() + to_json(data) + b"\n\n"

    def hold(self, token: str) -> None:
        """Count this visitor as one who follows, for a while."""
        now = asyncio.get_running_loop().time()
        self.away = {other: until for other, until in self.away.items() if until > now}
        if token and not self.over:
            self.away[token] = now + AWAY

    def wanted(self, token: str) -> bool:
        """Whether somebody else wants it: with no token everybody is somebody else."""
        now = asyncio.get_running_loop().time()
        others = {*(+self.followers), *(other for other, until in self.away.items() if until > now)}
        return bool(others - {token} if token else others)

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Trainings:
    """To be used from one event loop."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._kept, self._engine = settings, kept(settings), engine
        self._live: OrderedDict[str, Live] = OrderedDict()
        self._computing = 0

    def start(self, recipe: Recipe, token: str = "") -> Live:
        """The training of this recipe, begun if it has not been. Raises Refused when too many wait, or are in use."""
        id = id_of(recipe)
        self._let_go()
        found = self._live.get(id)
        if found is not None and found.state != "stopped" and found.state != "failed":
            self._kept.put(id, found.training)  # it is used
            found.hold(token)
            return found
        waiting = sum(one.state == "waiting" for one in self._live.values())
        if waiting >= self._settings.waiting:
            message = f"the training queue is full ({waiting} trainings are waiting); try again in a minute"
            raise Refused(429, "busy", message, retry_after=5)
        live = Live(id, Training(recipe))
        self._kept.put(id, live.training)
        if not self._make_room(id):
            self._kept.remove(id)
            message = "this server has no memory left for another training; try again in a minute"
            raise Refused(429, "busy", message, retry_after=5)
        self._live[id] = live
        self._live.move_to_end(id)  # one that was stopped had another place
        live.hold(token)
        self._watch(live)
        self._next()
        return live

    def get(self, id: str) -> Live | None:
        return self._live.get(id)

    def place(self, live: Live) -> int:
        """How many will begin before it does."""
        waiting = [one for one in self._live.values() if one.state == "waiting"]
        return waiting.index(live) if live in waiting else 0

    def give_up(self, live: Live, token: str = "") -> None:
        """End it where it is, unless somebody else wants it."""
        live.away.pop(token, None)
        if not live.wanted(token):
            self.stop(live)

    def stop(self, live: Live) -> None:
        """End it where it is; what it has is kept."""
        if live.over:
            return
        if live.job is None:
            self._end(live, "stopped", "The training was stopped before it started.")
        else:
            self._engine.cancel(live.job)
            self._end(live, "stopped", "The training was stopped here.")

    async def compute(self, of: Work, asked: Any) -> Any:
        """What comes of other work. Raises Refused when too many wait."""
        if self._computing >= self._settings.waiting:
            most = self._settings.waiting
            message = f"this server computes at most {most} of these results at once; try again in a minute"
            raise Refused(429, "busy", message, retry_after=5)
        self._computing += 1
        try:
            return await asyncio.wrap_future(self._engine.submit(of, asked, lambda message: None).future)
        finally:
            self._computing -= 1

    async def follow(self, live: Live, after: int, token: str = "") -> AsyncGenerator[bytes, None]:
        """The events with ids above `after`, as they come, to the last."""
        live.followers[token] += 1
        live.away.pop(token, None)
        self._watch(live)
        sent, told = after + 1, -1
        try:
            while True:
                changed = live.changed
                if sent < live.length:
                    piece = range(sent, min(sent + TOGETHER, live.length))
                    sent = piece.stop
                    yield b"".join(map(live.event, piece))
                    continue
                if live.over:
                    return
                place = self.place(live) + 1 if live.state == "waiting" else 0
                if place != told:
                    told = place
                    yield b"event: place\ndata: " + to_json({"place": place}) + b"\n\n"
                    continue
                try:
                    async with asyncio.timeout(BEAT):
                        await changed.wait()
                except TimeoutError:
                    yield b": still there\n\n"
        finally:
            live.followers[token] -= 1
            live.followers = +live.followers
            live.hold(token)
            self._watch(live)

    async def close(self) -> None:
        for live in sorted(self._live.values(), key=lambda live: live.state != "waiting"):  # so that none begins
            self.stop(live)
        await asyncio.to_thread(self._engine.close)

    def _watch(self, live: Live) -> None:
        """End what nobody has followed for a while."""
        if live.leaving is not None:
            live.leaving.cancel()
            live.leaving = None
        if not live.followers and not live.over:
            live.leaving = asyncio.get_running_loop().call_later(ALONE, self.stop, live)

    def _next(self) -> None:
        """Begin what waits, as far as there are workers for it."""
        running = sum(one.state == "running" for one in self._live.values())
        for live in [one for one in self._live.values() if one.state == "waiting"][
            : self._settings.trainings - running
        ]:
            self._begin(live)
        for live in self._live.values():
            if live.state == "waiting":
                live.wake()

    def _begin(self, live: Live) -> None:
        loop = asyncio.get_running_loop()
        live.state = "running"

        def later(function: Callable[..., None], *arguments: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function, live, *arguments)

        live.job = self._engine.submit(
            work.training, live.training.recipe.to_dict(), lambda message: later(self._reported, message)
        )
        live.job.future.add_done_callback(lambda future: later(self._done, future))
        live.wake()

    def _reported(self, live: Live, message: Any) -> None:
        if live.over:
            return
        checkpoint = work.checkpoint(message)
        self._kept.add(live.id, live.training, checkpoint)
        self._make_room(live.id)
        live.wake()

    def _done(self, live: Live, future: Future[str]) -> None:
        error = future.exception()
        if error is None:
            self._end(live, "done", future.result())
        elif isinstance(error, Cancelled):
            self._end(live, "stopped", "The training was stopped here.")
        elif isinstance(error, MemoryError):
            self._end(live, "failed", "The training needs more memory than this server allows. Try a smaller network.")
        else:
            self._end(live, "failed", f"The training failed: {error}.")

    def _end(self, live: Live, state: State, why: str) -> None:
        if not live.over:
            live.state, live.training.end = state, why
            live.away.clear()
            live.wake()
            self._watch(live)
            self._next()

    def _make_room(self, but: str) -> bool:
        """Drop what is over and not followed, as far as need be, but never this one; whether the rest fits."""
        fits = self._kept.make_room({but, *(id for id, live in self._live.items() if live.followers or not live.over)})
        self._let_go()
        return fits

    def _let_go(self) -> None:
        """Forget those that are over and no longer kept: who asks for one again has it trained again."""
        for id, live in list(self._live.items()):
            if live.over and not live.followers and not self._kept.has(id):
                del self._live[id]


def about(id: str, training: Training) -> dict[str, Any]:
    """What a page must know of a training before its first checkpoint."""
    return {"id": id, "recipe": training.recipe.to_dict(), "versions": VERSIONS}


def as_events(id: str, training: Training, after: int = -1) -> bytes:
    """A training that is over, as its stream was: the events with ids above `after`."""
    live = Live(id, training, "done")
    return b"".join(map(live.event, range(after + 1, live.length)))
