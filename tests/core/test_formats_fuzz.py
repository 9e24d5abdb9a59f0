"""A small part of the mutated files that `python -m benchmarks.fuzz` reads in large numbers."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import fuzz


@pytest.mark.parametrize("kind", fuzz.ENDINGS)
def test_500_mutated_files_give_a_model_or_a_formaterror(kind: str) -> None:
    originals = fuzz.files(kind)
    assert [fuzz.outcome(data) for data in originals] == ["model"] * len(originals)
    outcomes = Counter(fuzz.outcome(fuzz.mutant(kind, originals, 1, number)) for number in range(500))
    assert set(outcomes) == {"model", "refused"}


def test_the_same_seed_gives_the_same_mutants() -> None:
    originals = fuzz.files("npz")
    assert fuzz.mutant("npz", originals, 5, 7) == fuzz.mutant("npz", originals, 5, 7)
    assert fuzz.mutant("npz", originals, 5, 7) != fuzz.mutant("npz", originals, 6, 7)


def test_a_stopped_run_continues_and_reports_the_mutant_that_crashed_it(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "benchmarks.fuzz", "--format", "safetensors", "--state", str(state), "--count"]
    first = subprocess.run([*command, "30"], capture_output=True, text=True, check=True)
    assert "of 30 mutants, 0 findings" in first.stdout
    again = subprocess.run([*command, "50"], capture_output=True, text=True, check=True)
    assert "of 50 mutants, 0 findings" in again.stdout
    state.with_suffix(".started").write_text("55\n")  # as after a crash in mutant 55
    crashed = subprocess.run([*command, "60"], capture_output=True, text=True, check=False)
    assert crashed.returncode == 1
    assert "of 60 mutants, 1 findings" in crashed.stdout
    assert '"mutant": 55' in state.read_text()
