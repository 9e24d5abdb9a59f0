"""Random scenarios of random models, with the core's answers, for the test of the engine in JavaScript."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from app import models
from app.errors import Refused
from app.exports.models import stored_model
from app.runs.answers import start, to_json
from app.runs.events import events
from app.runs.run import baselines, targets
from app.runs.scenario import set_up
from app.runs.unit import shares_of, sums_of
from app.schemas import Scenario, UnitPlace
from app.settings import Settings
from gru_core import Model, SequenceError, Trace, stream
from gru_core.arrays import Array, Mask
from gru_core.card import Card
from gru_core.cells.cell import Cell
from gru_core.cells.registry import CELLS
from gru_core.encoder import Encoder
from gru_core.encoders.numbers import Numbers, Operator
from gru_core.encoders.symbols import Embedded, Symbols
from gru_core.encoders.vectors import Scaled, Vectors
from gru_core.model import Readout
from gru_core.runs.clamp import Clamp
from gru_core.runs.edit import Edit
from gru_core.runs.trace import read
from gru_core.runs.writing import written
from gru_core.training.tasks import ALL

CASES = 2100
"""The number of scenarios. Some scenarios are chaotic, and most tests skip them."""

WRITING_CASES = 200
"""The number of further scenarios in which the network writes."""

LONG_CASES = 8
"""The number of further scenarios with 200 timesteps. Their networks have small weights and are not chaotic."""

REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("flip-flop", {"sequence": "A Q"}),
    ("flip-flop", {"weights": [{"gate": "z", "unit": 1, "part": "b", "value": 1000.5}]}),
    ("flip-flop", {"weights": [{"gate": "z", "unit": 1, "part": "b", "value": 0.5, "layer": 2}]}),
    ("flip-flop", {"weights": [{"gate": "z", "unit": 2, "part": "W", "index": 1, "value": 0.5}]}),
    ("flip-flop", {"weights": [{"gate": "z", "unit": 1, "part": "W", "index": 7, "value": 0.5}]}),
    ("flip-flop", {"weights": [{"gate": "z", "unit": 1, "part": "U", "index": 2, "value": 0.5}]}),
    ("flip-flop", {"weights": [{"gate": "h_tilde", "unit": 1, "part": "c", "value": 0.5}]}),
    ("flip-flop-lstm", {"weights": [{"gate": "z", "unit": 1, "part": "b", "value": 0.5}]}),
    ("flip-flop-mingru", {"weights": [{"gate": "z", "unit": 1, "part": "U", "index": 1, "value": 0.5}]}),
    ("flip-flop", {"clamps": [{"gate": "z", "from": 1, "to": 1, "value": 1.5}]}),
    ("flip-flop", {"clamps": [{"gate": "z", "from": 3, "to": 3, "value": 0.5}]}),
    ("flip-flop", {"clamps": [{"gate": "z", "from": 2, "to": 1, "value": 0.5}]}),
    ("flip-flop", {"clamps": [{"gate": "z", "units": [1, 2], "from": 1, "to": 1, "value": 0.5}]}),
    ("flip-flop", {"clamps": [{"gate": "z", "from": 1, "to": 1, "value": 0.5, "layer": 2}]}),
    ("flip-flop-rnn", {"clamps": [{"gate": "z", "from": 1, "to": 1, "value": 0.5}]}),
    ("flip-flop-mingru", {"clamps": [{"gate": "h_tilde", "from": 1, "to": None, "value": -10.5}]}),
    ("flip-flop", {"h0": [[1.5]]}),
    ("flip-flop", {"h0": [[0.5, 0.5]]}),
    ("flip-flop", {"h0": [[0.5], [0.5]]}),
    ("flip-flop-lstm", {"h0": [[0.5, 10.5]]}),
    ("flip-flop-lstm", {"h0": [[-1.5, 9.5]]}),
    ("flip-flop-mingru", {"h0": [[-10.5]]}),
    ("sentiment-two-layers", {"sequence": "good", "h0": [[0.5], [0.5]]}),
    ("flip-flop", {"against": "A"}),
    ("flip-flop", {"against": "A Q"}),
)
"""The models and the changed fields of scenarios that cannot be run, because each scenario has one mistake."""

Random = np.random.Generator
TASKS = tuple(ALL)


def cases(seed: int = 29) -> list[dict[str, Any]]:
    """Return random scenarios, each with its model, its stream of events, and the core's answers about one unit."""
    rng = np.random.default_rng(seed)
    writing = [k for k in range(WRITING_CASES) if k % 7 != 1]  # the others are bidirectional
    return [
        *(_case(k, rng) for k in range(CASES)),
        *(_case(k, rng, writes=True) for k in writing),
        *(_case(k, rng, long=True) for k in range(1, LONG_CASES + 1)),
    ]


def refused() -> list[dict[str, Any]]:
    """Return the scenarios of `REFUSED`, each with its model and with the server's message."""
    cases = []
    for name, changes in REFUSED:
        scenario = Scenario.model_validate({"model": name, "sequence": "A m"} | changes)
        try:
            set_up(scenario, Settings())
        except (Refused, SequenceError) as error:
            model = stored_model(models.get(name, Settings()))
            where = error.where if isinstance(error, Refused) else None
            sent = scenario.model_dump(by_alias=True)
            cases.append({"model": model, "scenario": sent, "message": str(error), "where": where})
    return cases


def _case(k: int, rng: Random, writes: bool = False, long: bool = False) -> dict[str, Any]:
    model = _model(k, rng, small=long)
    model = _writer(model, k, rng) if writes else model
    T = 200 if long else int(rng.integers(1, 9)) if k % 300 else 100
    text, other = (_text(model.encoder, T, rng) for _ in range(2))
    steps, temperature, seed = int(rng.integers(1, 9)), float(rng.choice([0, 0.5, 1, 3])), int(rng.integers(2**32))
    write = {"steps": steps, "temperature": temperature, "seed": seed} if writes else None
    clamps = [_clamp(model, T, rng) for _ in range(int(rng.integers(0, 4)))]
    weights = [_weight(model, rng) for _ in range(int(rng.integers(0, 3)))]
    h0 = None if k % 3 else [rng.uniform(-1, 1, len(cell.carried) * cell.units) for cell in model.layers]
    against = other if k % 4 == 0 else None
    layer = int(rng.integers(len(model.layers)))
    place = UnitPlace(layer=layer + 1, unit=int(rng.integers(model.layers[layer].units)) + 1)
    return {
        "model": stored_model(model),
        "scenario": {"sequence": text, "clamps": clamps, "weights": weights, "against": against or "", "write": write},
        "h0": None if h0 is None else [state.tolist() for state in h0],
        **_answers(model, text, clamps, weights, h0, against, place, write),
    }


def _answers(
    model: Model, text: str, clamps: list[Any], weights: list[Any], h0: list[Array] | None, against: str | None,
    place: UnitPlace, write: dict[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    held = [
        Clamp(c["gate"], c["value"], c["units"] and [u - 1 for u in c["units"]], slice(c["from"] - 1, c["to"]),
              c["layer"] - 1)
        for c in clamps
    ]  # fmt: skip
    edits = [
        Edit(w["layer"] - 1, w["gate"], w["unit"] - 1, w["part"], w["index"] and w["index"] - 1, w["value"])
        for w in weights
    ]
    changed = model.edited(edits) if edits else model
    tokens, x = read(model, text)
    given, mask = len(x), changed.mask(x)
    others = None if against is None else read(model, against)[0]
    if write is None:
        twin = model if (clamps or weights) and against is None else None
        trace = next(stream(changed, text, h0, held, None, twin, against))
    else:
        tokens, x, mask, trace = _written(changed, text, held, h0, write)
        if against is not None:
            others, _, _, twin_trace = _written(changed, against, held, h0, write)
            trace = replace(trace, twin=twin_trace, second=True)
        elif clamps or weights:
            others, _, _, twin_trace = _written(model, text, [], h0, write)
            trace = replace(trace, twin=twin_trace)
    beginning = start(
        "m", changed, tokens, len(x), changed.state(h0), changed.holds(held, x.shape[:-1]), trace.twin is not None,
        targets(model, x), others, mask, baselines(model, x, given), given,
    )  # fmt: skip
    layer, unit = place.layer - 1, place.unit - 1
    run = trace.layers[layer]
    names = model.encoder.labels if layer == 0 else [f"h{j + 1}" for j in range(changed.layers[layer - 1].units)]
    return {
        "place": {"layer": place.layer, "unit": place.unit, "from": 1, "to": len(x)},
        "events": b"".join(events(beginning, [trace], place)).decode(),
        "sums": _plain(sums_of(run, model.layers[layer] if edits else None, names, unit)),
        "ledger": None if run.mixture is None else _plain(shares_of(trace, layer, unit, slice(0, len(x)))),
    }


def _written(
    model: Model, text: str, clamps: list[Clamp], h0: list[Array] | None, write: dict[str, Any]
) -> tuple[list[str], Array, Mask | None, Trace]:
    """Return the tokens, inputs, mask and run of a model that writes after the sequence `text`."""
    tokens = model.encoder.tokens(text)
    holds = model.holds(clamps, (len(tokens) + write["steps"],))
    rng = np.random.default_rng(write["seed"])
    sequence = written(model, tokens, write["steps"], write["temperature"], rng, model.state(h0), holds)
    run = next(stream(model, sequence.x, h0, clamps, mask=sequence.mask))
    return sequence.tokens, sequence.x, sequence.mask, run


def _writer(model: Model, k: int, rng: Random) -> Model:
    """Return a copy of `model` that can write: either symbols, with or without an end symbol, or scaled numbers."""
    encoder: Encoder = Symbols(tuple("abcd"), padding="d" if k % 5 == 0 else None)
    labels, kind = tuple("abcd."[: 4 + k % 2]), "softmax"
    if k % 4 == 3:
        encoder, labels, kind = (
            Scaled(1, scale=(2.5, 0.002)[k % 8 // 4], shift=-1.0 * (k % 8 < 4), unit="m"),
            ("y",),
            "linear",
        )
    first = model.layers[0]
    # With a scale below 1, the inputs are large numbers, so W must be small.
    size = encoder.scale if isinstance(encoder, Scaled) and encoder.scale < 1 else 1
    W = size * rng.standard_normal((len(first.parameters["W"]), encoder.inputs))
    layers = (first.with_parameters(first.parameters | {"W": W}), *model.layers[1:])
    H = layers[-1].units
    readout = Readout(kind, rng.standard_normal((len(labels), H)), rng.standard_normal(len(labels)), labels)
    return Model(encoder, layers, readout, replace(model.card, task=""))


def _plain(answer: Any) -> Any:
    return orjson.loads(to_json(answer))


def _model(k: int, rng: Random, small: bool = False) -> Model:
    """Return random model number `k`, with small weights if `small` is true.

    `k` selects the cell. A model has one or two layers, and either a built-in task or other inputs and outputs.
    """
    task = ALL[TASKS[k % len(TASKS)]] if k % 5 == 0 else None
    encoder = task.encoder if task else _encoder(k, rng)
    layers: list[Cell] = []
    inputs, scale = encoder.inputs, float(rng.choice([0.3, 1.0, 2.5])) if k % 300 else 6.0
    scale = 0.3 if small else scale
    for _ in range(1 + k // 2 % 2):
        kind = CELLS[tuple(CELLS)[k % len(CELLS)]]
        H = int(rng.integers(1, 7)) if k % 300 else 24
        rows, recurrent = len(kind.gates) * H, len(kind.recurrent) * H
        arrays = {"W": (rows, inputs), "U": (recurrent, H), "b": (rows,)}
        if kind.name == "gru" and rng.random() < 0.5:
            arrays["c_h"] = (H,)
        weights = {name: scale * rng.standard_normal(shape) / np.sqrt(H) for name, shape in arrays.items()}
        if rng.random() < 0.2:
            weights = {name: array.astype(np.float32).astype(float) for name, array in weights.items()}
        layers.append(_both(kind(**weights), rng) if k % 7 == 1 else kind(**weights))
        inputs = layers[-1].units
    kind_of_output = task.kind if task else ("softmax", "linear")[k % 2]
    labels = task.labels if task else tuple("uvw"[: int(rng.integers(1, 4))])
    product = k % 7 == 1 and inputs % 2 == 0
    V = rng.standard_normal((len(labels), inputs // 2 if product else inputs))
    readout = Readout(kind_of_output, V, rng.standard_normal(len(labels)), labels, product)
    name = TASKS[k % len(TASKS)] if task else ""
    card = Card(title="m", task=name, about="", question="", weights="random", summary="")
    return Model(encoder, tuple(layers), readout, card)


def _both(cell: Cell, rng: Random) -> Cell:
    """Return a bidirectional layer: `cell` forward, and a backward cell with 1 to `cell.units + 1` units."""
    n = int(rng.integers(1, cell.units + 2))
    units = rng.integers(0, cell.units, n)
    blocks = {name: array.reshape(-1, cell.units, *array.shape[1:]) for name, array in cell.parameters.items()}
    arrays = {name: -array[:, units].reshape(-1, *array.shape[2:]) for name, array in blocks.items()}
    return Cell.bidirectional(cell, cell.with_parameters(arrays | {"U": arrays["U"][:, units]}))


def _encoder(k: int, rng: Random) -> Encoder:
    letters = ("a", "b", "é", "not", ".", "👍🏽")
    match k // 4 % 5:
        case 0:
            return Symbols(letters)
        case 1:
            return Symbols(letters, padding="b")
        case 2:
            return Embedded(letters, rng.standard_normal((len(letters), 3)), padding="." if k % 8 else None)
        case 3:
            return Numbers((Operator("=", "set", (1.0, 0.0)), Operator("", "add", (0.0, 1.0))))
        case _:
            return Vectors(2, padding=0.0 if k % 8 else None)


def _text(encoder: Encoder, T: int, rng: Random) -> str:
    if isinstance(encoder, Symbols):
        return " ".join(encoder.alphabet[i] for i in rng.integers(0, len(encoder.alphabet), T))
    if isinstance(encoder, Vectors):
        rows = rng.normal(size=(T, encoder.inputs)).round(3) * (rng.random((T, 1)) < 0.8)
        return " ".join(",".join(f"{value:g}" for value in row) for row in rows)
    signs = [operator.sign for operator in encoder.operators]
    return " ".join(f"{rng.choice(signs)}{rng.uniform(-1, 1):.3f}" for _ in range(T))


def _clamp(model: Model, T: int, rng: Random) -> dict[str, Any]:
    layer = int(rng.integers(len(model.layers)))
    cell = model.layers[layer]
    gate = str(rng.choice(list(cell.holdable)))
    lowest, highest = cell.holdable[gate]
    first, last = sorted(int(t) for t in rng.integers(1, T + 1, 2))
    return {
        "gate": gate,
        "units": None if rng.random() < 0.4 else sorted({int(unit) + 1 for unit in rng.integers(0, cell.units, 2)}),
        "from": first,
        "to": None if rng.random() < 0.3 else last,
        "value": float(rng.choice([lowest, highest, 0.0, rng.uniform(max(lowest, -1), min(highest, 1))])),
        "layer": layer + 1,
    }


def _weight(model: Model, rng: Random) -> dict[str, Any]:
    layer = int(rng.integers(len(model.layers)))
    cell = model.layers[layer]
    parts = ["W", "b"] + ["U"] * bool(cell.recurrent) + ["c"] * ("c_h" in cell.parameters)
    part = str(rng.choice(parts))
    gate = "h_tilde" if part == "c" else str(rng.choice(cell.recurrent if part == "U" else cell.gates))
    unit, n = int(rng.integers(cell.units)), cell.units - cell.backward_units
    # No unit reads the state of a unit of the other direction.
    indices = {"W": range(cell.inputs), "U": range(n) if unit < n else range(n, cell.units)}.get(part)
    return {
        "layer": layer + 1,
        "gate": gate,
        "unit": unit + 1,
        "part": part,
        "index": None if indices is None else int(rng.choice(indices)) + 1,
        "value": float(rng.normal()),
    }
