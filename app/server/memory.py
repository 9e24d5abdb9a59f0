"""Settings of the memory allocator, so that freed memory goes back to the operating system."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress

ARENAS = 2
"""The number of heaps for all threads. By default glibc creates 8 for each core, and each stays at its largest size."""

MMAP_THRESHOLD = 2**18
"""Bytes from which a block has a mapping of its own, which goes back to the system when the block is freed.

By default glibc raises this threshold as blocks get larger.
"""

TRIM_SECONDS = 60
"""Seconds between two calls of `trim`.

Stored trainings and uploads leave free pages inside the heaps. glibc uses such a page again only for the same heap.
"""

# glibc's malloc.h, https://www.man7.org/linux/man-pages/man3/mallopt.3.html
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def configure_allocator() -> None:
    """Configure glibc's allocator; do nothing if the system has another one."""
    with suppress(OSError, AttributeError, TypeError):  # TypeError: Windows has no library of the process itself
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def trim() -> None:
    """Return free pages to the system, which takes some milliseconds; do nothing without glibc's allocator."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


async def trim_regularly() -> None:
    """Call `trim` in a thread every TRIM_SECONDS seconds, without end."""
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim)
