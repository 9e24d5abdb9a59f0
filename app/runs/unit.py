"""Answers to questions about one unit of a run, as JSON."""

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

from ..schemas import EquationsBody, LedgerBody, SensitivityBody, SumsBody, UnitBody
from .answers import base64_of, to_json, values_of
from .limits import MOST_PRODUCTS


def equations_of(body: EquationsBody, run: Run) -> bytes:
    """Return the equations of one unit over the timesteps of `run`, as JSON."""
    return to_json(_unit_fields(body) | {"steps": equations.steps(run, body.unit - 1)})


class GateSum(Row):
    """The terms of the weighted sum in one gate of one unit, at each timestep, and the unit's weights in this gate.

    `rc` is r_i c_i if the reset gate acts after the product, else None. `past` has the vectors that U multiplies, or
    None if U multiplies the old state. `trained` has the original weights if the scenario changes weights, else None.
    """

    Wx: Array
    Uh: Array
    rc: Array | None
    past: Array | None
    trained: Row | None


class Sums(TypedDict):
    """The names of the inputs, and the `GateSum` of each gate."""

    inputs: Sequence[str]
    gates: dict[str, GateSum]


def sums(body: SumsBody, inputs: Sequence[str], run: Run, trained: Cell | None) -> bytes:
    """Return the `Sums` of one unit over the timesteps of `run`, as JSON.

    `inputs` has the names of the layer's inputs. If weights are changed, `trained` is the original layer, else None.
    """
    return to_json(_unit_fields(body) | {**sums_of(run, trained, inputs, body.unit - 1)})


def sums_of(run: Run, trained: Cell | None, inputs: Sequence[str], unit: int) -> Sums:
    """Return the `Sums` of a unit. `unit` counts from 0. The other arguments are the same as in `sums`."""
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


def shares(body: LedgerBody, trace: Trace) -> bytes:
    """Return the contributions to a unit's state, and to the twin's state, at the body's timesteps, as JSON."""
    steps = slice(body.from_ - 1, body.to)
    return to_json(_unit_fields(body) | {**shares_of(trace, body.layer - 1, body.unit - 1, steps)})


class Shares(TypedDict):
    """The contributions (`shares`) to a unit's state and to the twin's state, a row for each timestep.

    `largest` and `twin_largest` have the column indices of the largest contributions. The contributions in a row start
    at the state in `origins`: the state that a clamp set at timestep `since`, or the initial state if `since` is 0.
    """

    shares: Array
    largest: npt.NDArray[np.int_]
    origins: Array
    since: npt.NDArray[np.int_]
    twin: Array | None
    twin_largest: npt.NDArray[np.int_] | None


def shares_of(trace: Trace, layer: int, unit: int, steps: slice) -> Shares:
    """Return the contributions to a unit's state at the timesteps in `steps`. All arguments count from 0."""
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


def sensitivities(body: SensitivityBody, trace: Trace) -> bytes:
    """Return the sensitivities of an output and of a unit's state at the body's timestep, as JSON."""
    layer, output = body.layer - 1, None if body.output is None else body.output - 1
    many = trace.layers[layer].cell.units ** 2 * body.t > MOST_PRODUCTS
    sensitivity = trace.sensitivity(body.t - 1, output, layer, body.unit - 1 if many else None)
    fields = sensitivity_of(sensitivity, layer, body.unit - 1, not many)
    norms = {f"{name}_norm": None if many else frobenius(rows) for name, rows in sensitivity.states.items()}
    return to_json(_unit_fields(body) | {"x": sensitivity.x} | norms | fields)


def sensitivity_of(sensitivity: Sensitivity, layer: int, unit: int, whole: bool = True) -> dict[str, Any]:
    """Return the fields of a sensitivity that belong to one unit, and the input with the largest gradient.

    `whole` says whether `sensitivity` has the states of all units in the layer, and not only of this unit.
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
    """Return the gate value in a layer to which the output is most sensitive: gate, unit, timestep and derivative.

    The unit and the timestep count from 1.

    Return None if the cell has no gates.
    """
    gates = sensitivity.gates[layer]
    if not gates:
        return None
    gate = max(gates, key=lambda name: float(np.abs(gates[name]).max()))
    t, unit = np.unravel_index(np.abs(gates[gate]).argmax(), gates[gate].shape)
    return {"gate": gate, "unit": int(unit) + 1, "t": int(t) + 1, "value": gates[gate][t, unit]}


def _unit_fields(body: UnitBody) -> dict[str, Any]:
    return body.model_dump(by_alias=True, include={"layer", "unit", "from_", "to", "t"})


def unit_rows(body: UnitBody, trace: Trace) -> bytes:
    """Return every value of one unit at all timesteps, as JSON with little-endian float64 in base64."""
    rows = unit_rows_of(trace, body.layer - 1, body.unit - 1)
    return to_json(_unit_fields(body) | {"from": 1, "to": len(trace.layers[0].h), "rows": rows})


def unit_rows_of(trace: Trace, layer: int, unit: int) -> dict[str, str]:
    """Return every value of a unit in base64, by JSON name. `layer` and `unit` count from 0."""
    return {name: base64_of(array, "<f8") for name, array in values_of(trace, layer, unit).items()}
