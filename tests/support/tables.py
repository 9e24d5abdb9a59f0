"""A random table for a task of the visitor's own."""

from __future__ import annotations

import numpy as np


def own_table(N: int, rng: np.random.Generator) -> str:
    """Return sequences of several lengths. The answer is the last capital letter, given at half of the steps."""
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
