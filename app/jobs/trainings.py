"""The trainings that visitors start and follow: a few run, and a few wait in the queue.

Visitors who start the same recipe share one training.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from gru_core.training.checkpoints import Training
from gru_core.training.recipe import Recipe, RecipeFields

from ..errors import Refused
from ..runs.answers import to_json
from ..runs.events import HEARTBEAT_SECONDS
from ..settings import Settings
from ..version import VERSIONS
from . import work
from .cache import id_of, training_cache
from .engine import Cancelled, Engine, Job, Work

UNFOLLOWED_SECONDS = 20
"""The seconds after which a training that nobody follows is stopped."""

AWAY_SECONDS = 10
"""The seconds for which a visitor still counts as a follower after starting a training or losing its stream."""

EVENTS_PER_WRITE = 64
"""The maximum number of events in one write."""

State = Literal["waiting", "running", "done", "stopped", "failed"]


@dataclass
class LiveTraining:
    """A training that a visitor started.

    `followers` has the number of open streams by the visitor's token, which is "" for visitors without a token. `away`
    maps the token of a visitor without a stream to the time until which the visitor still counts as a follower.
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
        """The number of events in the training's event stream so far."""
        return 1 + len(self.training.checkpoints) + self.over

    def event(self, number: int) -> bytes:
        """Return event `number`, counted from 0. The number is also the id of the event."""
        name: str
        data: object
        if number == 0:
            name, data = "start", describe(self.id, self.training)
        elif number <= len(self.training.checkpoints):
            name, data = "checkpoint", self.training.checkpoints[number - 1].report
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
        """Return whether another visitor follows the training. Without a token, all followers count as others."""
        now = asyncio.get_running_loop().time()
        others = {*(+self.followers), *(other for other, until in self.away.items() if until > now)}
        return bool(others - {token} if token else others)

    def notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Trainings:
    """All trainings that visitors started. Only one event loop may use this object."""

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
            self._cache.put(id, present.training)  # marks it as the most recently used one
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
        """Return the place of a training in the queue, counted from 1, or 0 if it does not wait."""
        waiting = [other for other in self._live.values() if other.state == "waiting"]
        return waiting.index(live) + 1 if live in waiting else 0

    def stop_unless_followed(self, live: LiveTraining, token: str = "") -> None:
        """Stop a training, unless a visitor other than the one with `token` follows it."""
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
        """Run a function in a worker process, and return the result. Raises Refused if too many are already running."""
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
        """Yield the events with ids above `after` as they occur, until the training ends."""
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
                place = self.place(live)
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
        # Stop the waiting trainings first, so that none of them starts.
        for live in sorted(self._live.values(), key=lambda live: live.state != "waiting"):
            self.stop(live)
        await asyncio.to_thread(self._engine.close)

    def _schedule_stop(self, live: LiveTraining) -> None:
        """Schedule a stop in UNFOLLOWED_SECONDS if the training has no followers. Otherwise cancel a scheduled stop."""
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
        """Remove trainings that are over and no longer in the cache. The next request starts them again."""
        for id, live in list(self._live.items()):
            if live.over and not live.followers and not self._cache.has(id):
                del self._live[id]


class TrainingStart(TypedDict):
    """The data that a page needs before the first checkpoint of a training."""

    id: str
    recipe: RecipeFields
    versions: dict[str, str]


def describe(id: str, training: Training) -> TrainingStart:
    return {"id": id, "recipe": training.recipe.to_dict(), "versions": VERSIONS}


def as_events(id: str, training: Training, after: int = -1) -> bytes:
    """Return the events of a finished training with ids above `after`, as its stream sent them."""
    live = LiveTraining(id, training, "done")
    return b"".join(map(live.event, range(after + 1, live.length)))
