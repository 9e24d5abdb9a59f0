"""How large the files of a run will be, estimated from its first timesteps before the files are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ..runs.answers import to_json, whole
from ..runs.events import events
from ..runs.linked import LinkedRun
from ..schemas import Content
from ..settings import Settings
from . import page
from .files import CONTENTS, as_csv, as_npz

SAMPLE = 8
"""The timesteps from which the sizes are estimated."""


def sizes(linked: LinkedRun, settings: Settings) -> dict[str, dict[str, int]]:
    """Return about how many bytes each file of a run has, by the name of the file and by its content."""
    T, n = linked.start["T"], min(linked.start["T"], SAMPLE)
    parts = [_cut(linked, steps) for steps in (n, 1)]

    def grown(many: int, single: int) -> int:
        """Return the size with T timesteps, from the sizes with n timesteps and with one."""
        return many if n == 1 else round(single + (T - 1) * (many - single) / (n - 1))

    def of_file(size: Callable[[LinkedRun], int]) -> int:
        return grown(*(size(part) for part in parts))

    return {
        "page.html": {content: page.size(linked, of_file(_in_page), settings, content) for content in CONTENTS},
        "trace.csv": {content: of_file(partial(_of_csv, content)) for content in CONTENTS},
        "trace.json": {content: of_file(partial(_of_json, content)) for content in CONTENTS},
        "trace.npz": {content: of_file(partial(_of_npz, content)) for content in CONTENTS},
    }


def _of_csv(content: Content, linked: LinkedRun) -> int:
    return sum(map(len, as_csv(linked.trace, content=content)))


def _of_json(content: Content, linked: LinkedRun) -> int:
    return sum(map(len, whole(linked.start, linked.trace, content=content)))


def _of_npz(content: Content, linked: LinkedRun) -> int:
    return len(as_npz(linked.trace, content))


def _cut(linked: LinkedRun, steps: int) -> LinkedRun:
    """Return the run of the first timesteps."""
    trace = linked.trace
    twin = trace.twin and replace(trace.twin, layers=tuple(layer[:steps] for layer in trace.twin.layers))
    tokens = trace.tokens and trace.tokens[:steps]
    layers = tuple(layer[:steps] for layer in trace.layers)
    return replace(linked, trace=replace(trace, layers=layers, tokens=tokens, twin=twin))


def _in_page(linked: LinkedRun) -> int:
    """Return the bytes of a run in a page, which has its events as a text in JSON."""
    return len(to_json(b"".join(events(page.start_of(linked), [linked.trace])).decode()))
