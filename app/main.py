"""The FastAPI application. `uvicorn --factory gruscope.main:create_app` runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version as package_version

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from .errors import ErrorBody
from .jobs.start import start_engine
from .jobs.trainings import Trainings
from .lessons import shelf
from .models import excluded, served_models, store
from .pages.lab import warm_up
from .rooms.keeper import InMemory
from .rooms.rooms import Rooms
from .rooms.start import store_for
from .routes import (
    census,
    experiments,
    export,
    health,
    lessons,
    models,
    moments,
    oembed,
    pages,
    reference,
    rooms,
    score,
    static,
    teach,
    timing,
    trace,
    trainings,
    unit,
    uploads,
)
from .server.background import running
from .server.budget import Budget
from .server.error_responses import add_handlers
from .server.head import Head
from .server.log import LOG, Log
from .server.memory import configure_allocator, trim_regularly
from .server.metrics import metrics
from .server.middleware import BodyLimit, FairShares, SecurityHeaders
from .server.origins import HostCheck, OriginCheck
from .server.primary import ForwardToPrimary, Primary
from .server.watchdog import watch
from .settings import Settings

ROUTES = (  # the order in which routes are matched: the most frequent ones first
    trace, unit, pages, experiments, lessons, rooms, score, moments, census, timing, trainings, export, models,
    uploads, oembed, teach, health, reference, static,
)  # fmt: skip


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configure_allocator()
    primary: Primary | None = app.state.primary
    warm_up(app.state.settings)
    app.state.ready = True
    if primary is None or app.state.settings.redis:
        await app.state.rooms.begin()
    if primary is not None:
        await primary.join(app, _open_rooms)
    try:
        async with running(watch()), running(trim_regularly()):
            yield
    finally:
        if primary is not None:
            await primary.leave()
        await app.state.rooms.stop()
        await app.state.trainings.close()


async def _open_rooms(app: FastAPI) -> None:
    """Create the rooms and start their work, when this process becomes the primary. With Redis they already exist."""
    if not app.state.settings.redis:
        app.state.rooms = Rooms(app.state.settings, store_for(app.state.settings))
    await app.state.rooms.begin()


def create_app(settings: Settings | None = None, primary: Primary | None = None) -> FastAPI:
    """Build the FastAPI application. Without `settings`, read the settings from the environment.

    `primary` is None unless several worker processes serve together (see server/primary.py). Raises ValueError if a
    setting is not valid, OSError if the Dask cluster cannot be reached, and ImportError if Dask or Redis is configured
    and its package is missing.
    """
    settings = settings or Settings.from_environment()
    served_models(settings.models)
    for name, reason in excluded(settings).items():
        LOG.warning("the model %s is not offered: %s", name, reason)
    shelf.check(settings.lessons)
    store(settings)
    request_metrics = metrics()
    app = FastAPI(
        title="GRU Scope",
        version=package_version("gruscope"),
        description="See what a gated recurrent unit does with a sequence, step by step.",
        # FastAPI's own documentation pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Log, metrics=request_metrics),
            Middleware(SecurityHeaders, settings=settings),
            Middleware(FairShares, settings=settings),
            Middleware(Budget, settings=settings),
            Middleware(Head),
            # Starlette compresses responses above 128 KiB in a thread. A smaller one takes about 10 ms at this level.
            Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6),
            Middleware(HostCheck, settings=settings),
            Middleware(OriginCheck),
            Middleware(BodyLimit, settings=settings),
            *([] if primary is None else [Middleware(ForwardToPrimary, primary=primary)]),
        ],
        responses={"4XX": {"model": ErrorBody, "description": "The error: what is wrong, where, and what to do"}},
        lifespan=_lifespan,
    )
    app.state.settings, app.state.metrics, app.state.ready = settings, request_metrics, False
    app.state.primary = primary
    engine = start_engine(settings.trainings, settings.scheduler, settings.plain_scheduler)
    app.state.trainings = Trainings(settings, engine)
    rooms_in_primary = primary is not None and not settings.redis
    app.state.rooms = Rooms(settings, InMemory() if rooms_in_primary else store_for(settings))
    add_handlers(app)
    for route in ROUTES:
        app.include_router(route.router)
    return app
