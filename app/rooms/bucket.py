"""How often somebody may do something: so many times at once, and so many a second in the long run."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from ..errors import Refused

MOST_KNOWN = 20_000
"""How many are remembered, the latest; each is a key and two numbers."""


class Buckets:
    """A bucket for each who comes, of `burst` drops, `rate` of which come back in a second."""

    def __init__(self, burst: int, rate: float, clock: Callable[[], float]) -> None:
        self.burst, self.rate, self.clock = burst, rate, clock
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, who: str) -> float:
        drops, then = self._known.get(who, (float(self.burst), 0.0))
        return min(self.burst, drops + (self.clock() - then) * self.rate)

    def take(self, who: str, what: str) -> None:
        """Raise Refused when that is too often: `what` says what was."""
        left = self.left(who)
        if left < 1:
            wait = math.ceil((1 - left) / self.rate)
            raise Refused(429, "too-often", f"{what}; try again in {wait} s", retry_after=wait)
        self._known[who] = (left - 1, self.clock())
        self._known.move_to_end(who)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
