"""A room's record: what was asked, how many answered what, and the links. No persons."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

COLUMNS = ("question", "minute", "kind", "asked", "round", "answer", "count", "right", "truth", "link")


@dataclass(frozen=True)
class Entry:
    """A question: `asked` in plain words, `seconds` after the room was opened.

    `rounds` are the tallies of its answers.
    """

    number: int
    kind: str
    asked: str
    link: str
    seconds: float
    truth: Any = None
    text: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def rows(tally: dict[str, Any]) -> Iterator[tuple[str, int, bool]]:
        """Of a round: an answer in words, how many gave it, and whether it is right."""
        return zip(tally["labels"], tally["counts"], tally["right"], strict=True)


def as_csv(record: Sequence[Entry]) -> str:
    """A row for each answer of each round. A cell that a table program would take for a formula is put in quotes."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in record:
        about = (one.number, f"{one.seconds / 60:.1f}", one.kind, one.asked)
        for n, tally in enumerate(one.rounds, 1):
            for label, count, right in one.rows(tally):
                said = "" if one.truth is None else "yes" if right else "no"
                rows.writerow([_plain(cell) for cell in (*about, n, label, count, said, one.text, one.link)])
    return out.getvalue()


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
