"""The record of a room: its questions, how many students gave each answer, and links. It contains no names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .question import Kind, Tally, Truth

COLUMNS = ("question", "minute", "kind", "asked", "round", "answer", "count", "right", "truth", "link")


@dataclass(frozen=True)
class Entry:
    """A question in the record: `asked` is its text, `seconds` the time since the room was opened.

    `rounds` has a tally of the answers in each round. `truth` and `text`, the correct answer and its text, are empty
    until the answer is revealed.
    """

    number: int
    kind: Kind
    asked: str
    link: str
    seconds: float
    truth: Truth = None
    text: str = ""
    rounds: tuple[Tally, ...] = ()

    @staticmethod
    def rows(tally: Tally) -> Iterator[tuple[str, int, bool]]:
        """Return for each answer of a round its text, how many students gave it, and whether it is correct."""
        return zip(tally.labels, tally.counts, tally.right, strict=True)


def as_csv(record: Sequence[Entry]) -> str:
    """Return a table with a row for each answer of each round."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for entry in record:
        question = (entry.number, f"{entry.seconds / 60:.1f}", entry.kind, entry.asked)
        for n, tally in enumerate(entry.rounds, 1):
            for label, count, right in entry.rows(tally):
                correct = "" if entry.truth is None else "yes" if right else "no"
                answer = (n, label, count, correct, entry.text, entry.link)
                rows.writerow([_quoted(cell) for cell in (*question, *answer)])
    return out.getvalue()


def _quoted(cell: object) -> object:
    """Put a quote before text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
