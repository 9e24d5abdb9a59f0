"""The question “Be the gate” and its solution."""

from __future__ import annotations

from markupsafe import Markup

from ..questions.kind import Prompt
from ..runs.gate import LETTERS, correct_letters, network_run
from .question import Solution

TEXT = "Be the gate: remember the last capital letter. How far do you open z at each letter?"


def gate_question() -> tuple[Prompt, Solution]:
    """Return the question, and its solution: the network's z at each letter."""
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
