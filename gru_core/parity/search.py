"""The search for the mistake behind a difference.

The search tries each mistake alone, then mistakes with fitted numbers, then combinations of two and three mistakes, and
last rounding to a lower precision. Rounding explains a difference if it makes the difference much smaller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gru_core.parity.case import Case
from gru_core.parity.confusions import MEANINGS, NAMES, common, precisions_of_products, rare
from gru_core.parity.fitted import fits

GLANCE = 1
"""The search first compares the timesteps up to the first difference and this many timesteps after it."""

WORK = 2e9
"""The largest number of multiply-adds in all runs of one search."""

SMALL, SMALLER = 0.1, 1 / 2
"""Rounding explains a relative difference below `SMALL` if it leaves less than `SMALLER` times the difference."""


@dataclass(frozen=True)
class Cause:
    """The mistake that explains a difference.

    `name` is the kind of the mistake, such as "reset gate", and `words` describe the mistake. `remedy` says what to
    change in which library. `relative` is the relative error that is left when the same mistake is made here. If
    `matches` is false, `relative` is above the tolerance, because rounding errors cannot be reproduced exactly.
    """

    name: str
    words: str
    relative: float
    remedy: str = ""
    matches: bool = True

    def __str__(self) -> str:
        left = "it matches to" if self.matches else "the relative difference falls to"
        return f"{self.words} {left} {self.relative:.1e}"


def explain(cases: Iterable[Case], tolerance: float) -> Cause | None:
    """Return the mistake that explains one of the cases best, or None if no mistake explains any case.

    A mistake explains a case if making the mistake reduces the relative error to at most `tolerance`. Combinations of
    mistakes are tried only if no single mistake explains a case.
    """
    cases = [case for case in cases if case.wanted]
    work = WORK
    for together in (1, 2, 3):
        causes: list[Cause] = []
        for case in cases:
            steps, sequence = _first_difference(case, tolerance)
            confusions = [*common(case), *(rare(case) if together == 1 else ())]
            for chosen in combinations(confusions, together):
                kinds = {confusion.kind for confusion in chosen}
                if len(kinds) < together or (together == 3 and kinds != MEANINGS):
                    continue
                work -= case.size * (steps + GLANCE + 10)  # 10 is for rearranging the weights
                if work < 0:
                    break
                changed = case
                for confusion in chosen:
                    changed = confusion.change(changed)
                last = changed.x.shape[1] - 1
                glance = changed.part(steps + GLANCE, slice(min(sequence, last), sequence + 1))
                if glance.relative > tolerance or not any(wanted.at.any() for wanted in changed.wanted.values()):
                    continue
                work -= case.size * changed.x.shape[0] * changed.x.shape[1]
                relative = changed.relative
                if relative > tolerance:
                    continue
                words = "with " + " and ".join(confusion.words for confusion in chosen)
                remedy = " ".join(dict.fromkeys(confusion.remedy for confusion in chosen))
                name = NAMES.get(chosen[0].kind, chosen[0].kind)
                causes.append(Cause(name, words, relative, remedy))
        if together == 1 and not causes:
            # The cases differ only in the convention of their weights, and all compute the same values.
            fitted = [fit for case in cases[:1] for fit in fits(case, tolerance)]
            causes = [Cause(fit.name, fit.words, fit.relative, fit.remedy) for fit in fitted]
        if causes:
            best = min(cause.relative for cause in causes)
            # The remaining error is rounding. Of several causes with about the same error, take the most common one.
            return next(cause for cause in causes if cause.relative <= max(10 * best, tolerance / 10))
    return _rounding(cases, tolerance)


def _first_difference(case: Case, tolerance: float) -> tuple[int, int]:
    """Return the first timestep at which a signal differs, from 1, and the sequence that differs most there."""
    signals, first, sequence = case.signals(), len(case.x), 0
    for name, wanted in case.wanted.items():
        off = np.where(wanted.at, np.abs(signals[name] - wanted.values).max(-1), 0)
        large = off > tolerance * max(float(np.abs(wanted.values[wanted.at]).max(initial=0)), 1e-30)
        if large.any() and (step := int(large.any(1).argmax())) < first:
            first, sequence = step, int(off[step].argmax())
    return first + 1, sequence


def _rounding(cases: list[Case], tolerance: float) -> Cause | None:
    """Return the cause if rounding the products to a lower precision explains most of the difference, or None."""
    for case in cases:
        before = case.relative
        if not before < SMALL or case.size * case.x.shape[0] * case.x.shape[1] > WORK / 4:
            continue
        confusions = list(precisions_of_products())
        left = [confusion.change(case).relative for confusion in confusions]
        best = int(np.argmin(left))
        if left[best] < SMALLER * before:
            words, remedy = f"with {confusions[best].words}", confusions[best].remedy
            return Cause("precision", words, left[best], remedy, matches=left[best] <= tolerance)
    return None
