"""The questions of the Lab's Examples list. Each opens a scenario of a preset and explains the answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Example:
    """The question `ask`, the query `link` without the model (docs/reference/links.md), and the answer `why`."""

    ask: str
    link: str
    why: str


def _link(sequence: str, clamps: str, t: int, views: str = "tape,words,whatif,cell") -> str:
    return urlencode({"sequence": sequence, "clamps": clamps, "t": t, "views": views})


_FLIP_FLOP = "A m m p B s . A p m m B . s"
_CALCULATOR = "=0.3 +0.2 0.35 -0.1 +-0.4 0.2 =-0.2 +0.3 +0.3"
_TOTAL = "=0.2 0.1 0.25 -0.1 =0.05 0.2 0.2 -0.3 =-0.2 0.1"

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "flip-flop": (
        Example(
            "Clamp z at 1 at every timestep, so that nothing is kept. Does the unit still remember?",
            _link(_FLIP_FLOP, "z@1-=1", 3),
            "With z = 1 the state is always the candidate. Between the capitals r is open, so the candidate sees the "
            "old state and writes the same letter again. A unit can remember by keeping its state, "
            "or by writing the same state again.",
        ),
        Example(
            "Clamp z at 0 from timestep 2. Which letter is the output?",
            _link(_FLIP_FLOP, "z@2-=0", 5),
            "With z = 0 the unit takes no candidate, so it keeps the first letter to the end.",
        ),
        Example(
            "Clamp z at 0.03 after the A. How much of the A’s state is left after 100 timesteps?",
            _link("A" + " m" * 100, "z@1=1,z@2-101=0.03", 101, "tape,words,whatif,memory"),
            "0.97 to the power of 100 is 0.048, so 4.8% is left. A gate at 0.03 is not closed: "
            "the half-life is 23 timesteps.",
        ),
    ),
    "flip-flop-plain": (
        Example(
            "After 40 timesteps almost no gradient reaches the A. Has the network forgotten it?",
            _link("A" + " m" * 40, "", 41, "tape,words,whatif,memory,influence"),
            "No. Memory and Influence do not name t = 1. But if you clamp z at 0 at the timesteps that they name, the "
            "output stays the same. Now clamp z at 0 at t = 1: the output changes to B. The network stores the A so "
            "firmly that a small change of the A hardly changes the output. A gradient measures only small changes.",
        ),
    ),
    "pocket-calculator": (
        Example(
            "Clamp r at 0 while the unit keeps a number. What changes?",
            _link(_CALCULATOR, "r@3=0", 3),
            "Almost nothing. r changes only the candidate. While the unit keeps its number, z is near 0, so the unit "
            "takes hardly any of the candidate.",
        ),
        Example(
            "Clamp z at 1 while the unit keeps a number. What changes?",
            _link(_CALCULATOR, "z@3=1", 3),
            "The unit takes the whole candidate at a timestep where it should keep its number. r is open, so the "
            "candidate is the old number plus 0.35. The unit adds a number that it should ignore.",
        ),
        Example(
            "Clamp r at 1 where the unit loads a number. What changes?",
            _link(_CALCULATOR, "r@7=1", 7),
            "The candidate now sees the old number, so the unit adds the new number to it instead of replacing it.",
        ),
    ),
    "running-total": (
        Example(
            "Clamp r at 1 at every timestep. Can the sum still start again?",
            _link(_TOTAL, "r@1-=1", 5),
            "No. The unit drops the old sum by setting r near 0. With r = 1 the old sum always stays in the candidate.",
        ),
    ),
    "sentiment": (
        Example(
            "Clamp r at 0 on the first three words, which contain no opinion. What changes?",
            _link("the film was good . not very bad . dull", "r@1-3=0", 3),
            "The output stays the same. r changes only the candidates. At these words z is small in seven of the "
            "eight units, so these units take hardly any of their candidates.",
        ),
    ),
    "reversed-words": (
        Example(
            "Clamp r at 0 at the sign >. What does the decoder start with?",
            _link("b a c > C A B", "r@4=0", 4),
            "It starts with B instead of C, and so it does for every word. With r = 0 the candidate of the decoder "
            "sees nothing of the encoder’s state, so nothing is handed over.",
        ),
        Example(
            "No word in training had more than five letters. What happens to a word of seven letters?",
            _link("a b c a b c a > A C B A B C", "", 8, "tape,words,whatif"),
            "It writes A C B A B C and stops. The right answer is A C B A C B A: the first four letters are right. "
            "Eight numbers hold the end of the word, but not all of it.",
        ),
    ),
}
"""The questions by preset."""
