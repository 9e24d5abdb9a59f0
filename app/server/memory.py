"""Memory allocator settings that return freed memory to the operating system."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress

ARENAS = 2
"""The number of heaps that all threads share. By default glibc creates up to 8 per core, and they never shrink."""

MMAP_THRESHOLD = 2**18
"""The smallest size, in bytes, of a block that gets its own memory mapping.

When the block is freed, the system gets the mapping back. By default glibc raises this threshold as larger blocks are
freed.
"""

TRIM_SECONDS = 60
"""The seconds between two calls of `trim`.

Trainings and uploads in memory leave free pages inside the heaps. glibc reuses such a page only for the same heap.
"""

# glibc's malloc.h, https://www.man7.org/linux/man-pages/man3/mallopt.3.html
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def configure_allocator() -> None:
    """Configure glibc's allocator. If the system has another allocator, do nothing."""
    with suppress(OSError, AttributeError, TypeError):  # TypeError: Windows has no library of the process itself
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def trim() -> None:
    """Give free pages back to the system, which takes a few milliseconds. Without glibc's allocator, do nothing."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


async def trim_regularly() -> None:
    """Call `trim` in a thread every TRIM_SECONDS seconds, forever."""
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim)
