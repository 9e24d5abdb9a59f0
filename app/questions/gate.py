"""The question “Be the gate”: each student plays the gates of a trained unit on their own device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..runs.gate import played_correctly
from .kind import Answer, Kind, Prompt, Tally, Truth, curve_of


class Gate(Kind):
    """The kind of “Be the gate”. An answer lists z for every letter, and then r for every letter."""

    def parse(self, prompt: Prompt, value: object) -> Answer | None:
        return curve_of(value, 2 * len(prompt.steps), prompt)

    def allowed(self, prompt: Prompt) -> str:
        limits = f"from {prompt.low:g} to {prompt.high:g}"
        return f"a list of {2 * len(prompt.steps)} numbers {limits}: z at each letter, and then r at each letter"

    def tally(self, prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
        """Count the students with the correct output at each letter, and compute the quartiles of their z."""
        T = len(prompt.steps)
        played = [(answer[:T], answer[T:]) for answer in answers if isinstance(answer, tuple)]
        labels = tuple(f"t = {t}, {letter}" for t, letter in enumerate(prompt.steps, 1))
        right = (truth is not None,) * T
        if not played:
            return Tally(labels, (0,) * T, right, (), 0)
        counts = np.sum([played_correctly(z, r) for z, r in played], axis=0).tolist()
        low, middle, high = np.quantile([z for z, _ in played], (0.25, 0.5, 0.75), axis=0).tolist()
        return Tally(labels, tuple(counts), right, tuple(middle), len(played), tuple(zip(low, high, strict=True)))
