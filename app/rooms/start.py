"""Where rooms are kept: in this process, or in the Redis that the settings name."""

from __future__ import annotations

from ..settings import Settings
from .keeper import InMemory, Keeper


def kept_in(settings: Settings) -> Keeper:
    """Raises ImportError where a Redis is named and its package is not here."""
    if not settings.redis:
        return InMemory()
    try:
        from .redis import InRedis
    except ImportError as error:
        raise ImportError("rooms in Redis need its package: pip install 'gruscope[redis]'") from error
    return InRedis(settings.redis, settings.room_hours)
