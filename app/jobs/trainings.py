"""The trainings that visitors start: a few run, a few wait in the queue, and finished ones stay in memory for a while.

The recipe identifies a training: visitors who start the same recipe share one training.
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
from gru_core.presets.recipes import PRESETS
from gru_core.training.checkpoints import Checkpoint, Training, shipped
from gru_core.training.recipe import Recipe

from ..errors import Refused
from ..runs.answers import to_json
from ..settings import Settings
from ..version import VERSIONS
from . import work
from .engine import Cancelled, Engine, Job, Work

ID = r"t-[0-9a-f]{32}"

CACHE_BYTES, CACHE_TRAININGS = 64 * 2**20, 500
"""The most bytes and the most trainings in memory. Beyond that the least recently used are removed."""

TRAINING_BYTES, REPORT_BYTES, NUMBER_BYTES = 4_000, 6_000, 32
"""Bytes that Python needs for a training without its table, for a report without its lists of numbers, and for each
number in these lists."""

UNFOLLOWED_SECONDS = 20
"""Seconds after which a training that nobody follows is stopped."""

AWAY_SECONDS = 10
"""Seconds for which a visitor without a stream counts as a follower, after starting a training or losing a stream."""

EVENTS_PER_WRITE = 64
"""The most events in one write."""

HEARTBEAT_SECONDS = 15
"""Seconds after which an idle stream sends a comment, since proxies close idle connections."""

State = Literal["waiting", "running", "done", "stopped", "failed"]


def id_of(recipe: Recipe) -> str:
    """Return the id of a recipe's training, which depends on the installed versions too."""
    text = json.dumps([recipe.to_dict(), VERSIONS], sort_keys=True)
    return "t-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def name_of(recipe: Recipe) -> str:
    """Return the name of the preset with this recipe, or the id of the recipe's training if there is none."""
    return next((name for name in presets.NAMES if PRESETS[name].recipe == recipe), None) or id_of(recipe)


class TrainingCache:
    """A cache of trainings by id, the least recently used first. `get` returns the built-in ones too, by preset."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trainings: OrderedDict[str, Training] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self.newest: Callable[[str, Training | None], Training | None] = lambda id, own: own
        """A function that returns the newest state of a training from its id and the state in this process.

        If there are several worker processes, another one can have the newest state.
        """

    def put(self, id: str, training: Training) -> None:
        with self._lock:
            self._trainings[id] = training
            self._trainings.move_to_end(id)
            self._sizes[id] = _size(training)

    def add(self, id: str, training: Training, checkpoint: Checkpoint) -> None:
        """Add a checkpoint to a training."""
        with self._lock:
            training.checkpoints.append(checkpoint)
            if self._trainings.get(id) is training:
                self._sizes[id] += _size_of(checkpoint)

    def remove(self, id: str) -> None:
        with self._lock:
            if self._trainings.pop(id, None) is not None:
                del self._sizes[id]

    def make_room(self, busy: Collection[str]) -> bool:
        """Remove the least recently used trainings, except busy ones. Return whether the rest is within the limits."""
        with self._lock:
            size = sum(self._sizes.values())
            for id in [id for id in self._trainings if id not in busy]:
                if size <= CACHE_BYTES and len(self._trainings) <= CACHE_TRAININGS:
                    break
                del self._trainings[id]
                size -= self._sizes.pop(id)
            return size <= CACHE_BYTES and len(self._trainings) <= CACHE_TRAININGS

    def has(self, id: str) -> bool:
        with self._lock:
            return id in self._trainings

    def get(self, id: str) -> Training:
        """Return the training with an id. Raises Refused if there is none."""
        if id in presets.NAMES:
            return shipped(id)
        with self._lock:
            own = self._trainings.get(id)
            if own is not None:
                self._trainings.move_to_end(id)
        training = self.newest(id, own)
        if training is not None:
            return training
        message = "this server does not have this training: start it again; the same recipe gives the same weights"
        raise Refused(404, "gone", message, "training")

    def model(self, id: str, step: int) -> Model:
        """Return the model at a training step. Raises Refused if there is no such training or checkpoint."""
        try:
            return self.get(id).model(step)
        except ValueError as error:
            raise Refused(404, "step", str(error), "step") from error


@cache
def training_cache(settings: Settings) -> TrainingCache:
    return TrainingCache()


def _size(training: Training) -> int:
    recipe = training.recipe
    table = sys.getsizeof(recipe.table) + recipe.rows.nbytes if recipe.table else 0
    return TRAINING_BYTES + table + sum(map(_size_of, training.checkpoints))


def _size_of(checkpoint: Checkpoint) -> int:
    numbers = len(checkpoint.report["losses"]) + len(checkpoint.report["lags"])
    return checkpoint.weights.nbytes + REPORT_BYTES + NUMBER_BYTES * numbers


@dataclass
class LiveTraining:
    """A training that a visitor started.

    `followers` counts the open streams by the token of the visitor, which is "" for visitors without one. `away` has,
    by token, the time until which a visitor counts as a follower without a stream.
    """

    id: str
    training: Training
    state: State = "waiting"
    followers: Counter[str] = field(default_factory=Counter)
    away: dict[str, float] = field(default_factory=dict)
    job: Job | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stop_timer: asyncio.TimerHandle | None = None

    @property
    def over(self) -> bool:
        return self.state not in ("waiting", "running")

    @property
    def length(self) -> int:
        """The number of events in its stream so far."""
        return 1 + len(self.training.checkpoints) + self.over

    def event(self, number: int) -> bytes:
        """Return the event with a number, from 0, which is also its id."""
        checkpoints, data = self.training.checkpoints, dict[str, Any]()
        if number == 0:
            name, data = "start", describe(self.id, self.training)
        elif number <= len(checkpoints):
            name, data = "checkpoint", checkpoints[number - 1].report
        else:
            name, data = "end", {"state": self.state, "why": self.training.end}
        return f"id: {number}\nevent: {name}\ndata: ".encode() + to_json(data) + b"\n\n"

    def keep_follower(self, token: str) -> None:
        """Count a visitor as a follower for AWAY_SECONDS."""
        now = asyncio.get_running_loop().time()
        self.away = {other: until for other, until in self.away.items() if until > now}
        if token and not self.over:
            self.away[token] = now + AWAY_SECONDS

    def has_other_followers(self, token: str) -> bool:
        """Return whether another visitor follows the training. Without a token every follower is another visitor."""
        now = asyncio.get_running_loop().time()
        others = {*(+self.followers), *(other for other, until in self.away.items() if until > now)}
        return bool(others - {token} if token else others)

    def notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Trainings:
    """All trainings that visitors started. Only one event loop may use it."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._cache, self._engine = settings, training_cache(settings), engine
        self._live: OrderedDict[str, LiveTraining] = OrderedDict()
        self._computing = 0

    def start(self, recipe: Recipe, token: str = "") -> LiveTraining:
        """Return the training of a recipe, and start it if necessary.

        Raises Refused if the queue is full, or if the trainings in use leave no memory.
        """
        id = id_of(recipe)
        self._remove_uncached()
        present = self._live.get(id)
        if present is not None and present.state != "stopped" and present.state != "failed":
            self._cache.put(id, present.training)  # as the most recently used one
            present.keep_follower(token)
            return present
        waiting = sum(live.state == "waiting" for live in self._live.values())
        if waiting >= self._settings.waiting:
            message = f"the training queue is full ({waiting} trainings are waiting); try again in a minute"
            raise Refused(429, "busy", message, retry_after=5)
        live = LiveTraining(id, Training(recipe))
        self._cache.put(id, live.training)
        if not self._make_room(id):
            self._cache.remove(id)
            message = "this server has no memory left for another training; try again in a minute"
            raise Refused(429, "busy", message, retry_after=5)
        self._live[id] = live
        self._live.move_to_end(id)  # a stopped training had another place in the queue
        live.keep_follower(token)
        self._schedule_stop(live)
        self._start_waiting()
        return live

    def get(self, id: str) -> LiveTraining | None:
        return self._live.get(id)

    def place(self, live: LiveTraining) -> int:
        """Return the number of trainings before this one in the queue."""
        waiting = [other for other in self._live.values() if other.state == "waiting"]
        return waiting.index(live) if live in waiting else 0

    def stop_unless_followed(self, live: LiveTraining, token: str = "") -> None:
        """Stop a training, unless another visitor follows it."""
        live.away.pop(token, None)
        if not live.has_other_followers(token):
            self.stop(live)

    def stop(self, live: LiveTraining) -> None:
        """Stop a training. Its checkpoints so far stay in memory."""
        if live.over:
            return
        if live.job is None:
            self._end(live, "stopped", "The training was stopped before it started.")
        else:
            self._engine.cancel(live.job)
            self._end(live, "stopped", "The training was stopped here.")

    async def compute(self, function: Work, argument: Any) -> Any:
        """Run another work function, and return its result. Raises Refused if too many are running."""
        if self._computing >= self._settings.waiting:
            most = self._settings.waiting
            message = f"this server computes at most {most} of these results at once; try again in a minute"
            raise Refused(429, "busy", message, retry_after=5)
        self._computing += 1
        try:
            return await asyncio.wrap_future(self._engine.submit(function, argument, lambda message: None).future)
        finally:
            self._computing -= 1

    async def follow(self, live: LiveTraining, after: int, token: str = "") -> AsyncGenerator[bytes, None]:
        """Yield the events with ids above `after` as they come, until the last one."""
        live.followers[token] += 1
        live.away.pop(token, None)
        self._schedule_stop(live)
        sent, sent_place = after + 1, -1
        try:
            while True:
                changed = live.changed
                if sent < live.length:
                    piece = range(sent, min(sent + EVENTS_PER_WRITE, live.length))
                    sent = piece.stop
                    yield b"".join(map(live.event, piece))
                    continue
                if live.over:
                    return
                place = self.place(live) + 1 if live.state == "waiting" else 0
                if place != sent_place:
                    sent_place = place
                    yield b"event: place\ndata: " + to_json({"place": place}) + b"\n\n"
                    continue
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield b": still there\n\n"
        finally:
            live.followers[token] -= 1
            live.followers = +live.followers
            live.keep_follower(token)
            self._schedule_stop(live)

    async def close(self) -> None:
        # Waiting ones first, so that none starts.
        for live in sorted(self._live.values(), key=lambda live: live.state != "waiting"):
            self.stop(live)
        await asyncio.to_thread(self._engine.close)

    def _schedule_stop(self, live: LiveTraining) -> None:
        """Stop the training UNFOLLOWED_SECONDS after its last follower has left; cancel this if there are followers."""
        if live.stop_timer is not None:
            live.stop_timer.cancel()
            live.stop_timer = None
        if not live.followers and not live.over:
            live.stop_timer = asyncio.get_running_loop().call_later(UNFOLLOWED_SECONDS, self.stop, live)

    def _start_waiting(self) -> None:
        """Start waiting trainings if workers are free."""
        running = sum(live.state == "running" for live in self._live.values())
        for live in [live for live in self._live.values() if live.state == "waiting"][
            : self._settings.trainings - running
        ]:
            self._submit(live)
        for live in self._live.values():
            if live.state == "waiting":
                live.notify()

    def _submit(self, live: LiveTraining) -> None:
        loop = asyncio.get_running_loop()
        live.state = "running"

        def later(function: Callable[..., None], *arguments: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function, live, *arguments)

        live.job = self._engine.submit(
            work.training, live.training.recipe.to_dict(), lambda message: later(self._receive, message)
        )
        live.job.future.add_done_callback(lambda future: later(self._done, future))
        live.notify()

    def _receive(self, live: LiveTraining, message: Any) -> None:
        if live.over:
            return
        checkpoint = work.checkpoint(message)
        self._cache.add(live.id, live.training, checkpoint)
        self._make_room(live.id)
        live.notify()

    def _done(self, live: LiveTraining, future: Future[str]) -> None:
        error = future.exception()
        if error is None:
            self._end(live, "done", future.result())
        elif isinstance(error, Cancelled):
            self._end(live, "stopped", "The training was stopped here.")
        elif isinstance(error, MemoryError):
            self._end(live, "failed", "The training needs more memory than this server allows. Try a smaller network.")
        else:
            self._end(live, "failed", f"The training failed: {error}.")

    def _end(self, live: LiveTraining, state: State, why: str) -> None:
        if not live.over:
            live.state, live.training.end = state, why
            live.away.clear()
            live.notify()
            self._schedule_stop(live)
            self._start_waiting()

    def _make_room(self, keep: str) -> bool:
        """Remove unused trainings if necessary, but never `keep`. Return whether the rest is within the limits.

        A training is unused if it is over and nobody follows it.
        """
        fits = self._cache.make_room(
            {keep, *(id for id, live in self._live.items() if live.followers or not live.over)}
        )
        self._remove_uncached()
        return fits

    def _remove_uncached(self) -> None:
        """Remove trainings that are over and no longer in the cache, so that the next request starts them again."""
        for id, live in list(self._live.items()):
            if live.over and not live.followers and not self._cache.has(id):
                del self._live[id]


def describe(id: str, training: Training) -> dict[str, Any]:
    """Return the data that a page needs before the first checkpoint of a training."""
    return {"id": id, "recipe": training.recipe.to_dict(), "versions": VERSIONS}


def as_events(id: str, training: Training, after: int = -1) -> bytes:
    """Return the events of a finished training with ids above `after`, as its stream sent them."""
    live = LiveTraining(id, training, "done")
    return b"".join(map(live.event, range(after + 1, live.length)))
