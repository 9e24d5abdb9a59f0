"""Initial weights: their distributions, and how much of a gradient they pass across a gap of timesteps."""

from __future__ import annotations

import numpy as np
import pytest

from gru_core.cells.cell import Cell
from gru_core.cells.initial import initial

H = 16


def test_keras_weights_are_orthogonal_with_a_forget_bias_of_1() -> None:
    rng = np.random.default_rng(0)
    for name, gates in (("rnn", 1), ("lstm", 4), ("gru", 3)):
        cell = initial(name, 3, 5, rng, "keras")
        np.testing.assert_allclose(cell.U.T @ cell.U, np.eye(5), atol=1e-12)
        assert np.abs(cell.W).max() <= np.sqrt(6 / (3 + 5 * gates))
        for gate, b in cell.biases.items():
            np.testing.assert_array_equal(b, 1 if gate == "f" else 0)


def test_chrono_spreads_the_kept_share_from_a_half_to_1_minus_1_over_t_max() -> None:
    rng = np.random.default_rng(0)
    b = initial("lstm", 1, 4000, rng, "chrono", 50).biases
    np.testing.assert_array_equal(b["i"], -b["f"])
    z = initial("gru", 1, 4000, rng, "chrono", 50).biases["z"]
    for keep in (1 / (1 + np.exp(-b["f"])), 1 - 1 / (1 + np.exp(-z))):
        assert keep.min() == pytest.approx(0.5, abs=0.01)
        assert keep.max() == pytest.approx(49 / 50, abs=0.001)
        # 1 / (1 − keep) − 1 is uniform from 1 to T_max − 1 = 49, with the mean 25.
        assert np.mean(1 / (1 - keep) - 1) == pytest.approx(25, abs=1)


def gradient_over_a_gap(cell: Cell, gap: int, rng: np.random.Generator) -> float:
    """Return ‖∂L/∂x‖ at the first timestep divided by ‖∂L/∂x‖ at the last, for a random gradient at the last state."""
    x = np.eye(cell.inputs)[rng.integers(cell.inputs, size=(gap + 1, 4))]
    run = cell.forward(x)
    dh = np.zeros_like(run.h)
    dh[-1] = rng.normal(size=dh[-1].shape)
    norms = np.linalg.norm(run.backward(dh).x, axis=-1).mean(-1)
    return float(norms[0] / norms[-1])


def cell_of(kind: str, gap: int, rng: np.random.Generator) -> Cell:
    """Return a random cell for the row `kind` of TABLE. Biases that the row does not name are 0."""
    name, how = kind.split(" ")
    cell = initial(name, 6, H, rng, "chrono" if how == "chrono" else "pytorch", gap if how == "chrono" else None)
    b = {gate: b if how == "chrono" and gate in "zfi" else 0 * b for gate, b in cell.biases.items()}
    if how == "orthogonal":
        cell = cell.with_parameters({"U": initial("rnn", 6, H, rng, "keras").U})
    if how.startswith("b"):
        gate, value = how[2:].split("=")
        b[gate] = b[gate] + float(value)
    return cell.with_parameters({"b": np.concatenate([*b.values()])})


# Measured gradients over gaps of 50, 100 and 200 steps, for untrained cells of 16 units.
TABLE = {
    "rnn plain": (6e-11, 1e-20, 3e-40), "rnn orthogonal": (1e-2, 1e-4, 2e-8),
    "lstm b_f=0": (7e-10, 2e-18, 8e-36), "lstm b_f=1": (1e-3, 6e-6, 1e-10), "lstm chrono": (7e-2, 6e-2, 3e-2),
    "gru b_z=0": (2e-11, 6e-22, 2e-42), "gru b_z=-1": (3e-6, 4e-11, 4e-21), "gru chrono": (2e-2, 2e-2, 1e-2),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLE)
def test_the_gradient_over_a_gap_equals_the_measured_one(kind: str) -> None:
    """Each stored number comes from one random network. It must be within a factor of 10 of the range of 24 networks.

    Over 200 steps, plain RNNs differ by 8 orders of magnitude, and networks with chrono biases by less than one.
    """
    for gap, measured in zip((50, 100, 200), TABLE[kind], strict=True):
        draws = [
            np.log10(gradient_over_a_gap(cell_of(kind, gap, rng), gap, rng))
            for rng in map(np.random.default_rng, range(24))
        ]
        assert min(draws) - 1 <= np.log10(measured) <= max(draws) + 1
        if kind.endswith(("chrono", "orthogonal")):
            assert np.median(draws) == pytest.approx(np.log10(measured), abs=1)


def test_only_chrono_biases_keep_a_gradient_over_200_steps() -> None:
    """In a GRU with b_z = 0 the gradient vanishes as in a plain RNN. With chrono biases it reaches across 200 steps."""

    def median(kind: str) -> float:
        rngs = map(np.random.default_rng, range(12))
        return float(np.median([gradient_over_a_gap(cell_of(kind, 200, rng), 200, rng) for rng in rngs]))

    assert median("gru b_z=0") < 1e-30
    assert median("lstm b_f=0") < 1e-30
    assert median("gru chrono") > 1e-3
    assert median("lstm chrono") > 1e-3


def test_errors_for_unknown_initializations_list_the_known_ones() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"'elman' .* gru, lstm, rnn"):
        initial("elman", 2, 2, rng)
    with pytest.raises(ValueError, match=r"'he' .* pytorch, keras, chrono"):
        initial("gru", 2, 2, rng, "he")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="T_max of at least 3"):
        initial("gru", 2, 2, rng, "chrono")
    with pytest.raises(ValueError, match="RNN cells have no gates"):
        initial("rnn", 2, 2, rng, "chrono", 20)
