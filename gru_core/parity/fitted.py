"""Mistakes with unknown numbers that are fitted to the reference: a scaled input, or dropout that was left on.

A scale is fitted to the first timesteps, and then must explain all timesteps. Dropout cannot be repeated, because its
masks are random. But the input that a layer really read can be computed from its states before and after a timestep.
Rounding the ratio to the expected input gives the dropout mask, and this mask must then explain the state exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.cells.cell import Cell
from gru_core.parity import changes, remedies
from gru_core.parity.case import Case

WORK = 5e8
"""The largest number of multiply-adds for fitting one kind of mistake."""

STEPS, SEQUENCES = 3, 2
"""The numbers of timesteps and sequences to which a scale is fitted."""

STARTS = (1.0, 2.0, 0.5, 10.0, 0.1, 100.0, 0.01, 1 / 127.5, 1 / 255, 255.0, -1.0)
"""The scales that are tried before a fit."""

BEST = 3
"""The number of fits. They start from the tried scales with the smallest errors."""

MOST_EACH = 16
"""The largest number of inputs for which each input is scaled by its own factor."""

MOST_DROPPED = 32
"""The largest number of inputs that are computed from a layer's states. With more, this rarely succeeds."""

POINTS, FIRST, LEAST = 16, 5, 2
"""A layer's input is computed at up to `POINTS` timesteps. Dropout must explain at least `LEAST` of them.

If dropout explains none of the first `FIRST` timesteps, the search stops.
"""

SHARES = (0.5, 0.1, 0.2, 0.3, 0.25, 0.4, 0.05, 0.15, 0.35, 0.45, 0.6, 0.7, 0.75, 0.8, 0.02, 0.9, 0.01)
"""The dropout rates that are tried."""


@dataclass(frozen=True)
class Fit:
    """A mistake that explains a case: its name, its description, its remedy, and the remaining relative error."""

    name: str
    words: str
    remedy: str
    relative: float


def fits(case: Case, tolerance: float) -> Iterator[Fit]:
    """Yield the mistakes that explain a case, each with fitted numbers."""
    if not case.fits:
        return
    precise = _in_float64(case)
    yield from _scaled(precise, tolerance)
    yield from _dropped(precise, tolerance)


def _in_float64(case: Case) -> Case:
    def cell(layer: Any) -> Any:
        arrays = ("W", "U", "b_input", "b_recurrent")
        return replace(layer, **{name: getattr(layer, name).astype(np.float64) for name in arrays})

    return replace(changes.cells(case, cell), x=case.x.astype(np.float64))


def _scaled(case: Case, tolerance: float) -> Iterator[Fit]:
    """Yield a scaled input that explains the case: one scale and shift for all inputs, or one pair for each input."""
    I = case.x.shape[2]
    one_hot = (case.x.sum(-1) == 1).all() and ((case.x == 0) | (case.x == 1)).all()
    part = case.part(STEPS, slice(SEQUENCES))
    runs = case.size * STEPS * SEQUENCES
    if one_hot or not case.x.any() or not all(wanted.at[0].any() for wanted in part.wanted.values()):
        return
    mean, std = case.x.mean((0, 1)), case.x.std((0, 1))
    std = np.where(std > 0, std, 1)
    whole = np.array([1 / case.x.std(), -case.x.mean() / case.x.std()]) if case.x.std() else np.array([1.0, 0.0])
    starts = [np.array([scale, 0.0]) for scale in STARTS] + [whole]
    plans: list[tuple[int, list[Array]]] = [(1, starts)]
    if 1 < I <= MOST_EACH:
        plans.append((I, [np.concatenate([1 / std, -mean / std]), np.concatenate([np.ones(I), np.zeros(I)])]))
    for width, candidates in plans:
        if runs * len(candidates) * 10 * (2 * width + 1) > WORK:
            continue

        def moved(theta: Array, case: Case = part, width: int = width) -> Case:
            return replace(case, x=case.x * theta[:width] + theta[width:])

        for start in sorted(candidates, key=lambda theta: float(np.abs(_residual(moved(theta))).sum()))[:BEST]:
            theta = solve(lambda rows: np.stack([_residual(moved(row)) for row in rows]), start)
            relative = moved(theta, case).relative
            if relative <= tolerance:
                yield Fit("scaled input", _scale_in_words(theta, width), remedies.SCALED, relative)
                return


def _scale_in_words(theta: Array, width: int) -> str:
    if width > 1:
        return "with each input scaled and shifted on its own (standardized)"
    scale, shift = theta.tolist()
    plus = f" and then {'increased' if shift > 0 else 'reduced'} by {abs(shift):.4g}" if abs(shift) > 1e-4 else ""
    return f"with the input multiplied by {scale:.4g}{plus}"


def _residual(case: Case) -> Array:
    signals = case.signals()
    return np.concatenate([(signals[n] - wanted.values)[wanted.at].ravel() for n, wanted in case.wanted.items()])


def _dropped(case: Case, tolerance: float) -> Iterator[Fit]:
    """Yield dropout before the lowest layer that differs from the reference."""
    signals = case.signals()
    for k, cell in enumerate(case.cells):
        wanted = case.wanted.get(f"h_l{k}")
        if wanted is None:
            if k:  # the layer below is unknown, and so is the input of the layer above
                return
            continue
        if wanted.relative_error(signals[f"h_l{k}"]) <= tolerance:
            continue
        if cell.inputs > min(cell.units, MOST_DROPPED):
            return
        below = case.x if k == 0 else signals[f"h_l{k - 1}"]
        layer = cell.core(case.convention)
        points: list[_Point] = []
        for t, b in _points(case, k)[:POINTS]:
            state = case.h0[k][b] if t == 0 else wanted.values[t - 1, b].astype(np.float64)
            points.append(_Point(layer, state, below[t, b], wanted.values[t, b].astype(np.float64)))
            errors = {share: [e for point in points if (e := point.error(share)) <= tolerance] for share in SHARES}
            share = max(SHARES, key=lambda share: len(errors[share]))
            if len(errors[share]) >= LEAST:
                where = "on the input" if k == 0 else f"between layers {k} and {k + 1}"
                yield Fit("dropout", f"with dropout of {share:g} {where}", remedies.DROPOUT, max(errors[share]))
                return
            if len(points) == FIRST and not errors[share]:
                return
        return


class _Point:
    """A timestep of a layer: it read `expected`, perhaps through dropout, and its state changed from `state` to `h`."""

    def __init__(self, layer: Cell, state: Array, expected: Array, h: Array) -> None:
        self.layer, self.state, self.expected, self.h = layer, state, expected, h
        fitted = [solve(self._residual, scale * expected) for scale in (1.0, 0.0)]
        x = min(fitted, key=self._error)
        self.factors = np.divide(x, expected, out=np.zeros_like(x), where=expected != 0)

    def _residual(self, x: Array) -> Array:
        """Return the errors of `h` `(N, H)` for several inputs `(N, I)`."""
        h: Array = self.layer.forward(x[None], np.broadcast_to(self.state, (len(x), len(self.state)))).h[0]
        return h - self.h

    def _error(self, x: Array) -> float:
        return float(np.abs(self._residual(x[None])).max())

    def error(self, share: float) -> float:
        """Return the largest error of `h`, assuming that the input went through dropout with the rate `share`.

        The result is infinite if no input, or every input, was dropped.
        """
        passed = self.factors > 0.5 / (1 - share)
        if passed.all() or not passed.any():
            return np.inf
        return self._error(self.expected * passed / (1 - share))


def _points(case: Case, k: int) -> list[tuple[int, int]]:
    """Return the (timestep, sequence) pairs for which the states of layer `k` before and after it are known."""
    at = case.wanted[f"h_l{k}"].at & case.counted
    known = at.copy()
    known[1:] &= at[:-1] & (case.cells[k].blocks != 4)  # the cell state of an LSTM is known only at the start
    return [(int(t), int(b)) for t, b in np.argwhere(known)]


def solve(residual: Callable[[Array], Array], start: Array, most: int = 15) -> Array:
    """Return the numbers near `start` that minimize the residuals, by the method of Levenberg and Marquardt.

    `residual` returns the residuals `(N, M)` for N rows of numbers. `most` is the largest number of iterations.
    """
    x = np.array(start, float)
    r = residual(x[None])[0]
    damping = 1e-3
    for _ in range(most):
        if not np.isfinite(r).all() or np.abs(r).max() < 1e-12:
            break
        nudges = 1e-6 * np.maximum(np.abs(x), 1e-3)
        J = ((residual(x + np.diag(nudges)) - r) / nudges[:, None]).T
        A, g = J.T @ J, J.T @ r
        for _ in range(8):
            step = np.linalg.lstsq(A + damping * np.diag(np.maximum(np.diag(A), 1e-12)), -g, rcond=None)[0]
            tried = residual((x + step)[None])[0]
            if np.isfinite(tried).all() and tried @ tried < r @ r:
                x, r, damping = x + step, tried, damping / 10
                break
            damping *= 10
        else:
            break
    return x
