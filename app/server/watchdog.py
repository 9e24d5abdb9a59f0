"""A watchdog for the event loop: while one task blocks the loop, the server answers no other request."""

from __future__ import annotations

import asyncio
import time

from .log import LOG

TOO_LONG = 0.2
"""Seconds from which a block of the event loop is logged."""

INTERVAL = 0.05
"""Seconds between two checks."""


async def watch() -> None:
    """Log each time that the event loop is blocked for too long, without end."""
    while True:
        due = time.monotonic() + INTERVAL
        await asyncio.sleep(INTERVAL)
        late = time.monotonic() - due
        if late > TOO_LONG - INTERVAL:
            LOG.warning("the event loop was blocked for at least %.0f ms", 1000 * late)
