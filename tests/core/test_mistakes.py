"""Plausible mistakes in Python code raise an error that says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gru_core as gru
from tests.support.networks import stacked

X = np.zeros((4, 6))


class Tensor:
    """A stand-in for a torch tensor that requires gradients, with the attribute that `trace` checks."""

    requires_grad = True


class Packed:
    """A stand-in for torch's packed sequences, with the attribute that `trace` checks."""

    batch_sizes = (1,)


class Module:
    """A stand-in for a torch module, with the method that `load` checks."""

    def state_dict(self) -> dict[str, Any]:
        return {}


def with_nan() -> Any:
    x = X.copy()
    x[2, 1] = np.nan
    return x


def flip_flop() -> gru.Model:
    return gru.load("flip-flop")


def run(sequence: Any = "A m B", **options: Any) -> gru.Trace:
    return gru.trace(flip_flop(), sequence, **options)


MISTAKES: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "a number is missing": (lambda: run(with_nan()), ("step 3", "input 2 is NaN")),
    "tokens in a list": (lambda: run(["A", "m"]), ('" ".join(tokens)',)),
    "a batch": (lambda: run(np.zeros((4, 2, 6))), ("(4, 2, 6)", "(T, 6)", "gru.trace_batch")),
    "time second": (lambda: run(X.T), ("(6, 4)", "x.T")),
    "symbols by number": (lambda: run(np.array([0, 2, 1])), ("(3,)", "model.encoder.vectors")),
    "rows of different lengths": (lambda: run([[0.0] * 6, [1.0]]), ("(T, 6)",)),
    "a tensor with gradients": (lambda: run(Tensor()), ("x.detach()",)),
    "packed sequences": (lambda: run(Packed()), ("gru.trace_batch",)),
    "a name in place of a model": (lambda: gru.trace("flip-flop", "A m"), ("str", "gru.load")),  # type: ignore[arg-type]
    "a module in place of a model": (lambda: gru.census(Module(), ["A"]), ("Module", "from_torch")),  # type: ignore[arg-type]
    "a unit that is not there": (lambda: run().ledger(9), ("unit=9", "0 to 0")),
    "a timestep that is not there": (lambda: run().sensitivity(t=50), ("t=50", "0 to 2")),
    "an output that is not there": (lambda: run().sensitivity(0, output=2), ("output=2", "0 to 1")),
    "a layer that is not there": (lambda: run().figure(layer=9), ("layer=9", "0 to 0")),
    "PyTorch's name of the candidate": (lambda: gru.Clamp("n", 0.0), ("'n'", "h_tilde")),
    "steps as a list": (lambda: gru.Clamp("z", 0.0, steps=[0, 2]), ("slice(2, 5)", "mask")),  # type: ignore[arg-type]
    "a clamp without its list": (lambda: run(clamps=gru.Clamp("z", 0.5)), ("clamps=[…]",)),
    "a state without its list": (lambda: run(h0=np.zeros(1)), ("list", "[h0]")),
    "a state that is one number": (lambda: run(h0=0.5), ("list", "[(1,)]")),
    "states in place of a trace": (lambda: run(after=run().last), ("h0=trace.last",)),
    "two initial states": (lambda: run(h0=[np.zeros(1)], after=run()), ("h0", "after")),
    "the trace of another model": (lambda: run(after=gru.trace(stacked(), "A b")), ("[(4,), (6,)]", "[(1,)]")),
    "a module as a path": (lambda: gru.load(Module()), ("Module", "gru.from_torch(module)")),  # type: ignore[arg-type]
    "a torch module as a Keras layer": (lambda: gru.from_keras(Module()), ("Module", "gru.from_torch(module)")),
    "a file that is not there": (lambda: gru.load("net.pt"), ("net.pt",)),
    "a preset with another name": (lambda: gru.load("flipflop"), ("flip-flop?",)),
    "a checkpoint, not its state dict": (lambda: gru.load({"model": {}}), ("'model'", "weights")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_error_names_the_place_and_the_remedy(mistake: str) -> None:
    make, parts = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as error:
        make()
    assert not [part for part in parts if part not in str(error.value)], str(error.value)


def test_a_missing_file_is_not_answered_with_a_list_of_presets() -> None:
    with pytest.raises(FileNotFoundError) as error:
        gru.load("net.pt")
    assert not [name for name in gru.presets.NAMES if name in str(error.value)]
