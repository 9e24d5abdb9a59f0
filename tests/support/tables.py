"""A table of one's own task."""

from __future__ import annotations

import numpy as np


def own_table(N: int, rng: np.random.Generator) -> str:
    """Sequences of several lengths: at each step the last capital, asked for at half of the steps."""
    lines = []
    for _ in range(N):
        steps = ["AB"[rng.integers(2)], *rng.choice(list("ABxy"), rng.integers(2, 9))]
        answers, last = [], ""
        for step in steps:
            last = step if step in "AB" else last
            answers.append(last if rng.random() < 0.5 else "-")
        answers[0] = steps[0]
        lines.append(f"{' '.join(steps)},{' '.join(answers)}")
    return "\n".join(["sequence,answers", *lines])
