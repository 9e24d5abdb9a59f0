"""What a class looks at while it explores, without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..link import read_address

MOST_OFFERS = 12
"""The latest of the views that followers offer."""


def gathered(
    view: Mapping[str, Any], looks: Sequence[Mapping[str, Any]], offers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """How many look at each model; how many at each step, of those who have before them what the teacher has."""
    models: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for look in looks:
        keys = read_address(look["link"])
        models[keys.get("model") or keys.get("task") or look["page"] or "lab"] += 1
        if _scenario(look) == _scenario(view):
            steps[keys.get("t", "1")] += 1
    latest = sorted(offers, key=lambda offer: -offer["at"])[:MOST_OFFERS]
    return {"models": models.most_common(12), "steps": dict(steps), "offers": latest, "count": len(looks)}


def _scenario(look: Mapping[str, Any]) -> tuple[str, ...]:
    keys = read_address(look["link"])
    return (look["page"], keys.get("model", ""), keys.get("task", ""), keys.get("sequence", ""))
