"""Forecasts on the page, in the API and on the command line: numbers in their unit, and scaled outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import main

YEARS = "9.6 33 92.6 151.6 136.3 134.7"


def test_the_scale_is_sent_and_the_page_shows_outputs_in_the_unit(client: TestClient) -> None:
    run = client.post("/api/trace", json={"model": "sunspots", "sequence": YEARS}).json()
    assert run["scale"] == {"unit": "sunspots", "decimals": 1, "least": 1}
    y = gru.trace(gru.load("sunspots"), YEARS).y
    np.testing.assert_allclose(run["y"]["values"], y)
    html = client.get("/", params={"model": "sunspots", "sequence": YEARS}).text
    row = re.search(r'aria-label="Output">(.*?)</ol>', html)
    assert row is not None
    np.testing.assert_allclose(
        [float(text) for text in re.findall(r"<span>(.*?)</span>", row[1])], 100 * y[:, 0], atol=0.06
    )
    np.testing.assert_allclose(np.ravel(run["number.x"]), [float(number) for number in YEARS.split()])
    np.testing.assert_allclose(run["number.y"], 100 * y)
    np.testing.assert_allclose(run["baselines"]["last value"], np.ravel(run["number.x"]))
    assert run["baselines"]["linear autoregression of order 9"] == [None] * 6
    flip_flop = client.post("/api/trace", json={"model": "flip-flop", "sequence": "A"}).json()
    assert flip_flop["scale"] is None
    assert not [name for name in flip_flop if name.startswith("number")]


def test_a_changed_forecast_has_its_difference_in_the_unit(client: TestClient) -> None:
    clamp = {"gate": "z", "units": None, "from": 2, "to": 2, "value": 0, "layer": 1}
    run = client.post("/api/trace", json={"model": "sunspots", "sequence": YEARS, "clamps": [clamp]}).json()
    np.testing.assert_allclose(run["number.delta.y"], 100 * np.array(run["delta.y"]), atol=1e-9)
    np.testing.assert_allclose(run["number.twin.y"], 100 * np.array(run["twin.y"]))


def test_the_command_prints_the_forecasts_of_the_free_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--steps", "3", YEARS]) == 0
    forecasts = gru.forecast(gru.load("sunspots"), YEARS, 3).forecasts
    assert capsys.readouterr().out.split() == [f"{number:g}" for number in forecasts]
    assert main(["forecast", "--model", "flip-flop", "A"]) == 1
    assert "forecasts no series" in capsys.readouterr().err
