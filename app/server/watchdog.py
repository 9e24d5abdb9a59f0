"""A watch over the event loop: while one piece of work holds it up, nobody else is answered."""

from __future__ import annotations

import asyncio
import time

from .log import LOG

TOO_LONG = 0.2
"""Seconds after which a pause of the loop is logged."""

EVERY = 0.05


async def watch() -> None:
    """Log every pause of the running loop that is too long, for ever."""
    while True:
        due = time.monotonic() + EVERY
        await asyncio.sleep(EVERY)
        late = time.monotonic() - due
        if late > TOO_LONG - EVERY:
            LOG.warning("the event loop was blocked for at least %.0f ms", 1000 * late)
