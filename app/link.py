"""Links: the query keys that describe a scenario and its view (docs/reference/links.md, static/link.js)."""

from __future__ import annotations

import math
import re
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from gru_core import presets
from gru_core.cells.registry import GATES, HOLDABLE, ORDER, USUAL
from gru_core.numerals import decimal, decimals, whole
from gru_core.runs.writing import HOTTEST

from .errors import Refused
from .schemas import (
    MOST_CHANGES,
    MOST_SEEDS,
    MOST_WRITTEN,
    SIGNALS,
    ClampBody,
    Scenario,
    UnitPlace,
    WeightBody,
    WriteBody,
)

VERSION = "1"
"""The version of links that this server reads."""

LONGEST_LINK = 8000
"""The maximum number of characters of a link in a request."""

APPEARANCE = ("hide", "theme", "display")
"""The keys that change only the appearance of a page, not its view. Only the script in the browser reads them."""

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
    "rows": (
        rf"all|moved|mean\.({_SIGNALS})",
        "the order of the units on the tape: all (by number), moved (the largest change of the state first), or "
        "mean.z and so on (the largest mean of the signal first); default: all, with more than 64 units moved",
    ),
    "scale": ("absolute|normalized", "the scale of the influence: absolute or normalized"),
}
"""The keys of the view. Each key has a regular expression for its value, and its meaning in words."""

DEFAULTS = {
    "views": "tape,words,cell,equations", "zoom": "unit", "table": "h", "convention": "source", "scale": "absolute",
}  # fmt: skip
"""The default values of keys that a link leaves out. The default of every other key with a text value is ""."""

CHANGES = ("clamps", "weights", "against", "h0", "write", "temperature", "seed")
"""The keys of a scenario besides `model` and `sequence`."""


def _allowed(key: str) -> str:
    """Describe the possible values of a key of the view in words."""
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
    """A parsed link. `model` and `sequence` are None if missing. `options` maps all other known keys to their text."""

    model: str | None
    sequence: str | None
    clamps: list[ClampBody]
    weights: list[WeightBody]
    against: str | None
    h0: list[list[float]] | None
    write: WriteBody | None
    options: dict[str, str]

    def address(self, scenario: Scenario) -> str:
        """Return the query of this link, starting with "?", with the model and the sequence of `scenario`."""
        keys = {"model": scenario.model, "sequence": str(scenario.sequence)} | self.options | {"v": VERSION}
        return "?" + urlencode(keys, safe=",@=")


MOST_WHOLE = 2**22
"""The maximum size of the long values of a link after decompression, in bytes."""

MOST_KEYS = 100
"""The maximum number of keys in a link."""


def read_address(address: str) -> dict[str, str]:
    """Return the keys of an address or of a bare query, with their values.

    Pages compress long values and put them into the fragment as #more=… (static/fragment.js). Raises Refused if the
    fragment is damaged, or if there are more than MOST_KEYS keys.
    """
    address, _, fragment = address.partition("#")
    keys = _keys(address.rpartition("?")[2])
    return keys | _read_fragment(fragment.removeprefix("more=")) if fragment.startswith("more=") else keys


def _read_fragment(text: str) -> dict[str, str]:
    decompressor = zlib.decompressobj()
    try:
        compressed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        whole = decompressor.decompress(compressed, MOST_WHOLE).decode()
    except (ValueError, zlib.error) as error:
        raise Refused(422, "link", "the part after #more= is damaged: copy the whole link again", "link") from error
    if not decompressor.eof:
        raise Refused(422, "link", "the part after #more= is cut off or too long: copy the whole link again", "link")
    return _keys(whole)


def _keys(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_KEYS))
    except ValueError as error:
        raise Refused(422, "link", f"a link has at most {MOST_KEYS} keys", "link") from error


OPENING_TASK = "pocket-calculator"
"""The default task of the Compare page. A GRU or an LSTM solves this task with one unit, but an RNN does not."""

OPENING_SEQUENCES = {"pocket-calculator": "=0.4 0.1 -0.3 0.2 -0.4 0.3 0.1 -0.2 0.2 -0.1 0.3 -0.3 0.1 0.2"}
"""The first sequence on the Compare page, by task. It replaces the model's first example, which would show less.

In this sequence the network must remember a number.
"""


def comparison_in(keys: Mapping[str, str]) -> tuple[str, str]:
    """Return the task of a link to Compare, and the size that the compared networks share: units or parameters."""
    return keys.get("task", OPENING_TASK), keys.get("by", presets.MATCHED[0])


def compared_cells(keys: Mapping[str, str]) -> tuple[str, ...]:
    """Return the cells that a link to Compare shows: the default cells, and all further cells that the link names."""
    named = (keys.get("cells") or "").split(",")
    return tuple(cell for cell in ORDER if cell in USUAL or cell in named)


def read_link(keys: Mapping[str, str]) -> Link:
    """Parse the keys of a link, and ignore keys of other pages. Raises Refused if a value is not valid."""
    if keys.get("v", VERSION) != VERSION:
        raise Refused(422, "link", "another version of GRU Scope made this link: copy it again from the page", "v")
    for key, (pattern, _) in FOCUS.items():
        if keys.get(key) and not re.fullmatch(pattern, keys[key]):
            raise Refused(422, "link", f"{key} must be {_allowed(key)}", key)
    clamps, weights = (_listed(keys, key) for key in ("clamps", "weights"))
    return Link(
        keys.get("model") or None,
        keys.get("sequence") or None,
        [_read_clamp(text) for text in clamps],
        [_read_weight(text) for text in weights],
        keys.get("against") or None,
        read_h0(keys["h0"]) if keys.get("h0") else None,
        read_write(keys) if keys.get("write") else None,
        {key: keys[key] for key in (*CHANGES, *FOCUS) if keys.get(key)},
    )


def read_h0(text: str) -> list[list[float]]:
    """Parse initial states such as 0.5,-1;0.25: semicolons separate layers, and commas separate units.

    Raises Refused if `text` has another form. The numbers of layers and units are checked later, with the run.
    """
    states = [decimals(layer.replace(" ", "")) for layer in text.split(";")]
    valid = [state for state in states if state is not None and all(map(math.isfinite, state))]
    if len(valid) < len(states):
        raise Refused(
            422, "link", "h0 must look like 0.5,-1;0.25 (numbers of a layer; numbers of the next layer)", "h0"
        )
    return valid


def read_write(keys: Mapping[str, str]) -> WriteBody:
    """Parse the keys `write`, `temperature` and `seed`: how many timesteps a network writes, and how it draws symbols.

    Raises Refused if a number is not valid.
    """
    temperature = decimal(keys["temperature"]) if keys.get("temperature") else 1.0
    seed = whole(keys["seed"]) if keys.get("seed") else 0
    try:
        return WriteBody(
            steps=whole(keys["write"]) or 0,
            temperature=-1 if temperature is None else temperature,
            seed=-1 if seed is None else seed,
        )
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        words = {
            "steps": f"write must be a number of timesteps from 1 to {MOST_WRITTEN}",
            "temperature": f"temperature must be a number from 0 to {HOTTEST:g}",
            "seed": f"seed must be a whole number from 0 to {MOST_SEEDS - 1:,}",
        }
        raise Refused(422, "link", words[field], "write" if field == "steps" else field) from error


def unit_in(keys: Mapping[str, str], sizes: Sequence[int]) -> UnitPlace:
    """Return the unit at the cursor of a link, or the nearest existing unit. `sizes` has the size of each layer."""
    layer = min(whole(keys.get("layer", "")) or len(sizes), len(sizes))
    return UnitPlace(layer=layer, unit=min(whole(keys.get("unit", "")) or 1, sizes[layer - 1]))


def _listed(keys: Mapping[str, str], key: str) -> list[str]:
    listed = keys[key].split(",", MOST_CHANGES) if keys.get(key) else []
    if len(listed) > MOST_CHANGES:
        raise Refused(422, "link", f"there are too many {key}: at most {MOST_CHANGES}", key)
    return listed


LIKE = "z.1@4-6=0 (gate, units, timesteps, value; the value of a gate is from 0 to 1)"
"""An example of a clamp in a link or on the command line, with its form in words."""


def _read_clamp(text: str) -> ClampBody:
    match = _CLAMP.fullmatch(text)
    value = decimal(match["value"]) if match else None
    if match is None or value is None:
        raise Refused(422, "link", f"clamps must look like {LIKE}", "clamps")
    start = int(match["from"])
    end = start if match["span"] is None else int(match["to"]) if match["to"] else None
    units = [int(unit) for unit in match["units"].split("+")] if match["units"] else None
    body = {"gate": match["gate"], "units": units, "from": start, "to": end, "value": value}
    try:
        return ClampBody.model_validate(body | {"layer": int(match["layer"] or 1)})
    except ValidationError as error:
        message = "clamps count layers, units and timesteps from 1, and each names at most 256 units"
        raise Refused(422, "link", message, "clamps") from error


def _read_weight(text: str) -> WeightBody:
    match = _WEIGHT.fullmatch(text)
    value = decimal(match["value"]) if match else None
    if match is None or value is None:
        message = "weights must look like z.1.W3=0.5 or z.1.b=0.5 (gate, unit, weight, value)"
        raise Refused(422, "link", message, "weights")
    index = int(match["index"]) if match["index"] else None
    body = {"gate": match["gate"], "unit": int(match["unit"]), "part": match["part"] or match["bias"], "index": index}
    try:
        return WeightBody.model_validate(body | {"layer": int(match["layer"] or 1), "value": value})
    except ValidationError as error:
        raise Refused(422, "link", "weights count layers, units and indices from 1", "weights") from error
