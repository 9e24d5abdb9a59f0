"""A rate limit for each visitor: a number of requests at once, and a number per second after that."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from ..errors import Refused

MOST_KEYS = 20_000
"""The most visitors that are remembered. The server forgets the one that it has not seen for longest."""


class Buckets:
    """A token bucket for each key, such as a network address. It has `burst` tokens and gets `rate` back per second."""

    def __init__(self, burst: int, rate: float, clock: Callable[[], float]) -> None:
        self.burst, self.rate, self.clock = burst, rate, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, key: str) -> float:
        """Return how many tokens a key has now."""
        tokens, then = self._levels.get(key, (float(self.burst), 0.0))
        return min(self.burst, tokens + (self.clock() - then) * self.rate)

    def take(self, key: str, message: str) -> None:
        """Take a token. Raise Refused, with a message and the time to wait, if there is none."""
        left = self.left(key)
        if left < 1:
            wait = math.ceil((1 - left) / self.rate)
            raise Refused(429, "too-often", f"{message}; try again in {wait} s", retry_after=wait)
        self._levels[key] = (left - 1, self.clock())
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KEYS:
            self._levels.popitem(last=False)
