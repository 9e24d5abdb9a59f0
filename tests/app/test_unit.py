"""POST /api/equations, /api/ledger, /api/sensitivity: what the core answers of one unit, and what cannot be asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app import models
from app.routes import unit
from gru_core import Clamp, Edit, twin
from gru_core.cells import equations
from gru_core.runs.ledger import ledger
from tests.support.events import read_events

TEXT = "A b c ? d D ? " * 4
CLAMPS: list[dict[str, Any]] = [
    {"gate": "z", "units": [1], "from": 5, "to": 9, "value": 0.5, "layer": 2},
    {"gate": "h_prev", "from": 12, "to": 12, "value": 0.25, "layer": 2},
]
WEIGHTS = [{"layer": 1, "gate": "z", "unit": 1, "part": "b", "value": -3.0}]
CORES = [Clamp("z", 0.5, [0], slice(4, 9), 1), Clamp("h_prev", 0.25, None, slice(11, 12), 1)]
EDITS = [Edit(0, "z", 0, "b", None, -3.0)]


def ask(client: TestClient, what: str, **changes: object) -> Any:
    asked = {"t": 28} if what == "sensitivity" else {"from": 1, "to": 28}
    question = {"model": "stacked", "sequence": TEXT, "layer": 2, "unit": 3} | asked
    return client.post(f"/api/{what}", json=question | changes).json()


def served(client: TestClient) -> Any:
    app: Any = client.app
    return models.get("stacked", app.state.settings)


@pytest.mark.parametrize(("first", "last"), [(1, 28), (10, 14), (28, 28)])
def test_the_equations_are_the_cores_and_come_with_a_run_too(
    stacked_client: TestClient, first: int, last: int
) -> None:  # fmt: skip
    changes = {"clamps": CLAMPS, "weights": WEIGHTS}
    held, _ = twin(served(stacked_client), TEXT, clamps=CORES, edits=EDITS)
    wanted = equations.steps(held.layers[1], 2)[first - 1 : last]
    body = ask(stacked_client, "equations", **{"from": first, "to": last}, **changes)
    assert [body[name] for name in ("layer", "unit", "from", "to")] == [2, 3, first, last]
    place = {"layer": 2, "unit": 3}
    scenario = {"model": "stacked", "sequence": TEXT, "equations": place} | changes
    whole = stacked_client.post("/api/trace", json=scenario).json()
    events = read_events(
        stacked_client.post("/api/trace", json=scenario, headers={"accept": "text/event-stream"}).text
    )  # fmt: skip
    assert events[0][1]["equations"] == place
    streamed = [data["equations"] for name, data in events if name == "step"]
    for steps in (body["steps"], whole["equations"][first - 1 : last], streamed[first - 1 : last]):
        for step, core in zip(steps, wanted, strict=True):
            assert step["parts"] == pytest.approx(core["parts"], abs=1e-12)
            assert step["decimals"] == core["decimals"]


@pytest.mark.parametrize(
    ("place", "where"), [({"layer": 3, "unit": 1}, "equations.layer"), ({"layer": 2, "unit": 7}, "equations.unit")]
)
def test_a_run_comes_with_the_equations_of_a_unit_that_is_there(
    stacked_client: TestClient, place: dict[str, int], where: str
) -> None:
    scenario = {"model": "stacked", "sequence": TEXT, "equations": place}
    assert stacked_client.post("/api/trace", json=scenario).json()["error"]["where"] == where


def test_equations_of_at_most_512_steps_are_asked_for_at_once(stacked_client: TestClient) -> None:
    long = {"sequence": "A b c ? " * 150, "from": 2}
    assert len(ask(stacked_client, "equations", to=513, **long)["steps"]) == 512
    assert ask(stacked_client, "equations", to=514, **long)["error"]["where"] == "to"


@pytest.mark.parametrize(("first", "last"), [(1, 28), (10, 14), (28, 28)])
def test_the_ledger_is_the_cores_with_the_untouched_runs(stacked_client: TestClient, first: int, last: int) -> None:
    rows = {"from": first, "to": last}
    body = ask(stacked_client, "ledger", clamps=CLAMPS, weights=WEIGHTS, **rows)
    asked = {"layer", "unit", "from", "to"}
    assert body.keys() == asked | {"shares", "largest", "origins", "since", "twin", "twin_largest"}
    assert [body[name] for name in ("layer", "unit", "from", "to")] == [2, 3, first, last]
    held, free = twin(served(stacked_client), TEXT, clamps=CORES, edits=EDITS)
    for sent, trace in ((body["shares"], held), (body["twin"], free)):
        np.testing.assert_allclose(sent, ledger(trace.layers[1], 2)[first - 1 : last], atol=1e-13)
    for places, of_steps in ((body["largest"], body["shares"]), (body["twin_largest"], body["twin"])):
        for order, row in zip(places, of_steps, strict=True):
            assert order == sorted(range(len(row)), key=lambda place, row=row: -row[place])[:3]
    # Step by step: the value that a hold on h_prev put in last (here at t = 12, 0.25), or h_0.
    assert body["since"] == [0 if t < 12 else 12 for t in range(first, last + 1)]
    assert body["origins"] == [0 if t < 12 else 0.25 for t in range(first, last + 1)]
    plain = ask(stacked_client, "ledger", **rows)
    assert plain["twin"] is plain["twin_largest"] is None
    np.testing.assert_allclose(plain["shares"], body["twin"], atol=1e-13)


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("output", [None, 2])
def test_sensitivities_are_the_cores(stacked_client: TestClient, layer: int, output: int | None) -> None:
    asked = {"layer": layer, "t": 20, "output": output, "clamps": CLAMPS, "weights": WEIGHTS}
    body = ask(stacked_client, "sensitivity", **asked)
    trace, _ = twin(served(stacked_client), TEXT, clamps=CORES, edits=EDITS)
    found = trace.sensitivity(19, output and output - 1, layer - 1)
    assert [body[name] for name in ("layer", "unit", "t")] == [layer, 3, 20]
    assert body["output"] == (output or trace.y[19].argmax() + 1)
    wanted = {"x": found.x, "x_norm": np.linalg.norm(found.x, axis=1), "h_norm": found.h_norm}
    of_gates = found.gates[layer - 1]
    wanted |= {"z": of_gates["z"][:, 2], "r": of_gates["r"][:, 2], "h_unit": found.h_unit[:, 2]}
    assert body.keys() == {"layer", "unit", "t", "output", "input", "gate", *wanted}
    assert body["input"] == {"t": wanted["x_norm"].argmax() + 1, "value": pytest.approx(wanted["x_norm"].max())}
    gate = body["gate"]
    of_layer = np.abs([of_gates["z"], of_gates["r"]])
    assert abs(gate["value"]) == pytest.approx(of_layer.max(), abs=1e-12)
    assert of_layer["zr".index(gate["gate"]), gate["t"] - 1, gate["unit"] - 1] == of_layer.max()
    for name, array in wanted.items():
        np.testing.assert_allclose(body[name], array, atol=1e-12)


@pytest.mark.parametrize(
    ("what", "changes", "where", "message"),
    [
        ("ledger", {"layer": 3}, "layer", "layer must be from 1 to 2: the layers of this model"),
        ("ledger", {"unit": 7}, "unit", "unit must be from 1 to 6: the units of this layer"),
        ("ledger", {"from": 29}, "from", "from must be from 1 to 28: the steps of this sequence"),
        ("ledger", {"to": 29}, "to", "to must be from 1 to 28: the steps of this sequence from step 1"),
        (
            "ledger",
            {"sequence": "a" * 300, "from": 2, "to": 219},
            "to",
            "to must be from 2 to 218: at most 217 steps at once, each with 301 contributions",
        ),
        ("ledger", {"t": 1}, None, "this request has an unknown field"),
        ("sensitivity", {"unit": 7}, "unit", "unit must be from 1 to 6: the units of this layer"),
        ("sensitivity", {"t": 29}, "t", "t must be from 1 to 28: the steps of this sequence"),
        ("sensitivity", {"output": 5}, "output", "output must be from 1 to 4: the outputs of this model"),
        ("sensitivity", {"output": 0}, "output", "output: input should be greater than or equal to 1"),
        (
            "sensitivity",
            {"clamps": [CLAMPS[0] | {"value": 2}]},
            "clamps",
            "z cannot be clamped at 2.0: choose from 0 to 1",
        ),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    stacked_client: TestClient, what: str, changes: dict[str, object], where: str, message: str
) -> None:
    error = ask(stacked_client, what, **changes)["error"]
    assert (error["where"], error["message"]) == (where, message)


def test_a_wide_layer_is_looked_at_up_to_a_step(stacked_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "MOST_PRODUCTS", 6**2 * 5)
    assert "x" in ask(stacked_client, "sensitivity", t=5)
    error = ask(stacked_client, "sensitivity", t=6)["error"]
    assert error["message"] == "t must be from 1 to 5: a later step takes too long with 6 units"


def test_like_moments_come_with_places_to_open(client: TestClient) -> None:
    question = {"model": "sentiment", "sequence": "the film was not good .", "layer": 1, "unit": 1}
    question |= {"signal": "z", "from": 4, "to": 4}
    found = client.post("/api/moments", json=question).json()
    model = gru.load("sentiment")
    wanted = gru.trace(model, str(question["sequence"])).z[3, 0]
    assert found["count"] > 1000
    assert found["common"][0] | {"share": 0, "elsewhere": 0} == {
        "step": 0, "what": "“not”", "share": 0, "elsewhere": 0,
    }  # fmt: skip
    for place in found["places"]:
        z = gru.trace(model, " ".join(place["tokens"])).z[place["t"] - 1, 0]
        assert abs(z - wanted) == pytest.approx(place["gap"], abs=1e-9)
    for wrong, where in (
        ({"signal": "c"}, "signal"),
        ({"to": 9}, "to"),
        ({"unit": 9}, "unit"),
        ({"near": 0.0}, "near"),
    ):
        refused = client.post("/api/moments", json=question | wrong)
        assert refused.status_code == 422
        assert refused.json()["error"]["where"] == where
