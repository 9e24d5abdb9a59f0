"""Questions to a preset that a click answers: each a link into the lab, and why the answer is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Question:
    """`link` is what an address says of a scenario and where to look (docs/reference/links.md), but for its model."""

    ask: str
    link: str
    why: str


def _link(sequence: str, clamps: str, t: int, views: str = "tape,words,whatif,cell") -> str:
    return urlencode({"sequence": sequence, "clamps": clamps, "t": t, "views": views})


_FLIP_FLOP = "A x x y B z . A y x x B . z"
_CALCULATOR = "=0.3 +0.2 0.35 -0.1 +-0.4 0.2 =-0.2 +0.3 +0.3"
_TOTAL = "=0.2 0.1 0.25 -0.1 =0.05 0.2 0.2 -0.3 =-0.2 0.1"

QUESTIONS: dict[str, tuple[Question, ...]] = {
    "flip-flop": (
        Question(
            "Hold z at 1 everywhere, so that nothing is kept: does it still remember?",
            _link(_FLIP_FLOP, "z@1-=1", 3),
            "With z = 1 the state is the candidate, and between the letters r shows the candidate the old state: "
            "it writes the same letter again at every step. Keeping is one way to remember, writing again another.",
        ),
        Question(
            "Hold z at 0 from the second step on: which letter does it answer?",
            _link(_FLIP_FLOP, "z@2-=0", 5),
            "With z = 0 no candidate is taken, whatever it is: the first letter is kept for good.",
        ),
        Question(
            "At z = 0.03, how much of the first letter’s state is left after 100 steps?",
            _link("A" + " x" * 100, "z@1=1,z@2-101=0.03", 101, "tape,words,whatif,memory"),
            "0.97 to the 100th is 0.048. A gate near 0 is not a closed one: 0.03 is a half-life of 23 steps.",
        ),
    ),
    "flip-flop-plain": (
        Question(
            "No gradient reaches the A after 40 steps: is it forgotten?",
            _link("A" + " x" * 40, "", 41, "tape,words,whatif,memory,influence"),
            "Neither view names t = 1, and leaving out the steps that they name changes nothing. Now hold z at 0 at "
            "t = 1: the answer turns to B. The state that the A set is held so fast that nudging the A moves the "
            "answer by less than a millionth; a gradient is about nudges.",
        ),
    ),
    "pocket-calculator": (
        Question(
            "Hold r at 0 while it holds a number: what changes?",
            _link(_CALCULATOR, "r@3=0", 3),
            "r only edits the candidate, and on a hold z is near 0: hardly any of the candidate is taken.",
        ),
        Question(
            "Hold z at 1 while it holds a number: what changes?",
            _link(_CALCULATOR, "z@3=1", 3),
            "Now the candidate is taken, which was never meant to be seen: the number in memory is lost.",
        ),
        Question(
            "Hold r at 1 where it loads a number: what changes?",
            _link(_CALCULATOR, "r@7=1", 7),
            "The candidate sees the old number, and adds the new one to it instead of starting from it.",
        ),
    ),
    "running-total": (
        Question(
            "Hold r at 1 everywhere: can it still start again?",
            _link(_TOTAL, "r@1-=1", 5),
            "r near 0 is how it lets go of the old sum. Without that the old sum stays in the candidate for good.",
        ),
    ),
    "sentiment": (
        Question(
            "Hold r at 0 on the words that mean nothing: what changes?",
            _link("the film was good . not very bad . dull", "r@1-3=0", 3),
            "On a filler most of the state is kept, so that what r does to the candidate is hardly seen.",
        ),
    ),
}
"""By preset."""
