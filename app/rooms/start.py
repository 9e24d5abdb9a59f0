"""Selection of the room store: Redis, a file in the folder of uploaded models, or memory."""

from __future__ import annotations

from ..settings import Settings
from .keeper import LOG, InMemory, Keeper
from .sqlite import IN_MEMORY, InFile


def store_for(settings: Settings) -> Keeper:
    """Return the room store for these settings. Raise ImportError if `redis` is set and its package is missing."""
    if settings.redis:
        try:
            from .redis import InRedis
        except ImportError as error:
            raise ImportError("rooms in Redis need its package: pip install 'gruscope[redis]'") from error
        return InRedis(settings.redis, settings.room_hours)
    if settings.uploads:
        try:
            return InFile(settings.uploads)
        except OSError as error:
            LOG.warning(IN_MEMORY, error)
    return InMemory()
