"""The experiments under Compare: each page makes a claim and measures it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

from gru_core import experiments
from gru_core.cells.registry import CELLS
from gru_core.experiments import race, sequence
from gru_core.experiments.attention import recalling
from gru_core.presets.recipes import FRESH_SEED
from gru_core.training.abilities import EXPERIMENT_TASKS
from gru_core.training.cards import first_card
from gru_core.training.recipe import Recipe
from gru_core.training.scoring import in_words

from .. import models
from ..models import model_entry
from ..runs import race as race_outcome
from ..runs.answers import to_json
from ..runs.reach import SEQUENCES, linked_body
from ..schemas import ScenarioFields
from ..settings import Settings
from ..sitemap import PAGES
from .boot import Boot, boot, escape_for_script
from .experiment_data import AttentionData, BottleneckData, ExperimentData, RaceData, SequenceData
from .page import Context

Values = tuple[dict[str, Any], ExperimentData | None]
"""The values for an experiment's template alone, and the values for its template and its script, if there are any."""

MODEL = "flip-flop"
"""The model in the boot data of a page that shows no model."""


def measured(recipes: Sequence[Recipe], resolution: str) -> dict[str, str]:
    """Return how a stored result was measured: the settings of its `recipes` in words, by their labels.

    The page prints them below its finding. `resolution` says in words which differences are too small to count.
    """
    first = recipes[0].schedule
    tasks = {recipe.task: recipe for recipe in recipes}.values()
    targets = [
        in_words(EXPERIMENT_TASKS[recipe.task].kind, recipe.schedule.reach)
        for recipe in tasks
        if recipe.schedule.reach is not None
    ]
    most = max(recipe.schedule.most for recipe in recipes)
    return {
        "Seeds": f"{len({recipe.seed for recipe in recipes})} per entry",
        "Optimizer": f"Adam; gradients clipped at norm {first.norm:g}",
        "Learning rate": _listed(recipe.schedule.rate for recipe in recipes),
        "Units": _listed(recipe.units for recipe in recipes),
        "Batch": f"{first.B} sequences",
        "Target": f"{' or '.join(dict.fromkeys(targets))} within {most:,} training steps",
        "Resolution": f"checked every {first.every} training steps; {resolution}",
    }


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(set(values)))


KINDS: dict[str, dict[str, str]] = {
    "RNN": {"cells": "rnn"},
    "LSTM, b_f = 1": {"cells": "lstm", "first": "plain", "b": "-1"},
    "GRU, b_z = 0": {"cells": "gru", "first": "plain", "b": "0"},
    "GRU, b_z = −1": {"cells": "gru", "first": "plain", "b": "-1"},
    "GRU, b_z = −2": {"cells": "gru", "first": "plain", "b": "-2"},
    "GRU, chrono": {"cells": "gru", "first": "chrono"},
}
"""The cells and initial biases of “Gradient reach”, each with the page settings that train it."""


class Entry(NamedTuple):
    """An entry in the map of “Gradient reach”: its result, and a query with the page settings that train it."""

    solved: experiments.Solved
    settings: str


def _gap() -> Values:
    base, fixed = experiments.BASES["gap"], experiments.MAP_GAP
    rate, units, sizes_rate = base.schedule.rate, base.units, experiments.SIZES_RATE
    axes = {
        f"learning rate (gap {fixed}, {units} units)": {f"{r:g}": (fixed, r, units) for r in experiments.GAP_RATES},
        f"units (gap {fixed}, rate {sizes_rate:g})": {str(n): (fixed, sizes_rate, n) for n in experiments.GAP_SIZES},
        f"gap (rate {rate:g}, {units} units)": {str(gap): (gap, rate, units) for gap in experiments.GAPS},
    }
    places = [place for axis in axes.values() for place in axis.values()]
    trained = [row for row in experiments.result("gap") if row["cell"] == "rnn" and row["good_at"] is not None]
    own = {
        "axes": axes,
        "entries": {kind: [_entry(kind, *place) for place in places] for kind in KINDS},
        "solved": lambda kind, gap, rate, units: _entry(kind, gap, rate, units).solved.solved,
        "passed": _passed,
        "seeds": len(experiments.GAP_SEEDS),
        "rates": (0.001, *experiments.GAP_RATES, 0.1),
        "default": linked_body({}),
        "rate": rate,
        "sizes": experiments.GAP_SIZES,
        "most": base.schedule.most,
        "saturated": (sum(row["gradient"][1] < SMALL for row in trained), len(trained)),
        "small": SMALL,
        "sequences": SEQUENCES,
        "measured": measured(experiments.recipes("gap"), "one seed more or less is a tie"),
    }
    return own, None


SMALL = 0.01
"""The threshold for the relative gradient over the gap. Below it hardly any gradient is left."""


def _passed(kind: str) -> float:
    """Return the share of the gradient that one timestep of an untrained cell passes on.

    The share is the geometric mean over the timesteps of the gap, for the median gradient of all seeds.
    """
    base = experiments.BASES["gap"]
    place = (experiments.MAP_GAP, base.schedule.rate, base.units)
    rows = [row for row in experiments.result("gap") if (row["T"] - 1, row["rate"], row["units"]) == place]
    over_gap = median(row["gradient"][0] for row in rows if experiments.kind_of_row(row) == kind)
    return float(over_gap ** (1 / experiments.MAP_GAP))


def _entry(kind: str, gap: int, rate: float, units: int) -> Entry:
    solved = experiments.solved(kind, gap, rate, units)
    if solved is None:
        raise ValueError(f"the result of the experiment has no {kind} with gap {gap}, rate {rate:g}, {units} units")
    return Entry(solved, urlencode({"gap": gap, "rate": f"{rate:g}", "units": units, **KINDS[kind]}))


def _in_sequence() -> Values:
    result = experiments.result("sequence")
    slower = {B: sequence.slower_from(result["timing"][str(B)]) for B in sequence.LENGTHS}
    longest = max(sequence.LENGTHS[1])
    reach = experiments.BASES["parity"].schedule.reach
    work, earlier = sequence.counts(longest), sequence.counts(longest // 4)
    data: SequenceData = {
        "kinds": sequence.KINDS,
        "counts": {str(T): sequence.counts(T) for T in sequence.LENGTHS[1]},
        "timing": {
            B: {T: {"seconds": times, "comparison": sequence.attention_against_gru(times)} for T, times in by_T.items()}
            for B, by_T in result["timing"].items()
        },
        "parity": result["parity"],
        "recipes": {cell: sequence.parity_recipe(0, cell).to_dict() for cell in result["parity"]},
    }
    own = {
        "lengths": sequence.LENGTHS,
        "width": sequence.WIDTH,
        "slower": slower,
        "growth": {kind: work[kind][1] / earlier[kind][1] for kind in ("gru", "attention")},
        "longest": longest,
        "learned": {
            cell: f"{sum(course[-1][1] >= (reach or 1) for course in courses)} of {len(courses)}"
            for cell, courses in result["parity"].items()
        },
        "latest": max(
            (course[-1][0] for course in result["parity"]["gru"] if course[-1][1] >= (reach or 1)), default=None
        ),
        "best": max(course[-1][1] for course in result["parity"]["mingru"]),
        "parity_steps": sequence.PARITY_STEPS,
        "measured": {
            "Times": "one CPU, in NumPy, one thread for linear algebra, all points in one run",
            "Each time": f"fastest of {sequence.REPEATS} repeats",
            "Size": f"{sequence.WIDTH} inputs and {sequence.WIDTH} units; batch 1 and batch 32",
            "Resolution": f"a time that differs by at most {sequence.TIE:.0%} is a tie",
            "Counts": "multiply-adds of the equations, on any machine",
        },
    }
    return own, data


def _bottleneck() -> Values:
    scores = {(row["units"], row["T"] // 2): row["score"] for row in experiments.result("bottleneck")}
    trained = {(row["units"], row["T"] // 2): row["steps"] for row in experiments.result("bottleneck")}
    base = experiments.BASES["recall"]
    own = {
        "items": list(experiments.ITEMS),
        "sizes": list(experiments.SIZES),
        "scores": scores,
        "trained": trained,
        "most": base.schedule.most,
        "attention": {n: _recalled(n) for n in experiments.ITEMS},
        "measured": measured(
            experiments.recipes("bottleneck"), f"seeds differ by up to {100 * RECALL_TIE:g} points, so that is a tie"
        ),
    }
    data: BottleneckData = {"base": base.to_dict(), "tie": RECALL_TIE}
    return own, data


RECALL_TIE = 0.1
"""The largest difference between two held-out accuracies of “Memory capacity” that counts as a tie.

With the seeds 0 to 4, a GRU of 16 units recalls 83% to 93% of 8 letters, one of 8 units 63% to 69%, and one of 4 units
67% to 73% of 4 letters.
"""


@cache
def _recalled(n: int) -> float:
    """Return the share of n letters that a hand-set attention head recalls on held-out sequences."""
    head, places = recalling(n, 4)
    batch = EXPERIMENT_TASKS["recall"].draw(np.random.default_rng(FRESH_SEED), 2 * n, 1000)
    x = np.concatenate([batch.x, np.broadcast_to(places[:, None], (2 * n, 1000, 2 * n))], -1)
    return float((head(x).argmax(-1) == batch.target)[batch.scored].mean())


def _attention() -> Values:
    data: AttentionData = experiments.result("attention")
    return {"measured": ATTENTION_MEASURED}, data


ATTENTION_MEASURED = {
    "Weights": "set by hand, not trained",
    "Heads": "1",
    "Resolution": "computed exactly, shown with two decimals",
}
"""The settings of “Attention weights” in words, by their labels."""


def _race() -> Values:
    bases = {task: experiments.BASES[task] for task in experiments.RACES}
    stored = {task: race_outcome.stored(task) for task in bases}
    fast = [recipe for recipe in experiments.recipes("race") if recipe.task != race.COUNTING]
    counting = bases[race.COUNTING].schedule
    smallest = race.resolution("parity")
    tie = f"a difference of medians below {smallest:g} training steps, or a rank test with p ≥ {race.P_TIE:g}, is a tie"
    words = measured(fast, tie)
    data: RaceData = {
        "stored": stored,
        "bases": {task: base.to_dict() for task, base in bases.items()},
        "equal": experiments.EQUAL,
        "counting": race.COUNTING,
        "furthest": race.FURTHEST,
        "few": race.FEWEST,
    }
    own = {
        "finding": race_outcome.finding(),
        "cards": {task: first_card(base).about for task, base in bases.items()},
        "trained_n": race.TRAINED,
        "beyond": race.BEYOND,
        "counted_to": {
            cell: max(n for n, share in result["curve"] if share >= 0.5)
            for cell, result in stored[race.COUNTING]["cells"].items()
            if cell in ("lstm", "gru")
        },
        "p_tie": f"{race.P_TIE:g}",
        "measured": words
        | {
            "Intervals": f"{race.CONFIDENCE:.0%}, between two order statistics of the seeds",
            "Counting": f"{len(experiments.COUNTING_SEEDS)} seeds, learning rate {counting.rate:g}, "
            f"{counting.most:,} training steps; resolution 1 of {len(race.BEYOND)} lengths",
        },
    }
    return own, data


EXPERIMENTS = {"gap": _gap, "sequence": _in_sequence, "bottleneck": _bottleneck, "race": _race, "attention": _attention}


def page_context(name: str, settings: Settings) -> Context:
    """Return the page context of the experiment `name`."""
    own, data = EXPERIMENTS[name]()
    script = boot_without_model(settings)
    if data is not None:
        script["experiment"] = data
    return {
        **own,
        **(data or {}),
        "page": "compare",
        "experiment": name,
        "title": PAGES[f"compare/{name}"].title,
        "signals": {name: style for cell in CELLS.values() for name, style in cell.signals.items()},
        "titles": {name: CELLS[name].title for name in experiments.EQUAL},
        "boot": escape_for_script(to_json(script)),
    }


def boot_without_model(settings: Settings) -> Boot:
    """Return the boot data of a page that shows no model. `MODEL` takes its place."""
    scenario: ScenarioFields = {"model": MODEL, "sequence": "A", "clamps": [], "weights": []}
    return boot([model_entry(MODEL, models.get(MODEL, settings))], scenario)
