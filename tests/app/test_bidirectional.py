"""Bidirectional networks over HTTP: the requests of a page about a unit that reads the sequence backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.support.networks import sigmoid

TEXT = "m A m p B s s A m . B p"
T, LAST = 12, [{"gate": "h_prev", "units": [2], "from": 12, "to": 12, "value": 0.5, "layer": 1}]
CLAMPS: list[list[dict[str, Any]]] = [
    [],
    LAST,
    [{"gate": "h_prev", "units": None, "from": 4, "to": 5, "value": -0.25, "layer": 1}],
    [{"gate": "z", "units": [2], "from": 6, "to": 6, "value": 0.75, "layer": 1}],
]


def post(client: TestClient, route: str, **fields: Any) -> Any:
    response = client.post(f"/api/{route}", json={"model": "tagger", "sequence": TEXT, **fields})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("clamps", CLAMPS)
@pytest.mark.parametrize("unit", [1, 2])
def test_sums_and_contributions_of_both_directions_add_up(
    client: TestClient, clamps: list[dict[str, Any]], unit: int
) -> None:
    scenario = {"clamps": clamps, "h0": [[0.25, -0.5]]}
    place = {"layer": 1, "unit": unit, "from": 1, "to": T}
    (layer,) = post(client, "trace", **scenario)["layers"]
    assert (layer["H"], layer["backward_units"]) == (2, 1)
    r, z, candidate, h = (np.array(layer[name])[:, unit - 1] for name in ("r", "z", "h_tilde", "h"))

    gates = post(client, "sums", **scenario, **place)["gates"]
    for gate, value, function in (("r", r, sigmoid), ("h_tilde", candidate, np.tanh)):
        sums = np.sum(gates[gate]["Wx"], 1) + np.sum(gates[gate]["Uh"], 1) + gates[gate]["b"]
        np.testing.assert_allclose(function(sums), value, rtol=0, atol=1e-13)

    old = np.array([0.25, *h[:-1]]) if unit == 1 else np.array([*h[1:], -0.5])
    held = np.array(layer["h_prev"])[:, unit - 1] if "h_prev" in layer else old
    np.testing.assert_allclose((1 - z) * held + z * candidate, h, rtol=0, atol=1e-13)

    ledger = post(client, "ledger", **scenario, **place)
    shares, origins = np.array(ledger["shares"]), np.array(ledger["origins"])
    np.testing.assert_allclose(shares[:, 0] * origins + shares[:, 1:] @ candidate, h, rtol=0, atol=1e-13)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=0, atol=1e-13)
    later = np.triu(np.ones((T, T)), 1) > 0
    assert (shares[:, 1:][later if unit == 1 else later.T] == 0).all()
    if clamps == LAST and unit == 2:
        assert set(ledger["since"]) == {T}
    middle = post(client, "ledger", **scenario, **(place | {"from": 5, "to": 8}))
    np.testing.assert_allclose(middle["shares"], ledger["shares"][4:8], rtol=0, atol=1e-15)


def test_an_output_is_sensitive_to_inputs_on_both_sides(client: TestClient) -> None:
    text = "A m m B"
    sensitivity = post(client, "sensitivity", sequence=text, layer=1, unit=2, t=2)
    x = np.array(sensitivity["x_norm"])
    assert len(x) == len(sensitivity["h_unit"]) == 4
    assert min(x[0], x[3]) > 0
    assert sensitivity["h_unit"][0] == 0  # unit 2 reads backward, t = 4, 3, 2, so the state at t = 1 has no effect
    assert min(sensitivity["h_unit"][1:]) > 0


def test_no_changed_weight_can_connect_the_directions(client: TestClient) -> None:
    weight = {"layer": 1, "gate": "z", "unit": 2, "part": "U", "index": 1, "value": 1.0}
    response = client.post("/api/trace", json={"model": "tagger", "sequence": TEXT, "weights": [weight]})
    assert (response.status_code, response.json()["error"]["where"]) == (422, "weights")


def test_similar_moments_are_found_and_an_exported_page_has_both_directions(client: TestClient) -> None:
    moments = post(client, "moments", layer=1, unit=2, signal="h", **{"from": 4, "to": 6})
    assert moments["count"] > 0
    page = client.get("/api/export/page.html", params={"model": "tagger", "sequence": TEXT}).text
    assert '"backward_units":1' in page
