"""Lesson expressions that are computed from a run, most of them at one timestep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gru_core.encoders.vectors import Scaled
from gru_core.runs.writing import heated

from ..runs.limits import MOST_PRODUCTS
from ..runs.linked import LinkedRun
from ..schemas import WriteBody


@dataclass(frozen=True)
class Place:
    """The run, the unit and the timesteps for which an expression is computed. Units and timesteps count from 1.

    `earlier` is the timestep after "from", or 0 for the initial state. `label` is an output label, or None for the
    likeliest output.
    """

    linked: LinkedRun
    unit: int
    t: int
    earlier: int
    label: str | None


def last_step(linked: LinkedRun, t: int) -> int:
    """Return the last timestep, from 1, at which an input can influence the state at `t`.

    It is `t`, or the end of the sequence if the model is bidirectional.
    """
    return int(linked.start["T"]) if linked.trace.model.is_bidirectional else t


def within(name: str, number: int, highest: int) -> int:
    if not 1 <= number <= highest:
        raise ValueError(f"{name} must be from 1 to {highest}, but it is {number}")
    return number


def _output(at: Place) -> tuple[float | str, str]:
    model, y = at.linked.trace.model, at.linked.trace.y[at.t - 1]
    if model.readout.kind == "linear":
        return float(y[0]), "value"
    return model.readout.labels[int(y.argmax())], "words"


def _input(at: Place) -> tuple[float | str, str]:
    return (at.linked.start["tokens"] or [""] * at.t)[at.t - 1], "words"


def _probability(at: Place, temperature: float = 1.0) -> tuple[float, str]:
    readout, p = at.linked.trace.model.readout, at.linked.trace.y[at.t - 1]
    if readout.kind != "softmax":
        raise ValueError("this model has no probabilities, because its output is a number")
    if at.label is not None and at.label not in readout.labels:
        raise ValueError(f"“{at.label}” is not an output of this model; choose one of {', '.join(readout.labels)}")
    p = heated(p, temperature)
    return float(p.max() if at.label is None else p[readout.labels.index(at.label)]), "share"


def _drawn(at: Place) -> tuple[float, str]:
    return _probability(at, _writing(at).temperature)


def _written(at: Place) -> tuple[str, str]:
    _writing(at)
    start, readable = at.linked.start, set(at.linked.trace.model.encoder.alphabet)
    tokens = [token for token in (start["tokens"] or [])[start["given"] :] if not readable or token in readable]
    return ("" if all(len(token) == 1 for token in tokens) else " ").join(tokens), "words"


def _writing(at: Place) -> WriteBody:
    if at.linked.scenario.write is None:
        raise ValueError("the network of this figure does not write: add, for example, write=12 to the link")
    return at.linked.scenario.write


def _forecast(at: Place) -> tuple[float, str]:
    encoder = at.linked.trace.model.encoder
    if not isinstance(encoder, Scaled):
        raise ValueError("this model forecasts no series")
    return encoder.scale * float(at.linked.trace.y[at.t - 1, 0]) + encoder.shift, "count"


def _keeps(at: Place) -> tuple[float, str]:
    mixture = at.linked.trace.layers[at.linked.layer - 1].mixture
    if mixture is None:
        raise ValueError("an RNN keeps no share of its state")
    return float(mixture.keep[at.t - 1, at.unit - 1]), "share"


def _half_life(at: Place) -> tuple[float, str]:
    half_life = at.linked.trace.layers[at.linked.layer - 1].half_life
    if half_life is None:
        raise ValueError("this cell has no half-life")
    return float(half_life[at.t - 1, at.unit - 1]), "steps"


def _share(at: Place) -> tuple[float, str]:
    last = last_step(at.linked, at.t)
    if at.earlier > last:
        raise ValueError(f"step {at.earlier} comes after step {last}: choose a step from 0 to {last}")
    return float(at.linked.trace.ledger(at.unit - 1, at.linked.layer - 1)[at.t - 1, at.earlier]), "share"


def _reach(at: Place) -> tuple[float, str]:
    within("from", at.earlier, last_step(at.linked, at.t))
    _check_products(at)
    x = at.linked.trace.sensitivity(at.t - 1).x
    norms = (x**2).sum(1) ** 0.5
    return float(norms[at.earlier - 1] / norms[at.t - 1]), "ratio"


def _flow(at: Place) -> tuple[float, str]:
    within("from", at.earlier, last_step(at.linked, at.t))
    layer = at.linked.layer - 1
    _check_products(at)
    states = at.linked.trace.sensitivity(at.t - 1, layer=layer).states
    return float(states.get("c", states["h"])[at.earlier - 1, at.unit - 1]), "ratio"


def _check_products(at: Place) -> None:
    if at.t * sum(cell.units**2 for cell in at.linked.trace.model.layers) > MOST_PRODUCTS:
        raise ValueError("this gradient takes too long to compute for a network of this size: use an earlier timestep")


def _weights(at: Place) -> tuple[float, str]:
    return sum(array.size for cell in at.linked.trace.model.layers for array in cell.parameters.values()), "count"


QUANTITIES: dict[str, Callable[[Place], tuple[float | str, str]]] = {
    "y": _output,
    "x": _input,
    "probability": _probability,
    "drawn": _drawn,
    "written": _written,
    "forecast": _forecast,
    "keeps": _keeps,
    "half-life": _half_life,
    "share": _share,
    "reach": _reach,
    "flow": _flow,
    "weights": _weights,
    "units": lambda at: (at.linked.trace.model.layers[at.linked.layer - 1].units, "count"),
    "inputs": lambda at: (at.linked.trace.model.layers[at.linked.layer - 1].inputs, "count"),
    "steps": lambda at: (at.linked.start["T"], "count"),
}
"""The expressions by name. Each function returns the value at a place, and the kind, which sets its format."""
