"""Links as runs: what a link's keys say, run."""

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
class Followed:
    """What a link led to: its run, with the untouched twin where anything is changed, and the run's `start`."""

    link: Link
    scenario: Scenario
    about: Start
    run: Trace

    @property
    def name(self) -> str:
        """For files made of it."""
        return "gruscope-" + re.sub(r"[^\w.-]+", "-", self.scenario.model, flags=re.ASCII)


def follow(keys: Mapping[str, str], settings: Settings) -> Followed:
    """Run what the keys of a link say. Raises Refused or SequenceError where they cannot be followed."""
    link = read_link(keys)
    base = example(link.model or "flip-flop", settings)
    scenario = base.model_copy(
        update={
            "sequence": link.sequence or base.sequence,
            "clamps": link.clamps,
            "weights": link.weights,
            "against": link.against,
        }
    )
    about, run = run_whole(scenario, settings)
    if about["tokens"] is not None:
        scenario = scenario.model_copy(update={"sequence": " ".join(about["tokens"])})
    layers = about["layers"]
    layer = int(link.said.get("layer", len(layers)))
    within("t", int(link.said.get("t", 1)), 1, about["T"], "the steps of this sequence")
    within("layer", layer, 1, len(layers), "the layers of this model")
    within("unit", int(link.said.get("unit", 1)), 1, layers[layer - 1]["H"], "the units of this layer")
    return Followed(link, scenario, about, replace(run, tokens=about["tokens"]))
