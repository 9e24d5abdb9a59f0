"""The application, put together: `uvicorn --factory gruscope.main:create_app` runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version as version_of

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from . import errors
from .jobs.start import start
from .jobs.trainings import Trainings
from .lessons import shelf
from .models import served, store
from .pages.lab import warm
from .rooms.keeper import InMemory
from .rooms.rooms import Rooms
from .rooms.start import kept_in
from .routes import (
    compare,
    experiments,
    export,
    health,
    lab,
    lessons,
    models,
    moments,
    oembed,
    reference,
    rooms,
    score,
    static,
    timing,
    trace,
    train,
    trainings,
    unit,
    uploads,
)
from .schemas import ErrorBody
from .server.background import running
from .server.budget import Budget
from .server.log import Log
from .server.memory import give_back_what_is_freed, trim_now_and_then
from .server.metrics import metrics
from .server.middleware import BodyLimit, FairShares, SecurityHeaders
from .server.origins import OwnNames, OwnPages
from .server.primary import Primary, ToPrimary
from .server.watchdog import watch
from .settings import Settings

ROUTES = (  # in the order in which requests are matched: the most frequent ones first
    trace, unit, lab, compare, experiments, train, lessons, rooms, score, moments, timing, trainings, export, models,
    uploads, oembed, health, reference, static,
)  # fmt: skip


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    give_back_what_is_freed()
    primary: Primary | None = app.state.primary
    warm(app.state.settings)
    app.state.ready = True
    if primary is None or app.state.settings.redis:
        await app.state.rooms.begin()
    if primary is not None:
        await primary.join(app, _take_rooms)
    try:
        async with running(watch()), running(trim_now_and_then()):
            yield
    finally:
        if primary is not None:
            await primary.leave()
        await app.state.rooms.stop()
        await app.state.trainings.close()


async def _take_rooms(app: FastAPI) -> None:
    """Open the rooms in the one process that has them; with Redis every process has."""
    if not app.state.settings.redis:
        app.state.rooms = Rooms(app.state.settings, kept_in(app.state.settings))
    await app.state.rooms.begin()


def create_app(settings: Settings | None = None, primary: Primary | None = None) -> FastAPI:
    """The whole application. Settings are read from the environment unless given.

    `primary` is there when several processes serve together; see primary.py.

    Raises ValueError for settings that cannot be kept to, OSError or ImportError where there is no such cluster.
    """
    settings = settings or Settings.from_environment()
    served(settings.models)
    shelf.check(settings.lessons)
    store(settings)
    kept = metrics()
    app = FastAPI(
        title="GRU Scope",
        version=version_of("gruscope"),
        description="See what a gated recurrent unit does with a sequence, step by step.",
        # FastAPI's own pages load their interface from another host.
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Log, metrics=kept),
            Middleware(SecurityHeaders, settings=settings),
            Middleware(FairShares, settings=settings),
            Middleware(Budget, settings=settings),
            # Starlette compresses what is larger than 128 KiB in a thread; at this level the rest takes some 10 ms.
            Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6),
            Middleware(OwnNames, settings=settings),
            Middleware(OwnPages),
            Middleware(BodyLimit, settings=settings),
            *([] if primary is None else [Middleware(ToPrimary, primary=primary)]),
        ],
        responses={"4XX": {"model": ErrorBody, "description": "The error: what is wrong, where, and what to do"}},
        lifespan=_lifespan,
    )
    app.state.settings, app.state.metrics, app.state.ready = settings, kept, False
    app.state.primary = primary
    engine = start(settings.trainings, settings.scheduler, settings.plain_scheduler)
    app.state.trainings = Trainings(settings, engine)
    elsewhere = primary is not None and not settings.redis
    app.state.rooms = Rooms(settings, InMemory() if elsewhere else kept_in(settings))
    errors.add_handlers(app)
    for route in ROUTES:
        app.include_router(route.router)
    return app
