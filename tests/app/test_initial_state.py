"""An initial state in links, on the command line and in exports: the run continues from it as in the core."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import main
from app.runs.linked import run_link
from app.settings import Settings


def test_a_link_continues_a_run_exactly() -> None:
    model = gru.load("pocket-calculator-lstm")
    whole = gru.trace(model, "=0.3 0.1 0.2 -0.1")
    last = gru.trace(model, "=0.3 0.1").last
    text = ";".join(",".join(map(repr, state.tolist())) for state in last)
    run = run_link({"model": "pocket-calculator-lstm", "sequence": "0.2 -0.1", "h0": text}, Settings())
    np.testing.assert_allclose(run.trace.h, whole.h[2:], rtol=0, atol=1e-15)
    assert run.scenario.h0 == [state.tolist() for state in last]
    assert "h0" in run.link.address(run.scenario)


def test_the_command_starts_from_a_state_or_after_a_sequence(capsys: pytest.CaptureFixture[str]) -> None:
    model = gru.load("flip-flop")
    before = gru.trace(model, "B m m")
    expected = gru.trace(model, "m A m", after=before).h[:, 0]

    def states(*arguments: str) -> list[float]:
        assert main(["trace", "--json", *arguments, "m A m"]) == 0
        return [row[0] for row in json.loads(capsys.readouterr().out)["layers"][0]["h"]]

    assert states("--after", "B m m") == expected.tolist()
    assert states(f"--h0={float(before.last[0][0])!r}") == expected.tolist()
    assert main(["trace", "--h0=1,2", "m A m"]) == 1
    assert "h0" in capsys.readouterr().err


@pytest.mark.parametrize(("h0", "status"), [("-0.9", 200), ("0.1,0.2", 422), ("-2", 422)])
def test_an_export_starts_from_the_state_of_its_link(client: TestClient, h0: str, status: int) -> None:
    response = client.get(f"/api/export/trace.json?model=flip-flop&sequence=m+m&h0={h0}")
    assert response.status_code == status
    if status == 200:
        expected = gru.trace(gru.load("flip-flop"), "m m", [[float(h0)]]).h
        assert response.json()["layers"][0]["h"] == expected.tolist()
    else:
        assert response.json()["error"]["where"] == "h0"


def test_the_export_command_writes_the_run_from_its_initial_state(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["export", "--model", "flip-flop", "--sequence", "m m", "--h0=-0.9", "--json", "-"]) == 0
    written = json.loads(capsysbinary.readouterr().out)
    assert written["layers"][0]["h"] == gru.trace(gru.load("flip-flop"), "m m", [[-0.9]]).h.tolist()
