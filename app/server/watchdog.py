"""A watchdog for the event loop: while one task blocks the loop, the server answers no other request."""

from __future__ import annotations

import asyncio
import time

from .log import LOG

TOO_LONG = 0.2
"""The shortest time, in seconds, for which a blocked event loop is logged."""

INTERVAL = 0.05
"""The seconds between two checks."""


async def watch() -> None:
    """Check the event loop forever, and log each time that it was blocked for too long."""
    while True:
        due = time.monotonic() + INTERVAL
        await asyncio.sleep(INTERVAL)
        late = time.monotonic() - due
        if late > TOO_LONG - INTERVAL:
            LOG.warning("the event loop was blocked for at least %.0f ms", 1000 * late)
