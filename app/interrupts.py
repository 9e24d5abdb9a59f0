"""Handling of Ctrl+C, which the terminal sends to a command and all of its child processes at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def ignore_interrupts_in_children() -> Iterator[None]:
    """Make processes that this thread starts in this context ignore Ctrl+C. Their parent process ends them.

    In the main thread, a Ctrl+C during this context takes effect when the context ends, because an interrupt while a
    process starts would print a traceback.
    """
    with _delayed(), _blocked():
        yield


@contextmanager
def _delayed() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if received:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def _blocked() -> Iterator[None]:
    """Block SIGINT in this thread. Child processes inherit a blocked signal, but not a handler."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting the tracker would lift the block
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
