"""The recorded answers of a large run: only a few units have exact values and details, to keep the file small."""

from __future__ import annotations

from typing import Any

from gru_core.cells.equations import steps as equation_steps

from .. import models
from ..runs.limits import MOST_SHARES
from ..runs.linked import LinkedRun
from ..runs.run import input_names
from ..runs.unit import sensitivity_of, shares_of, sums_of, unit_rows_of
from ..settings import Settings
from .packing import packed_answer

MOST_SUMMED, MOST_CONTRIBUTIONS = 25_000, 50_000
"""The most numbers in the recorded sums, and in the recorded contributions, of a large run: about 0.7 MB each."""

MOST_ROWS = 5_000
"""The most timesteps with exact values and equations, summed over units: 25 units × 200 timesteps, up to 1.5 MB."""


def answers_of_large(linked: LinkedRun, settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the answers about units of a large run, by kind and then by layer and unit.

    Sums, contributions and sensitivities are for the unit at the cursor. Exact values and equations, which the tape
    shows, are also for the units in the same layer with the largest changes.
    """
    trace, T = linked.trace, linked.start["T"]
    layer, unit, place = linked.layer - 1, linked.unit - 1, f"{linked.layer}.{linked.unit}"
    run, t = trace.layers[layer], linked.t
    n = max(1, min(T, MOST_SUMMED // (len(run.cell.gates) * (run.cell.units + run.cell.inputs))))
    first = max(0, min(t - 1 - n // 2, T - n))
    trained = models.get(linked.scenario.model, settings).layers[layer] if linked.scenario.weights else None
    sums = sums_of(run[first : first + n], trained, input_names(linked.start, layer), unit)
    sensitivity = sensitivity_of(trace.sensitivity(t - 1, None, layer, unit), layer, unit, whole=False)
    answers: dict[str, dict[str, Any]] = {
        "sums": {place: {"from": first + 1, "to": first + n, **sums}},
        "sensitivity": {place: {"from": t, "to": t, "at": [packed_answer(sensitivity) | {"t": t}]}},
        "ledger": {},
        "rows": {},
        "equations": {},
    }
    if run.mixture is not None and min(MOST_CONTRIBUTIONS, MOST_SHARES) >= T * (T + 1):
        answers["ledger"][place] = {"from": 1, "to": T, **shares_of(trace, layer, unit, slice(0, T))}
    others = [other for other in (-run.moved).argsort(kind="stable").tolist() if other != unit]
    for each in [unit, *others][: max(1, MOST_ROWS // T)]:
        key = f"{linked.layer}.{each + 1}"
        span = {"layer": linked.layer, "unit": each + 1, "from": 1, "to": T}
        answers["rows"][key] = {**span, "rows": unit_rows_of(trace, layer, each)}
        answers["equations"][key] = {"from": 1, "to": T, "steps": equation_steps(run, each)}
    return answers
