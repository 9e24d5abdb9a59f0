"""The pages of the experiments: their embeds, their exports, and the numbers in their findings."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from fastapi.testclient import TestClient

from app.lessons.quantities import Runs, evaluate
from app.lessons.reading import Figure
from app.runs.reach import gradient_reach, linked_body
from app.schemas import GapBody
from app.settings import Settings
from app.sitemap import EXPERIMENTS
from gru_core import experiments
from gru_core.training.checkpoints import train
from gru_core.training.recipe import Recipe
from tests.support.html import text_of

NAMES = [page.name for page in EXPERIMENTS]


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_can_be_embedded_and_exported(
    client: TestClient, embeddable_client: TestClient, name: str
) -> None:
    page = client.get(f"/compare/{name}")
    assert page.status_code == 200
    assert 'aria-label="Finding"' in page.text
    assert "Resolution" in page.text
    assert all(f'id="{part}-open"' in page.text for part in ("share", "export", "help"))
    embedded = client.get(f"/embed/compare/{name}")
    assert embedded.status_code == 200
    assert "<nav" not in embedded.text
    response = embeddable_client.get("/oembed", params={"url": f"http://testserver/compare/{name}?seed=1"})
    assert f"/embed/compare/{name}?seed=1" in response.json()["html"]
    assert response.json()["title"].startswith(next(page.title for page in EXPERIMENTS if page.name == name))
    stored = client.get("/api/export/experiment.json", params={"name": name})
    assert stored.json() == json.loads(json.dumps(experiments.result(name)))
    table = client.get("/api/export/experiment.csv", params={"name": name})
    assert f"gruscope-{name}.csv" in table.headers["content-disposition"]
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == len(experiments.table(name))


def test_an_unknown_experiment_is_not_found(client: TestClient) -> None:
    for path in ("/compare/none", "/embed/compare/none", "/api/export/experiment.csv?name=none"):
        assert client.get(path).status_code in (404, 422)


def test_the_finding_and_the_map_of_the_gap_count_the_stored_seeds(client: TestClient) -> None:
    page = client.get("/compare/gap").text
    expected = {}
    for row in experiments.result("gap"):
        key = (experiments.kind_of_row(row), row["T"] - 1, row["rate"], row["units"])
        expected[key] = expected.get(key, 0) + (row["good_at"] is not None)
    finding = text_of(re.findall(r'class="finding">(.*?)</p>', page, re.S)[0])
    counts = [int(n) for n in re.findall(r"in (\d) of ", finding)]
    assert counts == [
        expected["GRU, b_z = 0", 50, 0.01, 16], expected["GRU, b_z = 0", 50, 0.03, 16],
        expected["GRU, b_z = −2", 50, 0.01, 16],
    ]  # fmt: skip
    assert expected["GRU, b_z = −2", 50, 0.01, 16] == expected["GRU, b_z = −2", 50, 0.03, 16]  # "at both"
    entries = re.findall(r'data-try="([^"]*)"[^>]*aria-label="([^"]*): (\d) of 5"[^>]*>(\d)<', page)
    assert len(entries) == 12 * 6
    for settings, label, text, count in entries:
        keys = dict(part.split("=") for part in settings.replace("&amp;", "&").split("&"))
        place = (label.rpartition(", ")[0], int(keys["gap"]), float(keys["rate"]), int(keys["units"]))
        assert int(text) == int(count) == expected[place]


def test_the_gradient_before_training_is_the_one_in_the_first_report_of_the_training() -> None:
    question = GapBody(gap=12, units=4, b=-1, seed=3)
    for cell in gradient_reach(question).values():
        first = next(train(Recipe.from_dict(cell["recipe"])))
        assert first.report["lags"] == pytest.approx(cell["lags"], rel=1e-3)


def test_a_link_to_the_gap_ignores_values_that_are_not_possible() -> None:
    usual = linked_body({})
    assert linked_body({"gap": "9999", "b": "x", "first": "no", "rate": "0.03"}) == usual
    read = linked_body({"gap": "80", "units": "4", "b": "-1.5", "seed": "2"})
    assert (read.gap, read.units, read.first, read.b, read.seed) == (80, 4, "plain", -1.5, 2)
    assert linked_body({"first": "chrono", "b": "-1"}).b == 0


def test_a_lesson_counts_seeds_at_another_learning_rate_and_size() -> None:
    figure, runs = Figure("compare/gap", {}), Runs(Settings())
    for text, place in (
        ("gap GRU, b_z = 0 50", (50, 0.01, 16)), ("gap GRU, b_z = 0 50 | rate=0.03", (50, 0.03, 16)),
        ("gap GRU, b_z = 0 50 | rate=0.02, units=8", (50, 0.02, 8)),
    ):  # fmt: skip
        entry = experiments.solved("GRU, b_z = 0", *place)
        assert entry is not None
        assert evaluate(text, figure, runs).value == entry.solved
    for wrong in (
        "gap GRU, b_z = 0 50 | rate=0.04",
        "gap GRU, b_z = 0 50 | sed=3",
        "gap GRU, b_z = 0 50 | rate=x",
        "gap",
    ):
        with pytest.raises(ValueError, match="Gradient reach"):
            evaluate(wrong, figure, runs)
