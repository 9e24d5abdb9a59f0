"""The types and completions that users of the library get: `mypy --strict` checks a user's script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gru_core as gru
from gru_core.cells.named import Signals
from gru_core.cells.registry import CELLS

pytest.importorskip("mypy")

SCRIPT = """
import gru_core as gru
import numpy as np

model = gru.load("flip-flop")
trace = gru.trace(model, "A m m B", clamps=[gru.Clamp("z", 0.5, units=0, steps=1)])
gates: list[float] = trace.z[:, 0].tolist()
below = trace.layers[0].z
h_tilde = trace.layers[-1].h_tilde.mean(0)
gru.trace(model, [[1.0, 0, 0, 0, 0, 0]], h0=[[0.5]])
rest = gru.trace(model, np.zeros((3, 6)), after=trace)
batch = gru.trace_batch(model, ["A m", [[0.0] * 6], np.zeros((3, 6))])
first: gru.Trace = batch[0]
lengths: list[int] = batch.lengths.tolist()
census = gru.census(model, ["A m B", "B m"], labels=["yes", "no"])
units: list[int] = [row.unit for row in census]
version: str = gru.__version__
state = gru.load({"weight_ih_l0": np.zeros((6, 2))}, reset="after")
"""

WRONG = {
    "trace.nonsense": "attr-defined",
    "trace.layers[0].nonsense": "attr-defined",
    "batch.nonsense": "attr-defined",
    "gru.trace(model, 'A', clamps=gru.Clamp('z', 0.5))": "arg-type",
    "gru.nonsense": "attr-defined",
}


def test_a_users_script_passes_mypy_strict_and_wrong_names_do_not(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(SCRIPT)
    bad.write_text(SCRIPT + "\n".join(WRONG))
    root = str(Path(gru.__file__).parents[1])
    # mypy reports no errors inside an installed library. `make check` reports errors in the library itself.
    options = ["--strict", "--follow-imports=silent", "--config-file=", f"--cache-dir={tmp_path}"]
    command = [sys.executable, "-m", "mypy", *options]
    run = subprocess.run(
        [*command, str(good), str(bad)], capture_output=True, text=True, env=os.environ | {"MYPYPATH": root}
    )
    errors = [line for line in run.stdout.splitlines() if ": error: " in line]
    assert not [line for line in errors if not line.startswith(str(bad))]
    assert [line.rpartition("[")[2].rstrip("]") for line in errors] == list(WRONG.values())


def test_an_editor_completes_the_signals_of_a_trace() -> None:
    trace = gru.trace(gru.load("flip-flop"), "A m")
    assert {"r", "z", "h_tilde", "h", "y", "layers", "ledger"} <= set(dir(trace))
    assert "c" not in dir(trace)
    assert set(gru.__all__) <= set(dir(gru))


def test_the_typed_signals_are_those_of_all_cells() -> None:
    source = Path(str(sys.modules[Signals.__module__].__file__)).read_text()
    assert all(f"def {signal}(self) -> Array" in source for cell in CELLS.values() for signal in cell.signals)


def test_help_shows_how_to_call_the_main_functions() -> None:
    for function in (gru.trace, gru.trace_batch, gru.census, gru.load, gru.from_torch):
        assert f"{function.__name__}(" in str(function.__doc__)
