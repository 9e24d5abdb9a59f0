"""The sweep command: one row for each recipe of a grid, and continuation after an interruption."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from app.cli import main
from app.jobs.sweep import read
from gru_core.training.checkpoints import train

GRID = """
task = "flip-flop"
cell = ["rnn", "gru"]
units = [1, 2]
b_z = [0, -2]
after = 0
most = 100
seeds = 2
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    file = tmp_path / "grid.toml"
    file.write_text(GRID)
    return file


def rows(table: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV table."""
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_grid_contains_each_recipe_once(grid: Path) -> None:
    recipes = read(grid)
    assert len(recipes) == 2 * 2 + 2 * 2 * 2  # an RNN has no z, so it has no initial bias of z
    assert {(recipe.cell, recipe.units, recipe.seed) for recipe in recipes} == {
        (cell, units, seed) for cell in ("rnn", "gru") for units in (1, 2) for seed in (0, 1)
    }


def test_rows_equal_the_core_and_an_interrupted_sweep_continues(grid: Path, tmp_path: Path) -> None:
    table, page = tmp_path / "t.csv", tmp_path / "t.html"
    assert main(["sweep", str(grid), "--out", str(table), "--html", str(page)]) == 0
    whole = table.read_bytes()
    for recipe, row in list(zip(read(grid), rows(table), strict=True))[::5]:
        *_, last = train(recipe)
        assert (row["cell"], int(row["seed"]), int(row["steps"])) == (recipe.cell, recipe.seed, last.report["step"])
        assert float(row["score"]) == last.report["score"]
        assert row["good_at"] == ("" if last.report["good_at"] is None else str(last.report["good_at"]))
    lines = whole.splitlines(keepends=True)
    table.write_bytes(b"".join(lines[:6]) + lines[6][:40])  # interrupted in the middle of a line
    before = table.stat().st_size
    assert main(["sweep", str(grid), "--out", str(table), "--workers", "1"]) == 0
    assert before < len(whole)
    assert table.read_bytes() == whole
    text = page.read_text()
    assert "medians over 2 seeds" in text
    assert "cell rnn" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("units = 99", "units: must be from 1 to 32"),
        ("color = 1", "'color'"),
        ("units = [", "is not TOML"),
        (
            "seeds = 1000\nunits = [1, 2, 3, 4, 5]\nrate = [0.1, 0.2, 0.3, 0.4, 0.5]\nmost = [1, 2, 3, 4, 5]",
            "at most 100,000",
        ),
        ('task = "none"', "flip-flop"),
        ("seeds = [1, 2]", "seeds must be a whole number"),
        ("gap = ['x']", "gap must be a whole number"),
    ],
)
def test_a_mistake_in_a_grid_file_is_reported(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(text)
    assert main(["sweep", str(file)]) == 2
    assert message in capsys.readouterr().err


def test_rows_of_another_grid_stay_in_the_table_but_not_on_the_page(tmp_path: Path) -> None:
    table, page, file = tmp_path / "t.csv", tmp_path / "t.html", tmp_path / "grid.toml"
    for units in (1, 2):
        file.write_text(f'task = "flip-flop"\nunits = {units}\nmost = 20\nafter = 0\nreach = 0')
        assert main(["sweep", str(file), "--out", str(table), "--html", str(page)]) == 0
    assert [row["units"] for row in rows(table)] == ["2", "1"]
    assert "1 trainings" in page.read_text()


def test_a_file_that_is_no_sweep_table_is_not_overwritten(
    grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    assert main(["sweep", str(grid), "--out", str(table)]) == 2
    assert "not a sweep table" in capsys.readouterr().err
    assert table.read_text() == "a,b\n1,2\n"


def test_the_key_gap_sets_the_steps_between_letter_and_answer(tmp_path: Path) -> None:
    file = tmp_path / "gaps.toml"
    file.write_text('task = "gap"\ngap = [20, 50]\nb_z = [0, -1]\nseeds = 2')
    assert (
        sorted((recipe.schedule.T, recipe.schedule.aside) for recipe in read(file)) == [(21, 21)] * 4 + [(51, 51)] * 4
    )
