"""A visitor's own series: parsing, standardization, split and training, and errors that name the row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gru_core as gru
from app.recipes import RecipeBody
from app.runs.run import baselines
from gru_core import formats
from gru_core.formats.questions import FormatError
from gru_core.model import load_file
from gru_core.training.checkpoints import Training, train
from gru_core.training.own import Column, read
from gru_core.training.recipe import task_for
from gru_core.training.series import ORDER
from gru_core.training.table import TableError

RNG = np.random.default_rng(0)
NUMBERS = [float(f"{20 + 5 * math.sin(n / 3) + 0.3 * RNG.normal():.3f}") for n in range(150)]


def text(numbers: Sequence[object], name: str = "") -> str:
    return "\n".join([*([name] if name else []), *map(str, numbers)]) + "\n"


def column(csv: str) -> Column:
    series = read(csv)
    assert isinstance(series, Column)
    return series


def trained(**fields: object) -> tuple[Training, gru.Model]:
    body = {"task": "own", "table": text(NUMBERS, "temperature"), "units": 2, "most": 60, "T": 30} | fields
    recipe = RecipeBody.model_validate(body).recipe()
    training = Training(recipe, list(train(recipe)))
    return training, training.model(training.steps[-1])


def test_a_series_is_standardized_on_its_training_part_only() -> None:
    changed = [*NUMBERS[:120], *(1000 + n for n in NUMBERS[120:])]
    series, other = column(text(NUMBERS)), column(text(changed))
    assert series.training == 120
    assert series.encoder == other.encoder
    x = series.encoder.encode(list(map(str, NUMBERS[:120])))
    np.testing.assert_allclose([x.mean(), x.std()], [0, 1], atol=1e-3)
    task = series.task
    assert task.series is not None
    assert other.task.series is not None
    np.testing.assert_allclose(series.encoder.numbers(task.series.values), NUMBERS)
    for name, weights in task.series.regressions.items():
        np.testing.assert_array_equal(weights, other.task.series.regressions[name])
    windows = task.draw(np.random.default_rng(0), 30, 200).x
    np.testing.assert_array_equal(np.unique(windows), np.unique(task.series.values[:120]))
    batch = task.held_out(np.random.default_rng(0), 0, 0)
    np.testing.assert_array_equal(batch.target[batch.scored], task.series.values[120:])


def test_a_name_blank_ends_and_other_minus_signs_are_accepted() -> None:
    series = column(text(["", "Δ °C", *(f"\N{MINUS SIGN}{n}" for n in NUMBERS), "", ""]))
    np.testing.assert_array_equal(series.numbers, np.negative(NUMBERS))
    assert series.encoder.unit == "Δ °C"
    small = column(text([n / 1000 + 3 for n in NUMBERS]))
    for example in (*small.examples, *series.examples):
        assert example == small.encoder.write(small.encoder.encode(small.encoder.tokens(example)))
    written = [float(n) for n in small.examples[2].split()]
    np.testing.assert_allclose(written, [n / 1000 + 3 for n in NUMBERS[:45]], rtol=0, atol=5.1e-6)


def test_the_model_reports_its_error_beside_those_of_the_baselines(tmp_path: Path) -> None:
    training, model = trained()
    recipe = training.recipe
    encoder, card = model.encoder, model.card
    scale = encoder.to_dict()
    forecast = gru.trace(model, text(NUMBERS)).y[119:-1, 0]
    answers = (np.array(NUMBERS[120:]) - scale["shift"]) / scale["scale"]
    assert card.measured["squared error"] == pytest.approx(np.mean((forecast - answers) ** 2), rel=0.05)
    last = (np.array(NUMBERS[119:-1]) - scale["shift"]) / scale["scale"]
    assert card.measured["squared error of last value"] == pytest.approx(np.mean((last - answers) ** 2), rel=1e-3)
    regression = f"linear autoregression of order {ORDER}"
    beaten = card.measured["squared error"] < card.measured[f"squared error of {regression}"]
    assert (regression in card.summary.rpartition(". ")[2]) is not beaten
    assert Training.from_bytes(training.to_bytes()).recipe == recipe
    lines = baselines(model, model.encoder.encode([str(n) for n in NUMBERS]))
    assert lines is not None
    held_out = zip(lines[regression][119:-1], NUMBERS[120:], strict=True)
    errors = [((y - number) / scale["scale"]) ** 2 for y, number in held_out if y is not None]
    assert card.measured[f"squared error of {regression}"] == pytest.approx(np.mean(errors), rel=1e-3)
    assert len(gru.forecast(model, text(NUMBERS[-30:]), 5).forecasts) == 5
    model.save(tmp_path / "own.safetensors")
    copy = load_file(tmp_path / "own.safetensors")
    assert baselines(copy, model.encoder.encode([str(n) for n in NUMBERS])) == lines
    assert copy.encoder == encoder
    assert len(training.checkpoints[-1].report["lags"]) == recipe.schedule.T


def test_regressions_in_a_file_are_untrusted() -> None:
    _, model = trained(most=1)
    wrongs: list[Any] = [{"a": [1]}, {"a": "text"}, {"a": [1, math.nan]}, {str(n): [0, 1] for n in range(9)}, [1]]
    for wrong in wrongs:
        damaged = replace(model, card=replace(model.card, regressions=wrong))
        with pytest.raises(FormatError, match="linear autoregressions"):
            formats.read(damaged.to_bytes(), "own.safetensors")


def test_the_same_series_and_recipe_give_the_same_weights() -> None:
    first, second = (trained(most=20)[0].checkpoints[-1].weights for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        (text(NUMBERS[:99]), "99 numbers: from 100 to 5,000"),
        (text([1, 2] * 2501), "5,002 numbers"),
        (text([*NUMBERS, "n/a", *NUMBERS], "temperature"), "row 152: 'n/a' is not a number"),
        (text([*NUMBERS, "12;5"]), "row 151"),
        (text([*NUMBERS, "", 3]), "row 151 is empty"),
        (text([*NUMBERS, "1e7"]), "row 151.*1,000,000"),
        (text([*NUMBERS, "nan"]), "row 151"),
        (text([7] * 120), "hardly differ"),
        (text(NUMBERS, "n" * 25), "25 characters: use at most 24"),
    ],
)
def test_a_bad_series_is_refused_with_its_row(csv: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read(csv)


def test_windows_must_fit_the_training_part() -> None:
    for T in (ORDER, 121):
        with pytest.raises(Exception, match="120"):
            trained(T=T)
    recipe = trained(T=120, most=1)[0].recipe
    assert task_for(recipe).draw(np.random.default_rng(0), 120, 1).x.shape == (120, 1, 1)
