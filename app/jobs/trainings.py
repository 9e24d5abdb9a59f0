"""The trainings that visitors asked for: a few at once, a few waiting, and those that are done kept for a while.

A training is known by its recipe: who asks for the same one gets the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, Literal

from gru_core import Model, presets
from gru_core.checkpoints import Training, shipped
from gru_core.recipe import Recipe

from ..answers import to_json
from ..errors import Refused
from ..settings import Settings
from ..version import VERSIONS
from . import work
from .engine import Cancelled, Engine, Job, Work

ID = r"t-[0-9a-f]{32}"

KEPT_BYTES = 64 * 2**20
"""Of the weights of trainings that are kept in memory; the least recently used go first."""

REPORT = 6_000
"""Bytes of a checkpoint besides its weights: its report, and the event that tells it."""

ALONE = 20
"""Seconds after which a training that nobody follows is ended."""

BEAT = 15
"""Seconds after which a stream with nothing to say says so: proxies cut idle ones."""

State = Literal["waiting", "running", "done", "stopped", "failed"]


def id_of(recipe: Recipe) -> str:
    """The id of a recipe's training under these versions."""
    text = json.dumps([recipe.to_dict(), VERSIONS], sort_keys=True)
    return "t-" + hashlib.sha256(text.encode()).hexdigest()[:32]


class Kept:
    """Trainings by id, as many as there is room for, and those that ship by the name of their preset."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trainings: OrderedDict[str, Training] = OrderedDict()

    def put(self, id: str, training: Training) -> None:
        with self._lock:
            self._trainings[id] = training
            sizes = {id: _size(one) for id, one in self._trainings.items()}
            for other in list(self._trainings)[:-1]:
                if sum(sizes.values()) <= KEPT_BYTES:
                    break
                del sizes[other], self._trainings[other]

    def has(self, id: str) -> bool:
        with self._lock:
            return id in self._trainings

    def get(self, id: str) -> Training:
        """Raises Refused where there is none."""
        if id in presets.NAMES:
            return shipped(id)
        with self._lock:
            if id in self._trainings:
                self._trainings.move_to_end(id)
                return self._trainings[id]
        message = "this training is no longer kept here: train it again, from the same recipe it comes out the same"
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
    return sum(checkpoint.weights.nbytes + REPORT for checkpoint in training.checkpoints)


@dataclass
class Live:
    """A training that is asked for. `events` are its stream so far, of which the place of each is its id."""

    id: str
    training: Training
    state: State = "waiting"
    events: list[bytes] = field(default_factory=list)
    followers: int = 0
    job: Job | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.TimerHandle | None = None

    @property
    def over(self) -> bool:
        return self.state not in ("waiting", "running")

    def tell(self, name: str, data: Any) -> None:
        head = f"id: {len(self.events)}\nevent: {name}\ndata: ".encode()
        self.events.append(head + to_json(data) + b"\n\n")
        self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Trainings:
    """To be used from one event loop."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._kept, self._engine = settings, kept(settings), engine
        self._live: OrderedDict[str, Live] = OrderedDict()
        self._computing = 0

    def start(self, recipe: Recipe) -> Live:
        """The training of this recipe, begun if it has not been. Raises Refused when too many wait."""
        id = id_of(recipe)
        self._let_go()
        found = self._live.get(id)
        if found is not None and found.state != "stopped" and found.state != "failed":
            self._live.move_to_end(id)
            return found
        waiting = sum(one.state == "waiting" for one in self._live.values())
        if waiting >= self._settings.waiting:
            message = f"{waiting} trainings are waiting already, which is as many as this server lets; try again soon"
            raise Refused(429, "busy", message, retry_after=5)
        live = Live(id, Training(recipe))
        self._live[id] = live
        self._kept.put(id, live.training)
        live.tell("start", about(id, live.training))
        self._watch(live)
        self._next()
        return live

    def get(self, id: str) -> Live | None:
        return self._live.get(id)

    def place(self, live: Live) -> int:
        """How many will begin before it does."""
        waiting = [one for one in self._live.values() if one.state == "waiting"]
        return waiting.index(live) if live in waiting else 0

    def stop(self, live: Live) -> None:
        """End it where it is; what it has is kept."""
        if live.over:
            return
        if live.job is None:
            self._end(live, "stopped", "It was stopped before it began.")
        else:
            self._engine.cancel(live.job)
            self._end(live, "stopped", "It was stopped here.")

    async def compute(self, of: Work, asked: Any) -> Any:
        """What comes of other work. Raises Refused when too many wait."""
        if self._computing >= self._settings.waiting:
            raise Refused(429, "busy", "this server computes as much as it can; try again soon", retry_after=5)
        self._computing += 1
        try:
            return await asyncio.wrap_future(self._engine.submit(of, asked, lambda message: None).future)
        finally:
            self._computing -= 1

    async def follow(self, live: Live, after: int) -> AsyncGenerator[bytes, None]:
        """The events with ids above `after`, as they come, to the last."""
        live.followers += 1
        self._watch(live)
        sent, told = after + 1, -1
        try:
            while True:
                changed = live.changed
                if sent < len(live.events):
                    piece = live.events[sent : sent + 64]
                    sent += len(piece)
                    yield b"".join(piece)
                    continue
                if live.over:
                    return
                place = self.place(live) + 1 if live.state == "waiting" else 0
                if place != told:
                    told = place
                    yield b"event: place\ndata: " + to_json({"place": place}) + b"\n\n"
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), BEAT)
                except TimeoutError:
                    yield b": still there\n\n"
        finally:
            live.followers -= 1
            self._watch(live)

    def close(self) -> None:
        for live in self._live.values():
            self.stop(live)
        self._engine.close()

    def _watch(self, live: Live) -> None:
        """End what nobody has followed for a while."""
        if live.leaving is not None:
            live.leaving.cancel()
            live.leaving = None
        if live.followers == 0 and not live.over:
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
        live.training.checkpoints.append(checkpoint)
        live.tell("checkpoint", checkpoint.report)

    def _done(self, live: Live, future: Future[str]) -> None:
        error = future.exception()
        if error is None:
            self._end(live, "done", future.result())
        elif isinstance(error, Cancelled):
            self._end(live, "stopped", "It was stopped here.")
        else:
            self._end(live, "failed", f"It could not be computed: {error}.")

    def _end(self, live: Live, state: State, why: str) -> None:
        if not live.over:
            live.state, live.training.end = state, why
            live.tell("end", {"state": state, "why": why})
            self._watch(live)
            self._next()

    def _let_go(self) -> None:
        """Forget those that are over and no longer kept: who asks for one again has it trained again."""
        for id, live in list(self._live.items()):
            if live.over and live.followers == 0 and not self._kept.has(id):
                del self._live[id]


def about(id: str, training: Training) -> dict[str, Any]:
    """What a page must know of a training before its first checkpoint."""
    return {"id": id, "recipe": training.recipe.to_dict(), "versions": VERSIONS}


def as_events(id: str, training: Training) -> bytes:
    """A training that is over, as its stream was."""
    live = Live(id, training)
    live.tell("start", about(id, training))
    for checkpoint in training.checkpoints:
        live.tell("checkpoint", checkpoint.report)
    live.tell("end", {"state": "done", "why": training.end})
    return b"".join(live.events)
