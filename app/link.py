"""Links: a scenario and where to look at it, as an address says them (docs/reference/links.md, static/link.js)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from gru_core.cells import GATES, HOLDABLE
from gru_core.numerals import decimal, whole

from .errors import Refused
from .schemas import MOST_CHANGES, SIGNALS, ClampBody, Scenario, UnitPlace, WeightBody

VERSION = "1"
"""The version of the links that are read."""

_PLACE = "[1-9][0-9]{0,5}"
_SIGNALS, _GATES, _HELD = "|".join(SIGNALS), "|".join(GATES), "|".join(HOLDABLE)
_VIEW = "tape|words|whatif|cell|equations|memory|influence|alike|table"


def _any_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


FOCUS = {
    "t": (_PLACE, "the timestep of the cursor, from 1"),
    "layer": (_PLACE, "the layer of the cursor, from 1 (default: the top layer)"),
    "unit": (_PLACE, "the unit of the cursor, from 1"),
    "views": (rf"({_VIEW})(,({_VIEW}))*", f"the open views, separated by commas: {_VIEW.replace('|', ',')}"),
    "zoom": ("layer|unit|gate", "the zoom of the cell: layer, unit or gate"),
    "gate": (_GATES, f"the gate that the zoom “gate” shows: {_any_of(GATES)}"),
    "table": (_SIGNALS, f"the signal in the table: {_any_of(SIGNALS)}"),
    "convention": ("source|pytorch", "source (z near 1 takes the candidate) or pytorch (z near 1 keeps the old state)"),
    "rows": ("all|moved", "the units on the tape: all, or moved (the 16 units with the largest change of the state)"),
    "scale": ("absolute|normalized", "the scale of the influence: absolute or normalized"),
}
"""The keys that say where to look: what they may be, as a pattern, and what they mean."""


def _allowed(key: str) -> str:
    """What a key of the focus may be, in words."""
    pattern, _ = FOCUS[key]
    if pattern == _PLACE:
        return "a whole number, at least 1"
    if key == "views":
        return f"one or more of {_VIEW.replace('|', ',')}"
    return f"one of {pattern.replace('|', ', ')}"


_CLAMP = re.compile(
    r"(?:L(?P<layer>\d{1,6})\.)?(?P<gate>" + _HELD + r")(?:\.(?P<units>\d{1,6}(?:\+\d{1,6})*+))?"
    r"@(?P<from>\d{1,6})(?P<span>-(?P<to>\d{0,6}))?=(?P<value>[-.\d]{1,40})",
    re.ASCII,
)
_WEIGHT = re.compile(
    r"(?:L(?P<layer>\d{1,6})\.)?(?P<gate>" + _GATES + r")\.(?P<unit>\d{1,6})"
    r"\.(?:(?P<part>[WU])(?P<index>\d{1,6})|(?P<bias>[bc]))=(?P<value>[-.e\d]{1,40})",
    re.ASCII,
)


@dataclass(frozen=True)
class Link:
    """`model` and `sequence` are None when left out; `said` has the other keys that were given, as they were."""

    model: str | None
    sequence: str | None
    clamps: list[ClampBody]
    weights: list[WeightBody]
    against: str | None
    said: dict[str, str]

    def address(self, scenario: Scenario) -> str:
        """The query of this link, beginning with "?", for the scenario that it led to."""
        keys = {"model": scenario.model, "sequence": str(scenario.sequence)} | self.said | {"v": VERSION}
        return "?" + urlencode(keys, safe=",@=")


def read_address(address: str) -> dict[str, str]:
    """The keys of a whole address, or of its query alone."""
    return dict(parse_qsl(address.rpartition("?")[2], keep_blank_values=True))


def read_link(keys: Mapping[str, str]) -> Link:
    """What the keys of a link say; those of other pages are ignored. Raises Refused for what cannot be followed."""
    if keys.get("v", VERSION) != VERSION:
        raise Refused(422, "link", "another version of GRU Scope made this link: copy it again from the page", "v")
    for key, (pattern, _) in FOCUS.items():
        if keys.get(key) and not re.fullmatch(pattern, keys[key]):
            raise Refused(422, "link", f"{key} must be {_allowed(key)}", key)
    clamps, weights = (_listed(keys, key) for key in ("clamps", "weights"))
    return Link(
        keys.get("model") or None,
        keys.get("sequence") or None,
        [_read_clamp(one) for one in clamps],
        [_read_weight(one) for one in weights],
        keys.get("against") or None,
        {key: keys[key] for key in ("clamps", "weights", "against", *FOCUS) if keys.get(key)},
    )


def unit_in(keys: Mapping[str, str], sizes: Sequence[int]) -> UnitPlace:
    """The unit where a link puts the cursor, or the nearest that there is; `sizes` has the units of each layer."""
    layer = min(whole(keys.get("layer", "")) or len(sizes), len(sizes))
    return UnitPlace(layer=layer, unit=min(whole(keys.get("unit", "")) or 1, sizes[layer - 1]))


def _listed(keys: Mapping[str, str], key: str) -> list[str]:
    listed = keys[key].split(",", MOST_CHANGES) if keys.get(key) else []
    if len(listed) > MOST_CHANGES:
        raise Refused(422, "link", f"there are too many {key}: at most {MOST_CHANGES}", key)
    return listed


def _read_clamp(text: str) -> ClampBody:
    found = _CLAMP.fullmatch(text)
    value = decimal(found["value"]) if found else None
    if found is None or value is None:
        raise Refused(422, "link", "clamps must look like z.1@4-6=0 (gate, units, steps, value)", "clamps")
    start = int(found["from"])
    end = start if found["span"] is None else int(found["to"]) if found["to"] else None
    units = [int(unit) for unit in found["units"].split("+")] if found["units"] else None
    body = {"gate": found["gate"], "units": units, "from": start, "to": end, "value": value}
    try:
        return ClampBody.model_validate(body | {"layer": int(found["layer"] or 1)})
    except ValidationError as error:
        what = "clamps count layers, units and steps from 1, and each names at most 256 units"
        raise Refused(422, "link", what, "clamps") from error


def _read_weight(text: str) -> WeightBody:
    found = _WEIGHT.fullmatch(text)
    value = decimal(found["value"]) if found else None
    if found is None or value is None:
        what = "weights must look like z.1.W3=0.5 or z.1.b=0.5 (gate, unit, weight, value)"
        raise Refused(422, "link", what, "weights")
    index = int(found["index"]) if found["index"] else None
    body = {"gate": found["gate"], "unit": int(found["unit"]), "part": found["part"] or found["bias"], "index": index}
    try:
        return WeightBody.model_validate(body | {"layer": int(found["layer"] or 1), "value": value})
    except ValidationError as error:
        raise Refused(422, "link", "weights count layers, units and indices from 1", "weights") from error
