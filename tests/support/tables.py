"""A random table of data for a visitor's own task."""

from __future__ import annotations

import numpy as np


def own_table(N: int, rng: np.random.Generator) -> str:
    """Return a CSV table of `N` sequences of several lengths, with their answers.

    The answer at a timestep is the last capital letter. At about half of the timesteps it is left out ("-").
    """
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
