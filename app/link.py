"""What a link says in writing of its own, read: the grammar is that of static/link.js."""

from __future__ import annotations

import re
from typing import Any

from gru_core import Clamp

# [layer 2.] z [of units 1 and 3] from step 4 [to 6, to the end] at 0.5
CLAMP = re.compile(
    r"(?:L([1-9]\d{0,5})\.)?(r|z|h_tilde|h_prev)(?:\.([1-9]\d{0,5}(?:\+[1-9]\d{0,5})*))?"
    r"@([1-9]\d{0,5})(-([1-9]\d{0,5})?)?=(-?\d*\.?\d+)",
    re.ASCII,
)


def clamps(text: str) -> list[Clamp]:
    """The clamps written as in a link, `z.1+3@4-6=0.5,L2.r@1-=1`: from 1 as on screen, `to` included.

    Raises ValueError for what is not so written, and for a value that the gate cannot take.
    """
    return [_clamp(one) for one in text.split(",")]


def _clamp(text: str) -> Clamp:
    found = CLAMP.fullmatch(text)
    if found is None:
        raise ValueError(f"a clamp looks like z.1@4-6=0: a gate, its units, steps and value; {text[:40]!r} does not")
    layer, units, start, span, to, value = found.group(1, 3, 4, 5, 6, 7)
    gate: Any = found[2]
    stop = (int(to) if to else None) if span else int(start)
    of = None if units is None else [int(unit) - 1 for unit in units.split("+")]
    return Clamp(gate, float(value), of, slice(int(start) - 1, stop), int(layer or 1) - 1)
