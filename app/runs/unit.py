"""Answers about one unit of a run, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from gru_core import Sensitivity, Trace
from gru_core.arrays import Array
from gru_core.cells import equations
from gru_core.cells.cell import Cell, Row
from gru_core.cells.run import Run
from gru_core.runs.ledger import largest, ledger, origins, since
from gru_core.runs.sensitivity import frobenius, gain

from ..schemas import EquationsQuestion, LedgerQuestion, SensitivityQuestion, SumsQuestion, UnitQuestion
from .answers import base64_of, to_json, values_of
from .limits import MOST_PRODUCTS


def equations_of(question: EquationsQuestion, run: Run) -> bytes:
    """Return the equations of one unit over the timesteps of `run`, as JSON."""
    return to_json(_question_fields(question) | {"steps": equations.steps(run, question.unit - 1)})


class GateSum(Row):
    """The terms in the sum of a gate of a unit, at each timestep, with the weights of the unit.

    `rc` is r_i c_i if the reset gate acts after the product. `past` has the numbers that U multiplies, if they are not
    the old state itself. `trained` has the original weights if some are changed.
    """

    Wx: Array
    Uh: Array
    rc: Array | None
    past: Array | None
    trained: Row | None


class Sums(TypedDict):
    """The names of the inputs, and the sum of each gate."""

    inputs: Sequence[str]
    gates: dict[str, GateSum]


def sums(question: SumsQuestion, inputs: Sequence[str], run: Run, trained: Cell | None) -> bytes:
    """Return the `Sums` of one unit over the timesteps of `run`, as JSON.

    `inputs` names the inputs. If weights are changed, `trained` is the original layer.
    """
    return to_json(_question_fields(question) | {**sums_of(run, trained, inputs, question.unit - 1)})


def sums_of(run: Run, trained: Cell | None, inputs: Sequence[str], unit: int) -> Sums:
    """Return the sums of a unit, counted from 0; the other arguments are as in `sums`."""
    gates: dict[str, GateSum] = {}
    for gate in run.cell.gates:
        Wx, Uh = run.terms(gate, unit)
        past = run.past_in(gate, unit)
        gates[gate] = {
            **run.cell.row(gate, unit),
            "Wx": Wx,
            "Uh": Uh,
            "rc": run.gated_bias(gate, unit),
            "past": None if past is run.h_prev else past,
            "trained": None if trained is None else trained.row(gate, unit),
        }
    return {"inputs": inputs, "gates": gates}


def shares(question: LedgerQuestion, trace: Trace) -> bytes:
    """Return the contributions to a unit's state at the timesteps of the question, and those of the twin, as JSON."""
    steps = slice(question.from_ - 1, question.to)
    return to_json(_question_fields(question) | {**shares_of(trace, question.layer - 1, question.unit - 1, steps)})


class Shares(TypedDict):
    """The contributions to the state of a unit, and those of the twin, with the columns of the largest ones.

    They start from the state `origins`: that of a clamp at timestep `since`, or the initial state if `since` is 0.
    """

    shares: Array
    largest: npt.NDArray[np.int_]
    origins: Array
    since: npt.NDArray[np.int_]
    twin: Array | None
    twin_largest: npt.NDArray[np.int_] | None


def shares_of(trace: Trace, layer: int, unit: int, steps: slice) -> Shares:
    """Return the contributions to the state of a unit at some timesteps, all counted from 0."""
    run = trace.layers[layer]
    rows = ledger(run, unit, steps)
    twin = None if trace.twin is None else ledger(trace.twin.layers[layer], unit, steps)
    return {
        "shares": rows,
        "largest": largest(rows),
        "origins": origins(run, unit)[steps],
        "since": since(run, unit)[steps] + 1,
        "twin": twin,
        "twin_largest": None if twin is None else largest(twin),
    }


def sensitivities(question: SensitivityQuestion, trace: Trace) -> bytes:
    """Return the sensitivities of an output and of a unit's state at a timestep, as JSON."""
    layer, output = question.layer - 1, None if question.output is None else question.output - 1
    many = trace.layers[layer].cell.units ** 2 * question.t > MOST_PRODUCTS
    sensitivity = trace.sensitivity(question.t - 1, output, layer, question.unit - 1 if many else None)
    fields = sensitivity_of(sensitivity, layer, question.unit - 1, not many)
    norms = {f"{name}_norm": None if many else frobenius(rows) for name, rows in sensitivity.states.items()}
    return to_json(_question_fields(question) | {"x": sensitivity.x} | norms | fields)


def sensitivity_of(sensitivity: Sensitivity, layer: int, unit: int, whole: bool = True) -> dict[str, Any]:
    """Return the part of a sensitivity that belongs to one unit, and the input with the largest gradient.

    `whole` says whether the sensitivity has the states of all units of the layer, and not only of this one.
    """
    states = sensitivity.states
    of_unit = {name: array[:, unit] for name, array in sensitivity.gates[layer].items()}
    of_unit |= {f"{name}_unit": norms[:, unit if whole else 0] for name, norms in states.items()}
    x_norm = np.sqrt((sensitivity.x**2).sum(1))
    return (
        {"output": sensitivity.output + 1, "x_norm": x_norm}
        | {f"{name}_gain": gain(norms) if whole else None for name, norms in states.items()}
        | {"input": {"t": int(x_norm.argmax()) + 1, "value": x_norm.max()}}
        | {name: np.ascontiguousarray(array) for name, array in of_unit.items()}
        | {"gate": _most_sensitive_gate(sensitivity, layer)}
    )


def _most_sensitive_gate(sensitivity: Sensitivity, layer: int) -> dict[str, Any] | None:
    """Return the gate of a layer with the largest derivative of the output, its unit and its timestep, from 1.

    Return None if the cell has no gates.
    """
    gates = sensitivity.gates[layer]
    if not gates:
        return None
    gate = max(gates, key=lambda name: float(np.abs(gates[name]).max()))
    t, unit = np.unravel_index(np.abs(gates[gate]).argmax(), gates[gate].shape)
    return {"gate": gate, "unit": int(unit) + 1, "t": int(t) + 1, "value": gates[gate][t, unit]}


def _question_fields(question: UnitQuestion) -> dict[str, Any]:
    return question.model_dump(by_alias=True, include={"layer", "unit", "from_", "to", "t"})


def unit_rows(question: UnitQuestion, trace: Trace) -> bytes:
    """Return every value of one unit at all timesteps, each as base64 of little-endian float64, as JSON."""
    rows = unit_rows_of(trace, question.layer - 1, question.unit - 1)
    return to_json(_question_fields(question) | {"from": 1, "to": len(trace.layers[0].h), "rows": rows})


def unit_rows_of(trace: Trace, layer: int, unit: int) -> dict[str, str]:
    """Return every value of a unit, counted from 0 like its layer, as base64 by the names in JSON."""
    return {name: base64_of(array, "<f8") for name, array in values_of(trace, layer, unit).items()}
