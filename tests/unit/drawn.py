"""Random runs for the tests of the narration, with the core's answers about every unit and timestep."""

from __future__ import annotations

import json
import random
from typing import Any

from app import models
from app.runs.answers import to_json
from app.runs.events import events
from app.runs.run import prepare
from app.runs.unit import sensitivity_of, shares_of
from app.schemas import Scenario
from app.settings import Settings

MODELS = ("flip-flop", "store-and-recall", "store-and-recall-lstm", "running-total-lstm", "store-and-recall-rnn",
          "flip-flop-mingru", "tagger")  # fmt: skip
"""Models of every cell with one or more units, with symbols or numbers as inputs. One model is bidirectional."""

RUNS = 6
"""The number of random runs of each model. The first run has no clamps."""

LONGEST = 6


def drawn_runs(settings: Settings, seed: int = 25) -> list[dict[str, Any]]:
    """Return several runs of each model, with random sequences and clamps. The same seed gives the same runs."""
    rng = random.Random(seed)
    return [_run(_scenario(name, clamps, rng, settings), settings) for name in MODELS for clamps in range(RUNS)]


def _scenario(name: str, clamps: int, rng: random.Random, settings: Settings) -> Scenario:
    """Return a scenario with the given number of random clamps, many of them at the first or the last timestep."""
    model = models.get(name, settings)
    cell, T = model.layers[0], rng.randint(1, LONGEST) if clamps else LONGEST
    held = []
    for _ in range(clamps):
        gate = rng.choice(list(cell.holdable))
        steps = sorted(rng.choice((1, T, rng.randint(1, T))) for _ in range(2))
        value = rng.choice((*cell.holdable[gate], 0.0, 0.5))
        units = rng.choice((None, [rng.randint(1, cell.units)]))
        held.append({"gate": gate, "units": units, "from": steps[0], "to": steps[1], "value": value, "layer": 1})
    symbols = " ".join(model.examples).split()
    tokens = [rng.choice(symbols) for _ in range(T)]
    return Scenario.model_validate({"model": name, "sequence": " ".join(tokens), "clamps": held})


def _run(scenario: Scenario, settings: Settings) -> dict[str, Any]:
    """Return the clamps and events of a run, the ledger of each unit, and the sensitivities by unit and timestep."""
    start, blocks = prepare(scenario, settings, None)
    trace = next(blocks)
    units, T = range(trace.layers[0].cell.units), len(trace.y)
    mixes = trace.layers[0].mixture is not None
    return {
        "clamps": scenario.model_dump(by_alias=True)["clamps"],
        "events": b"".join(events(start, [trace])).decode(),
        "ledgers": [_plain(shares_of(trace, 0, unit, slice(0, T))) for unit in units] if mixes else None,
        "sensitivities": [
            [_plain(sensitivity_of(trace.sensitivity(t, None, 0), 0, unit)) for t in range(T)] for unit in units
        ],
    }


def _plain(answer: dict[str, Any]) -> Any:
    return json.loads(to_json(answer))
