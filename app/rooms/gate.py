"""The question “Be the gate”: each student plays the gates of a trained unit on their own device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from ..runs.gate import LETTERS, correct_letters, network_run, played_correctly
from .question import Answer, Prompt, Solution, Tally, Truth

TEXT = "Be the gate: remember the last capital letter. How far do you open z at each letter?"


def gate_question() -> tuple[Prompt, Solution]:
    """Return the question, and its solution: the z of the network at each letter."""
    run = network_run()
    z = tuple(run.z[:, 0].tolist())
    reveal = Markup(
        "<p>The network opens <i>z</i> to {:.2f} or more at the capitals, and to {:.2f} or less at the small letters. "
        "It has {} of {} letters correct.</p>"
    ).format(
        min(value for value, letter in zip(z, LETTERS, strict=True) if letter.isupper()),
        max(value for value, letter in zip(z, LETTERS, strict=True) if letter.islower()),
        sum(correct_letters(run)),
        len(LETTERS),
    )
    prompt = Prompt("gate", str(Markup("<p>{}</p>").format(TEXT)), steps=LETTERS, signal="z")
    return prompt, Solution(z, ", ".join(f"{value:.2f}" for value in z), reveal=str(reveal))


def tally_gates(prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
    """Return how many students have the correct letter at each letter, and the quartiles of their z.

    An answer has the z of each letter, and then the r of each letter.
    """
    T = len(prompt.steps)
    played = [(answer[:T], answer[T:]) for answer in answers if isinstance(answer, tuple)]
    labels = tuple(f"t = {t}, {letter}" for t, letter in enumerate(prompt.steps, 1))
    right = (truth is not None,) * T
    if not played:
        return Tally(labels, (0,) * T, right, (), 0)
    counts = np.sum([played_correctly(z, r) for z, r in played], axis=0).tolist()
    low, middle, high = np.quantile([z for z, _ in played], (0.25, 0.5, 0.75), axis=0).tolist()
    return Tally(labels, tuple(counts), right, tuple(middle), len(played), tuple(zip(low, high, strict=True)))
