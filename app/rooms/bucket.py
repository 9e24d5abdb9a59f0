"""A rate limit for each visitor: a burst of requests, and after that a number of requests per second."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from ..errors import Refused

MOST_KEYS = 20_000
"""The maximum number of visitors to remember. Beyond it, the server forgets the visitor with the oldest request."""


class Buckets:
    """A token bucket for each key, such as a network address. It holds `burst` tokens and regains `rate` per second."""

    def __init__(self, burst: int, rate: float, clock: Callable[[], float]) -> None:
        self.burst, self.rate, self.clock = burst, rate, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, key: str) -> float:
        """Return the number of tokens that the bucket of `key` holds now, which may be a fraction."""
        tokens, then = self._levels.get(key, (float(self.burst), 0.0))
        return min(self.burst, tokens + (self.clock() - then) * self.rate)

    def take(self, key: str, message: str) -> None:
        """Take a token from the bucket of `key`. If it is empty, raise Refused with `message` and the time to wait."""
        left = self.left(key)
        if left < 1:
            wait = math.ceil((1 - left) / self.rate)
            raise Refused(429, "too-often", f"{message}; try again in {wait} s", retry_after=wait)
        self._levels[key] = (left - 1, self.clock())
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KEYS:
            self._levels.popitem(last=False)
