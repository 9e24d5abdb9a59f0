"""POST /api/equations, /api/ledger, /api/sensitivity and /api/moments: results equal the core. Also refused ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app import models
from app.runs import unit as runs_unit
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
CORE_CLAMPS = [Clamp("z", 0.5, [0], slice(4, 9), 1), Clamp("h_prev", 0.25, None, slice(11, 12), 1)]
CORE_EDITS = [Edit(0, "z", 0, "b", None, -3.0)]


def post(client: TestClient, route: str, **changes: object) -> Any:
    """Send a request about unit 3 of layer 2 to `route` and return the body of the response."""
    position = {"t": 28} if route == "sensitivity" else {"from": 1, "to": 28}
    request = {"model": "stacked", "sequence": TEXT, "layer": 2, "unit": 3} | position
    return client.post(f"/api/{route}", json=request | changes).json()


def served(client: TestClient) -> Any:
    """Return the model as the server has loaded it."""
    app: Any = client.app
    return models.get("stacked", app.state.settings)


@pytest.mark.parametrize(("first", "last"), [(1, 28), (10, 14), (28, 28)])
def test_equations_equal_the_core_in_their_own_response_and_in_a_run(
    stacked_client: TestClient, first: int, last: int
) -> None:  # fmt: skip
    changes = {"clamps": CLAMPS, "weights": WEIGHTS}
    clamped, _ = twin(served(stacked_client), TEXT, clamps=CORE_CLAMPS, edits=CORE_EDITS)
    expected = equations.steps(clamped.layers[1], 2)[first - 1 : last]
    body = post(stacked_client, "equations", **{"from": first, "to": last}, **changes)
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
        for step, core in zip(steps, expected, strict=True):
            assert step["parts"] == pytest.approx(core["parts"], abs=1e-12)
            assert step["decimals"] == core["decimals"]


@pytest.mark.parametrize(
    ("place", "error_place"),
    [({"layer": 3, "unit": 1}, "equations.layer"), ({"layer": 2, "unit": 7}, "equations.unit")],
)
def test_equations_of_a_unit_out_of_range_are_refused(
    stacked_client: TestClient, place: dict[str, int], error_place: str
) -> None:
    scenario = {"model": "stacked", "sequence": TEXT, "equations": place}
    assert stacked_client.post("/api/trace", json=scenario).json()["error"]["where"] == error_place


def test_a_request_has_the_equations_of_at_most_512_steps(stacked_client: TestClient) -> None:
    long = {"sequence": "A b c ? " * 150, "from": 2}
    assert len(post(stacked_client, "equations", to=513, **long)["steps"]) == 512
    assert post(stacked_client, "equations", to=514, **long)["error"]["where"] == "to"


@pytest.mark.parametrize(("first", "last"), [(1, 28), (10, 14), (28, 28)])
def test_contributions_equal_the_core_for_the_clamped_and_the_original_run(
    stacked_client: TestClient, first: int, last: int
) -> None:
    rows = {"from": first, "to": last}
    body = post(stacked_client, "ledger", clamps=CLAMPS, weights=WEIGHTS, **rows)
    position = {"layer", "unit", "from", "to"}
    assert body.keys() == position | {"shares", "largest", "origins", "since", "twin", "twin_largest"}
    assert [body[name] for name in ("layer", "unit", "from", "to")] == [2, 3, first, last]
    clamped, original = twin(served(stacked_client), TEXT, clamps=CORE_CLAMPS, edits=CORE_EDITS)
    for shares, trace in ((body["shares"], clamped), (body["twin"], original)):
        np.testing.assert_allclose(shares, ledger(trace.layers[1], 2)[first - 1 : last], atol=1e-13)
    for places, rows_of_shares in ((body["largest"], body["shares"]), (body["twin_largest"], body["twin"])):
        for order, row in zip(places, rows_of_shares, strict=True):
            assert order == sorted(range(len(row)), key=lambda place, row=row: -row[place])[:3]
    # At each step: the value of the last clamp on h_prev (here 0.25 at t = 12), or h_0.
    assert body["since"] == [0 if t < 12 else 12 for t in range(first, last + 1)]
    assert body["origins"] == [0 if t < 12 else 0.25 for t in range(first, last + 1)]
    plain = post(stacked_client, "ledger", **rows)
    assert plain["twin"] is plain["twin_largest"] is None
    np.testing.assert_allclose(plain["shares"], body["twin"], atol=1e-13)


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("output", [None, 2])
def test_sensitivities_equal_the_core(stacked_client: TestClient, layer: int, output: int | None) -> None:
    changes = {"layer": layer, "t": 20, "output": output, "clamps": CLAMPS, "weights": WEIGHTS}
    body = post(stacked_client, "sensitivity", **changes)
    trace, _ = twin(served(stacked_client), TEXT, clamps=CORE_CLAMPS, edits=CORE_EDITS)
    sensitivity = trace.sensitivity(19, output and output - 1, layer - 1)
    assert [body[name] for name in ("layer", "unit", "t")] == [layer, 3, 20]
    assert body["output"] == (output or trace.y[19].argmax() + 1)
    expected = {"x": sensitivity.x, "x_norm": np.linalg.norm(sensitivity.x, axis=1), "h_norm": sensitivity.h_norm}
    gates = sensitivity.gates[layer - 1]
    expected |= {"h_gain": sensitivity.h_norm / np.sqrt(sensitivity.h_unit.shape[1])}
    expected |= {"z": gates["z"][:, 2], "r": gates["r"][:, 2], "h_unit": sensitivity.h_unit[:, 2]}
    assert body.keys() == {"layer", "unit", "t", "output", "input", "gate", *expected}
    assert body["input"] == {"t": expected["x_norm"].argmax() + 1, "value": pytest.approx(expected["x_norm"].max())}
    gate = body["gate"]
    sizes = np.abs([gates["z"], gates["r"]])
    assert abs(gate["value"]) == pytest.approx(sizes.max(), abs=1e-12)
    assert sizes["zr".index(gate["gate"]), gate["t"] - 1, gate["unit"] - 1] == sizes.max()
    for name, array in expected.items():
        np.testing.assert_allclose(body[name], array, atol=1e-12)


@pytest.mark.parametrize(
    ("route", "changes", "place", "message"),
    [
        ("ledger", {"layer": 3}, "layer", "layer must be from 1 to 2: the layers of this model"),
        ("ledger", {"unit": 7}, "unit", "unit must be from 1 to 6: the units of this layer"),
        ("ledger", {"from": 29}, "from", "from must be from 1 to 28: the timesteps of this sequence"),
        ("ledger", {"to": 29}, "to", "to must be from 1 to 28: the timesteps of this sequence from timestep 1"),
        (
            "ledger",
            {"sequence": "a" * 300, "from": 2, "to": 219},
            "to",
            "to must be from 2 to 218: at most 217 timesteps at once, each with 301 contributions",
        ),
        ("ledger", {"t": 1}, None, "this request has an unknown field"),
        ("sensitivity", {"unit": 7}, "unit", "unit must be from 1 to 6: the units of this layer"),
        ("sensitivity", {"t": 29}, "t", "t must be from 1 to 28: the timesteps of this sequence"),
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
def test_a_position_out_of_range_is_refused_with_the_range(
    stacked_client: TestClient, route: str, changes: dict[str, object], place: str, message: str
) -> None:
    error = post(stacked_client, route, **changes)["error"]
    assert (error["where"], error["message"]) == (place, message)


def test_late_sensitivities_of_a_wide_layer_are_those_of_the_unit_alone(
    stacked_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = post(stacked_client, "sensitivity", t=6)
    monkeypatch.setattr(runs_unit, "MOST_PRODUCTS", 6**2 * 5)
    assert post(stacked_client, "sensitivity", t=5)["h_norm"] is not None
    alone = post(stacked_client, "sensitivity", t=6)
    assert alone["h_norm"] is alone["h_gain"] is None
    np.testing.assert_allclose(alone["h_unit"], whole["h_unit"], atol=1e-12)
    assert (alone["x"], alone["z"], alone["gate"]) == (whole["x"], whole["z"], whole["gate"])


@pytest.mark.parametrize("name", ["names", "names-lstm", "name-writer", "reversed-words"])
def test_a_moment_that_is_longer_than_the_held_out_sequences_is_refused(client: TestClient, name: str) -> None:
    sequence = " ".join(["a"] * 20)
    request = {"model": name, "sequence": sequence, "layer": 1, "unit": 1, "signal": "h", "from": 1, "to": 20}
    refused = client.post("/api/moments", json=request)
    assert (refused.status_code, refused.json()["error"]["where"]) == (422, "to")
    assert client.post("/api/moments", json=request | {"to": 5}).json()["total"] > 0


def test_similar_moments_have_sequences_that_reproduce_them(client: TestClient) -> None:
    request = {"model": "sentiment", "sequence": "the film was not good .", "layer": 1, "unit": 1}
    request |= {"signal": "z", "from": 4, "to": 4}
    moments = client.post("/api/moments", json=request).json()
    model = gru.load("sentiment")
    expected = gru.trace(model, str(request["sequence"])).z[3, 0]
    assert moments["count"] > 1000
    assert moments["common"][0] | {"share": 0, "elsewhere": 0} == {
        "step": 0, "what": "“not”", "share": 0, "elsewhere": 0,
    }  # fmt: skip
    for place in moments["places"]:
        z = gru.trace(model, " ".join(place["tokens"])).z[place["t"] - 1, 0]
        assert abs(z - expected) == pytest.approx(place["gap"], abs=1e-9)
    for wrong, error_place in (
        ({"signal": "c"}, "signal"),
        ({"to": 9}, "to"),
        ({"unit": 9}, "unit"),
        ({"near": 0.0}, "near"),
    ):
        refused = client.post("/api/moments", json=request | wrong)
        assert refused.status_code == 422
        assert refused.json()["error"]["where"] == error_place
