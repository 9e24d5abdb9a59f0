"""What the server's process does so that memory which was freed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress

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


async def trim_now_and_then() -> None:
    """Give free pages back every so often, for ever."""
    while True:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(trim)
