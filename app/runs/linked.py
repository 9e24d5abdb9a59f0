"""Runs that links to the Lab describe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gru_core import Trace

from ..errors import within
from ..link import Link, read_link
from ..schemas import Scenario
from ..settings import Settings
from .answers import Start
from .run import example, run_whole


@dataclass(frozen=True)
class LinkedRun:
    """The run that a link describes. With clamps or changed weights, the twin of `trace` is the original run."""

    link: Link
    scenario: Scenario
    start: Start
    trace: Trace

    @property
    def t(self) -> int:
        """The timestep at the cursor, counted from 1."""
        return int(self.link.options.get("t", 1))

    @property
    def layer(self) -> int:
        """The layer at the cursor, counted from 1."""
        return int(self.link.options.get("layer", len(self.start["layers"])))

    @property
    def unit(self) -> int:
        """The unit at the cursor, counted from 1."""
        return int(self.link.options.get("unit", 1))

    @property
    def title(self) -> str:
        """The model's title and the sequence, separated by a colon."""
        return f"{self.trace.model.card.title}: {self.scenario.sequence}"

    @property
    def name(self) -> str:
        """The name of exported files, without the file extension."""
        return "gruscope-" + re.sub(r"[^\w.-]+", "-", self.scenario.model, flags=re.ASCII)


def run_link(keys: Mapping[str, str], settings: Settings) -> LinkedRun:
    """Run the scenario that the `keys` of a link describe. Raises Refused or SequenceError if a key is not valid."""
    link = read_link(keys)
    base = example(link.model or "flip-flop", settings)
    scenario = base.model_copy(
        update={
            "sequence": link.sequence or base.sequence,
            "clamps": link.clamps,
            "weights": link.weights,
            "against": link.against,
            "h0": link.h0,
            "write": link.write,
        }
    )
    start, trace = run_whole(scenario, settings)
    if start["tokens"] is not None:
        scenario = scenario.model_copy(update={"sequence": " ".join(start["tokens"][: start["given"]])})
    run = LinkedRun(link, scenario, start, replace(trace, tokens=start["tokens"]))
    layers = start["layers"]
    within("t", run.t, 1, start["T"], "the timesteps of this sequence")
    within("layer", run.layer, 1, len(layers), "the layers of this model")
    within("unit", run.unit, 1, layers[run.layer - 1]["H"], "the units of this layer")
    return run
