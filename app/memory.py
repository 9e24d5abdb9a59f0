"""What the server's process does so that memory which was freed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

ARENAS = 2
"""Heaps for all threads together. By default glibc makes 8 for each core, and each keeps what it once had."""

MAPPED = 2**18
"""Bytes from which a block is mapped by itself and goes back when it is freed. By default this grows as blocks do."""

EVERY = 60
"""Seconds between two times that free pages inside the heaps go back. Kept trainings and uploads leave them where they
were, and glibc uses such a page again only for a thread of the same heap."""

# glibc's malloc.h, https://www.man7.org/linux/man-pages/man3/mallopt.3.html
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def give_back_what_is_freed() -> None:
    """Set glibc's allocator so; nothing where there is another."""
    with suppress(OSError, AttributeError, TypeError):  # TypeError: Windows has no library of the process itself
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, MAPPED)


def trim() -> None:
    """Give free pages back to the system, which takes some milliseconds; nothing where there is another allocator."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


@asynccontextmanager
async def trimmed() -> AsyncIterator[None]:
    """Give free pages back now and then, until the end of the context."""
    task = asyncio.create_task(_trim_now_and_then(), name="trim")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _trim_now_and_then() -> None:
    while True:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(trim)
