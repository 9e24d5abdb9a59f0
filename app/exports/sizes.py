"""Estimates of the sizes of a run's exported files, from the first timesteps of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..runs.answers import to_json, whole
from ..runs.events import events
from ..runs.linked import LinkedRun
from ..schemas import Content
from ..settings import Settings
from . import page
from .files import CONTENTS, as_csv, as_npz

SAMPLE = 8
"""The number of timesteps from which the sizes are estimated."""


def sizes(linked: LinkedRun, settings: Settings) -> dict[str, dict[Content, int]]:
    """Estimate the number of bytes in each exported file of a run, by file name and content."""
    T, n = linked.start["T"], min(linked.start["T"], SAMPLE)
    parts = [_cut(linked, steps) for steps in (n, 1)]

    def grown(many: int, single: int) -> int:
        """Extrapolate to T timesteps from the sizes `many` for n timesteps and `single` for one timestep."""
        return many if n == 1 else round(single + (T - 1) * (many - single) / (n - 1))

    sized: dict[str, Callable[[LinkedRun, Content], int]] = {
        "trace.csv": lambda run, content: sum(map(len, as_csv(run.trace, content=content))),
        "trace.json": lambda run, content: sum(map(len, whole(run.start, run.trace, content=content))),
        "trace.npz": lambda run, content: len(as_npz(run.trace, content)),
    }
    in_page = grown(*map(_in_page, parts))
    return {"page.html": {content: page.size(linked, in_page, settings, content) for content in CONTENTS}} | {
        file: {content: grown(*(size(part, content) for part in parts)) for content in CONTENTS}
        for file, size in sized.items()
    }


def _cut(linked: LinkedRun, steps: int) -> LinkedRun:
    """Return the run cut to its first `steps` timesteps."""
    trace = linked.trace
    twin = trace.twin and replace(trace.twin, layers=tuple(layer[:steps] for layer in trace.twin.layers))
    tokens = trace.tokens and trace.tokens[:steps]
    layers = tuple(layer[:steps] for layer in trace.layers)
    return replace(linked, trace=replace(trace, layers=layers, tokens=tokens, twin=twin))


def _in_page(linked: LinkedRun) -> int:
    """Return the number of bytes that a run's events take in a page, as a string in JSON."""
    return len(to_json(b"".join(events(page.start_of(linked), [linked.trace])).decode()))
