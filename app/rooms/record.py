"""The record of a room: its questions, how many students gave each answer, and links. It contains no names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from ..questions.kind import Tally, Truth


class Row(TypedDict):
    """A row of the record as a table: one answer in one round of a question.

    In “Be the gate”, a row is one letter: `count` is the number of students with the correct letter, and `median` is
    the median of their z.
    """

    question: int
    minute: str
    kind: str
    asked: str
    round: int
    answer: str
    count: int
    right: Literal["", "yes", "no"]
    median: str
    truth: str
    link: str


@dataclass(frozen=True)
class Entry:
    """A question in the record. `asked` is its text, and `seconds` is the time since the room was opened.

    `rounds` has a tally of the answers in each round. `truth` is the correct answer and `text` its text; both are empty
    until the answer is revealed.
    """

    number: int
    kind: str
    asked: str
    link: str
    seconds: float
    truth: Truth = None
    text: str = ""
    rounds: tuple[Tally, ...] = ()

    @staticmethod
    def rows(tally: Tally) -> Iterator[tuple[str, int, bool, str]]:
        """Return an iterator of tuples, one for each answer in a round: text, count, whether it is correct, and median.

        The median is the median of z for a letter of “Be the gate”, and "" for any other answer.
        """
        medians = [f"{value:.2f}" for value in tally.middle] if tally.quartiles else [""] * len(tally.labels)
        return zip(tally.labels, tally.counts, tally.right, medians, strict=True)


def as_csv(record: Sequence[Entry]) -> str:
    """Return the record as CSV, with a row for each answer in each round."""
    out = io.StringIO()
    rows = csv.DictWriter(out, [*Row.__annotations__])
    rows.writeheader()
    for entry in record:
        for n, tally in enumerate(entry.rounds, 1):
            for label, count, correct, median in entry.rows(tally):
                row: Row = {
                    "question": entry.number,
                    "minute": f"{entry.seconds / 60:.1f}",
                    "kind": entry.kind,
                    "asked": entry.asked,
                    "round": n,
                    "answer": label,
                    "count": count,
                    "right": "" if entry.truth is None else "yes" if correct else "no",
                    "median": median,
                    "truth": entry.text,
                    "link": entry.link,
                }
                rows.writerow({name: _quoted(cell) for name, cell in row.items()})
    return out.getvalue()


def _quoted(cell: object) -> object:
    """Return the cell, with a quote before text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
