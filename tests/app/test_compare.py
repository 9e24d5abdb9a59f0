"""The Compare page as the server sends it, its export, and the measured cost of a timestep."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import main
from app.link import OPENING_SEQUENCES
from app.rooms.views import View, validate_view
from app.runs import run as runs_run
from app.settings import Settings
from gru_core import presets
from gru_core.cells.registry import ORDER
from tests.support.events import unpacked_answer


@pytest.mark.parametrize(("task", "by"), [(task, by) for task in presets.COMPARABLE for by in presets.matched(task)])
def test_the_page_contains_the_runs_and_outputs_of_all_three_cells(client: TestClient, task: str, by: str) -> None:
    page = client.get("/compare", params={"task": task, "by": by}).text
    for cell, name in presets.contenders(task, by).items():
        trace = gru.trace(gru.load(name), OPENING_SEQUENCES.get(task, gru.load(name).examples[0]))
        outputs = re.search(rf'id="outputs-{cell}"[^>]*>(.*?)</ol>', page, re.S)
        assert outputs is not None
        texts = re.findall(r"<span>(.*?)</span>", outputs[1])
        if trace.model.readout.kind == "softmax":
            assert texts == [trace.model.readout.labels[k] for k in trace.y.argmax(1)]
        else:
            scale = getattr(trace.model.encoder, "scale", 1)
            expected = pytest.approx(scale * trace.y[:, 0], abs=0.051 if scale > 1 else 0.0051)
            assert [float(text.replace("−", "-")) for text in texts] == expected
        first = re.search(rf'id="first-run-{cell}">(.*?)</script>', page, re.S)
        assert first is not None
        start = json.loads(first[1].split("data: ")[1].split("\n")[0])
        assert (start["model"], start["layers"][0]["cell"], start["T"]) == (name, cell, len(trace.h))


@pytest.mark.parametrize("task", ["names", "sunspots"])
def test_real_data_is_compared_between_networks_of_the_same_size_and_recipe(client: TestClient, task: str) -> None:
    models = [gru.load(name) for name in presets.contenders(task, "units", ORDER).values()]
    assert [model.layers[0].name for model in models] == ["rnn", "lstm", "gru"]
    assert len({model.layers[0].units for model in models}) == 1
    for key in ("training steps", "seed", "batch", "learning rate", "penalties"):
        assert len({model.card.training[key] for model in models}) == 1
    page = client.get("/compare", params={"task": task}).text
    assert [re.findall(rf'name="{name}" value="(\w+)"', page) for name in ("by", "cells")] == [
        ["units"], ["rnn", "lstm", "gru"],
    ]  # fmt: skip


def test_models_matched_by_parameters_have_about_the_same_number(client: TestClient) -> None:
    for task in presets.TASKS:
        sizes = {}
        for cell, name in presets.contenders(task, "parameters", ORDER).items():
            sizes[cell] = sum(array.size for array in gru.load(name).layers[0].parameters.values())
        for cell in ORDER:
            assert 0.5 <= sizes[cell] / sizes["gru"] <= 1.5


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ({"task": "chess"}, "choose one of flip-flop, "),
        ({"task": "flip-flop", "sequence": "A Q"}, "step 2: &#39;Q&#39; is not in this model&#39;s alphabet"),
        ({"task": "<script>"}, "this task is unknown"),
        ({"by": "color"}, "units or parameters"),
        ({"task": "names", "by": "parameters"}, "by must be units"),
        ({"v": "9"}, "another version of GRU Scope"),
    ],
)
def test_a_bad_link_shows_an_error_and_an_example(client: TestClient, link: dict[str, str], message: str) -> None:
    response = client.get("/compare", params=link)
    assert response.status_code == 200
    assert message in response.text
    assert "<script>is" not in response.text
    assert re.search(r'value="(A m m p B s|=0.4 0.1|j o n s)', response.text)


def test_the_exported_page_contains_every_run_that_it_shows(client: TestClient) -> None:
    link = {"task": "store-and-recall", "sequence": "A b ?", "clamps": "z.1@2=0.5"}
    file = client.get("/api/export/compare.html", params=link)
    assert file.headers["content-disposition"] == 'attachment; filename="gruscope-compare.html"'
    record = re.search(r'id="record">(.*?)</script>', file.text, re.S)
    assert record is not None
    runs = json.loads(record[1])["runs"]
    names = presets.contenders("store-and-recall", "units").values()
    clamped = ("store-and-recall-plain", 1)
    assert {(run["scenario"]["model"], len(run["scenario"]["clamps"])) for run in runs} == {
        *((name, 0) for name in names),
        *((f"{name}@0", 0) for name in names),
        clamped,
    }
    for run in runs:
        model, clamps = gru.load(run["scenario"]["model"]), []
        if run["scenario"]["clamps"]:
            clamps = [gru.Clamp("z", 0.5, [0], slice(1, 2))]
        states = gru.trace(model, "A b ?", clamps=clamps).sensitivity(2).states
        at = unpacked_answer(run["answers"]["sensitivity"]["1.1"]["at"][2])
        np.testing.assert_allclose(at["h_gain"], np.sqrt((states["h"] ** 2).mean(1)), rtol=1e-12)
    for wrong in ({"task": "chess"}, {"sequence": "Q"}, {"clamps": "i.1@1=0"}):
        assert 400 <= client.get("/api/export/compare.html?" + urlencode(wrong)).status_code < 500


def test_a_link_can_add_a_fourth_cell(client: TestClient) -> None:
    usual = client.get("/compare", params={"task": "sentiment"}).text
    assert re.findall(r'id="tape-(\w+)"', usual) == ["rnn", "lstm", "gru"]
    assert re.findall(r'name="cells" value="(\w+)"( checked)?', usual) == [
        ("rnn", " checked"), ("lstm", " checked"), ("gru", " checked"), ("mingru", ""),
    ]  # fmt: skip
    for cells in ("mingru", "gru,mingru", "rnn,lstm,gru,mingru"):
        page = client.get("/compare", params={"task": "sentiment", "cells": cells, "by": "parameters"}).text
        assert re.findall(r'id="tape-(\w+)"', page) == ["rnn", "lstm", "gru", "mingru"]
        assert '<option value="sentiment" selected' in page
    link = {"task": "flip-flop", "sequence": "A m", "cells": "gru,mingru", "clamps": "z@1=0.5"}
    file = client.get("/api/export/compare.html", params=link).text
    record = re.search(r'id="record">(.*?)</script>', file, re.S)
    assert record is not None
    ran = [(run["scenario"]["model"], len(run["scenario"]["clamps"])) for run in json.loads(record[1])["runs"]]
    assert ("flip-flop-mingru", 0) in ran
    assert ("flip-flop-mingru@0", 0) in ran
    assert [run for run in ran if run[1]] == [("flip-flop-plain", 1)]
    without = client.get("/api/export/compare.html", params={"task": "flip-flop"}).text
    assert 'value="mingru"' not in without  # a page without a server cannot get another cell


def test_students_reload_the_page_only_if_the_cells_change() -> None:
    def shape(link: str, page: str = "compare") -> str:
        view = View(page=page, link=f"?task=sentiment&{link}")
        return validate_view(view, Settings()).shape

    assert shape("cells=rnn,gru&t=3") == shape("t=4") != shape("cells=gru,mingru") == shape("cells=mingru&when=before")
    # The Train page contains only the cells that its link names.
    assert shape("t=3", "train") == shape("t=4&step=9", "train") != shape("cells=lstm,gru", "train")


def test_the_measured_time_of_a_timestep_grows_with_the_network(client: TestClient) -> None:
    small, large = (client.get(f"/api/timing/{name}").json() for name in ("flip-flop-rnn", "sentiment-lstm"))
    assert 0 < small["training"] < large["training"]
    assert small["step"] > 0
    assert client.get("/api/timing/none").status_code == 404


def test_the_model_before_training_can_be_run_and_opened(client: TestClient) -> None:
    for name in ("flip-flop", "sentiment-lstm", "flip-flop-rnn-parameters"):
        scenario = {"model": f"{name}@0", "sequence": gru.load(name).examples[0]}
        run = client.post("/api/trace", json=scenario).json()
        np.testing.assert_allclose(run["layers"][0]["h"], gru.trace(gru.load(f"{name}@0"), scenario["sequence"]).h)
        assert "before training" in client.get("/", params=scenario).text
    assert client.post("/api/trace", json={"model": "none@0", "sequence": "A"}).status_code == 404


@pytest.mark.parametrize(
    ("model", "sequence", "expected"),
    [
        ("flip-flop", "m A p B .", [None, 1, 1, 2, 2]),
        ("store-and-recall", "? A b ? C ? ?", [None, None, None, 1, None, 3, 3]),
        ("sentiment", "the not very good . bad not dull", [2, 2, 2, 1, 2, 1, 1, 3]),
        ("pocket-calculator", "=0.3 +0.2 0.4 =-0.1 +0.1", [0.3, 0.5, 0.5, -0.1, 0]),
        ("running-total", "0.1 =0.2 0.3 -0.1", [0.1, 0.2, 0.5, 0.4]),
    ],
)
def test_a_run_contains_the_targets_of_its_task(
    client: TestClient, model: str, sequence: str, expected: list[float | None]
) -> None:
    run = client.post("/api/trace", json={"model": model, "sequence": sequence}).json()
    assert run["right"] == [value if value is None else pytest.approx(value) for value in expected]


def test_the_export_command_writes_a_comparison_as_html_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = "http://localhost:8000/compare?task=sentiment&t=3"
    assert main(["export", link, "--html", str(tmp_path / "a.html")]) == 0
    assert 'id="first-run-lstm"' in (tmp_path / "a.html").read_text()
    assert main(["export", link, "--csv", "-"]) == 2
    assert "only with --html" in capsys.readouterr().err
    assert main(["export", link.replace("sentiment", "chess"), "--html", "-"]) == 1
    assert "choose one of flip-flop" in capsys.readouterr().err


def test_a_long_comparison_is_streamed_and_too_large_to_export(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"task": "sentiment", "sequence": "good " * 300}
    page = client.get("/compare", params=link).text
    assert re.findall(r'id="first-run-\w+">(.*?)</script>', page, re.S) == ["", "", ""]
    monkeypatch.setattr(runs_run, "MOST_IN_TEXT", 10_000)
    response = client.get("/api/export/compare.html", params=link)
    assert response.status_code == 413
    assert "the run is too large for one HTML file" in response.json()["error"]["message"]
