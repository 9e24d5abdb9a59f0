"""POST /api/sums: the terms of a unit's sums, which add up to the inputs of the unit's gates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from tests.support.networks import sigmoid

TEXT = "A b c ? d D ? " * 10


def post_sums(stacked_client: TestClient, **changes: object) -> Any:
    """Request the sums of a unit and return the body of the response."""
    request = {"model": "stacked", "sequence": TEXT, "layer": 1, "unit": 1, "from": 1, "to": 1}
    return stacked_client.post("/api/sums", json=request | changes).json()


@pytest.mark.parametrize(("layer", "unit"), [(1, 1), (1, 4), (2, 3), (2, 6)])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 64), (50, 70), (70, 70)])
def test_products_and_biases_add_up_to_the_input_of_the_gate(
    stacked_client: TestClient, layer: int, unit: int, first: int, last: int
) -> None:
    h0 = [[0.5, -0.5, 0, 1], [0.1, -0.2, 0.3, -0.4, 0.5, -0.6]]
    trace = stacked_client.post("/api/trace", json={"model": "stacked", "sequence": TEXT, "h0": h0}).json()
    body = post_sums(stacked_client, layer=layer, unit=unit, h0=h0, **{"from": first, "to": last})
    assert [body[name] for name in ("layer", "unit", "from", "to")] == [layer, unit, first, last]
    assert body["inputs"] == (trace["x"]["labels"] if layer == 1 else ["h1", "h2", "h3", "h4"])
    assert list(body["gates"]) == ["r", "z", "h_tilde"]
    for gate, activation in (("r", sigmoid), ("z", sigmoid), ("h_tilde", np.tanh)):
        part = body["gates"][gate]
        Wx, Uh = np.array(part["Wx"]), np.array(part["Uh"])
        assert Wx.shape == (last - first + 1, len(body["inputs"])) == (len(Uh), len(part["W"]))
        assert Uh.shape[1] == len(part["U"]) == len(h0[layer - 1])
        assert (part["c"] is None) == (part["rc"] is None) == (layer == 1 or gate != "h_tilde")
        rc = 0 if part["rc"] is None else np.array(part["rc"])
        computed = np.array(trace["layers"][layer - 1][gate])[first - 1 : last, unit - 1]
        np.testing.assert_allclose(activation(Wx.sum(1) + Uh.sum(1) + part["b"] + rc), computed, atol=1e-13)
        if part["c"] is not None:
            r = np.array(trace["layers"][layer - 1]["r"])[first - 1 : last, unit - 1]
            np.testing.assert_allclose(rc, r * part["c"], atol=1e-15)


def test_a_product_is_a_weight_times_its_input_or_state(stacked_client: TestClient) -> None:
    model, text = gru.load("pocket-calculator"), "=0.3 +0.2 0.35"
    run = gru.trace(model, text)
    body = post_sums(stacked_client, model="pocket-calculator", sequence=text, to=3)
    assert body["inputs"] == ["number", "load it", "add it"]
    W, U = body["gates"]["h_tilde"]["W"], body["gates"]["h_tilde"]["U"]
    np.testing.assert_array_equal([*W, *U], [*model.layers[0].W[2], *model.layers[0].U[2]])
    assert body["gates"]["h_tilde"]["Wx"] == [[W[0] * 0.3, W[1], 0], [W[0] * 0.2, 0, W[2]], [W[0] * 0.35, 0, 0]]
    reset_state = run.r[:, 0] * np.array([0, *run.h[:-1, 0]])
    np.testing.assert_allclose(np.array(body["gates"]["h_tilde"]["Uh"])[:, 0], U[0] * reset_state)
    np.testing.assert_allclose(np.array(body["gates"]["h_tilde"]["past"])[:, 0], reset_state)
    assert [body["gates"][gate]["past"] for gate in ("r", "z")] == [None, None]


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"layer": 3}, "layer", "layer must be from 1 to 2: the layers of this model"),
        ({"layer": 2, "unit": 7}, "unit", "unit must be from 1 to 6: the units of this layer"),
        ({"unit": 10**40}, "unit", "unit must be from 1 to 4: the units of this layer"),
        ({"from": 71, "to": 71}, "from", "from must be from 1 to 70: the timesteps of this sequence"),
        (
            {"from": 9, "to": 8},
            "to",
            "to must be from 9 to 70: the timesteps of this sequence from timestep 9, at most 64",
        ),
        ({"to": 65}, "to", "to must be from 1 to 64: the timesteps of this sequence from timestep 1, at most 64"),
        ({"unit": 0}, "unit", "unit: input should be greater than or equal to 1"),
        ({"unit": "1"}, "unit", "unit: input should be a valid integer"),
        ({"sequence": "A b Q"}, "sequence.3", "step 3: 'Q' is not in this model's alphabet (a b c d A B C D ?)"),
    ],
)
def test_a_position_out_of_range_is_refused_with_the_range(
    stacked_client: TestClient, changes: dict[str, object], place: str, message: str
) -> None:
    error = post_sums(stacked_client, **changes)["error"]
    assert (error["where"], error["message"]) == (place, message)
