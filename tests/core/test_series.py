"""Forecasts of a series: the held-out numbers, the baselines, and the scaling of the sunspot numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from gru_core.encoder import encoder_from_dict
from gru_core.encoders.vectors import Scaled
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.presets.training import train
from gru_core.training.series import ORDER, Series, baseline_forecasts
from gru_core.training.tasks import FORECASTS, SUNSPOTS


def test_the_training_windows_have_no_held_out_number() -> None:
    series = Series(np.arange(60.0), 40)
    x = series.windows(np.random.default_rng(0), 30, 500)
    assert (x.min(), x.max()) == (0, 39)
    np.testing.assert_array_equal(np.diff(x[..., 0], axis=0), 1)
    with pytest.raises(ValueError, match="40"):
        series.windows(np.random.default_rng(0), 41, 1)


def test_each_held_out_number_is_the_answer_of_one_forecast() -> None:
    batch = fresh(PRESETS["sunspots"].recipe)
    np.testing.assert_array_equal(batch.target[batch.scored], SUNSPOTS.values[221:])
    assert int(np.flatnonzero(batch.scored[:, 0])[0]) == ORDER - 1


def test_an_autoregression_forecasts_an_autoregressive_series_exactly() -> None:
    values = [0.3, 1.0]
    for _ in range(98):
        values.append(0.2 + 1.6 * values[-1] - 0.9 * values[-2])
    series = Series(np.array(values), 60)
    np.testing.assert_allclose(series.autoregression(2), [-0.9, 1.6, 0.2])
    (forecast,) = [
        y for name, y in baseline_forecasts(series.values, {"2": series.autoregression(2)}).items() if name == "2"
    ]
    assert np.isnan(forecast[0])
    np.testing.assert_allclose(forecast[1:-1], series.values[2:])
    assert series.baselines["last value"] == pytest.approx(np.mean(np.diff(values)[59:] ** 2))


def test_the_card_has_the_errors_of_the_model_and_of_the_baselines() -> None:
    model = gru.load("sunspots")
    years = SUNSPOTS.values[201:]
    forecast = gru.trace(model, years[:, None]).y[ORDER - 1 : -1, 0]
    measured = model.card.measured
    assert measured["squared error"] == pytest.approx(np.mean((forecast - years[ORDER:]) ** 2), rel=1e-3)
    assert measured["squared error"] < measured["squared error of last value"] / 2
    for name, error in SUNSPOTS.baselines.items():
        assert measured[f"squared error of {name}"] == pytest.approx(error, rel=1e-3)
        not_beaten = model.card.summary.rpartition("Baselines")[2].rpartition(". ")[2]
        assert (name in not_beaten) == (error <= measured["squared error"])


def test_sunspot_numbers_are_written_as_they_are_and_read_divided_by_100(tmp_path: Path) -> None:
    encoder = FORECASTS["sunspots"].encoder
    x = encoder.encode(encoder.tokens("151.6 0"))
    np.testing.assert_allclose(x, [[1.516], [0]])
    assert encoder.write(x) == "151.6 0"
    gru.load("sunspots").save(tmp_path / "copy.safetensors")
    assert gru.load(tmp_path / "copy.safetensors").encoder == encoder


def test_a_free_run_reads_its_own_forecasts() -> None:
    model = gru.load("sunspots")
    run = gru.forecast(model, "9.6 33 92.6 151.6", 5)
    assert (run.given, len(run.forecasts)) == (4, 5)
    y = 100 * gru.trace(model, run.text).y[:, 0]
    np.testing.assert_allclose(run.forecasts, y[3:-1], atol=0.0051)
    assert gru.forecast(model, run.text, 0).text == run.text
    with pytest.raises(ValueError, match="forecasts no series"):
        gru.forecast(gru.load("running-total"), "=0.1", 1)
    with pytest.raises(ValueError, match="-1"):
        gru.forecast(model, "1", -1)


def test_a_shifted_scale_is_undone_when_numbers_are_written() -> None:
    encoder = Scaled(1, scale=2.5, shift=-40, unit="°C")
    x = encoder.encode(encoder.tokens("-40 12.25"))
    np.testing.assert_allclose(x, [[0], [20.9]])
    assert encoder.write(x) == "-40 12.25"
    assert encoder_from_dict(encoder.to_dict()) == encoder


@pytest.mark.parametrize("name", ["sunspots", "sunspots-lstm", "sunspots-rnn"])
def test_the_recipe_gives_the_shipped_model(name: str) -> None:
    *_, last = train(PRESETS[name])
    shipped = gru.load(name).parameters
    # Another processor may round differently. On the processor that trained the model, the difference is 0.
    for name, array in last.model.parameters.items():
        np.testing.assert_allclose(array, shipped[name], atol=1e-6)
