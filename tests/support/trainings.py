"""Short trainings, and the events that they report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from app.jobs.pool import Pool
from app.jobs.trainings import LiveTraining, Trainings
from app.recipes import RecipeBody
from app.settings import Settings
from gru_core.training.recipe import Recipe
from tests.support.events import run as in_thread

SHORT: dict[str, Any] = {"task": "flip-flop", "after": 20, "most": 200, "seed": 5}


def recipe(**changes: Any) -> Recipe:
    return RecipeBody.model_validate(SHORT | changes).recipe()


def run_with_trainings(test: Callable[[Trainings], Awaitable[None]], settings: Settings, pool: Pool) -> None:
    """Run a test with a new `Trainings` service in a new event loop. All tests share one pool of workers."""

    async def run() -> None:
        class SharedPool:
            submit, cancel = pool.submit, pool.cancel

            def close(self) -> None: ...

        service = Trainings(settings, SharedPool())
        try:
            await test(service)
        finally:
            await service.close()
            # Wait for the last reports of the pool before the loop closes.
            while any(live.job is not None and not live.job.future.done() for live in service._live.values()):
                await asyncio.sleep(0.01)

    in_thread(run())


async def all_events(service: Trainings, live: LiveTraining, after: int = -1) -> str:
    """Return the event stream of a training after event number `after`, as text."""
    return b"".join([piece async for piece in service.follow(live, after)]).decode()
