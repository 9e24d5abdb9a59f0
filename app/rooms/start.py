"""Where rooms are stored: in the Redis that the settings name, else in the uploads folder, else in memory."""

from __future__ import annotations

from ..settings import Settings
from .keeper import InMemory, Keeper
from .sqlite import IN_MEMORY, LOG, InFile


def kept_in(settings: Settings) -> Keeper:
    """Return the keeper of these settings. Raises ImportError when a Redis is named and its package is missing."""
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
