"""The gruscope census command: its table, CSV and JSON equal the core, for held-out and user-provided sequences."""

from __future__ import annotations

import csv
import io
import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from app.cli import main
from gru_core.presets.recipes import held_out
from tests.support.networks import network_of, random_sequences

TEXTS = ["the film was not good .", "lovely", "dull . very very bad"]


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command and return its standard output."""
    assert main(["census", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_preset_is_counted_over_the_held_out_sequences_of_its_task(capsys: pytest.CaptureFixture[str]) -> None:
    model = gru.load("flip-flop")
    batch = held_out(model)
    assert batch is not None
    (row,) = json.loads(output_of(capsys, "flip-flop", "--json"))
    z = model.forward(batch.x)[0].z
    assert row["z.mean"] == pytest.approx(z.mean())
    assert row["z.closed"] == pytest.approx((z < 0.1).mean())
    assert row["auc"] == 1


def test_the_last_line_is_a_command_that_shows_the_moment_of_the_first_unit(capsys: pytest.CaptureFixture[str]) -> None:
    title, source, count, head, first, *_, command = output_of(capsys, "sentiment", "--most", "3").splitlines()
    assert "1,000 held-out sequences" in title
    assert "AUC" in source
    assert count.startswith("3 of 8 units, sorted by auc")
    unit, *_, t = first.split()
    words = shlex.split(command.partition("gruscope ")[2])
    assert words[words.index("--unit") + 1] == unit
    assert command.startswith(f"see t = {t}:")
    assert main(words) == 0
    assert f"unit {unit} of 8" in capsys.readouterr().out
    assert head.split()[0] == "unit"


@pytest.mark.parametrize("each", [False, True])
def test_a_table_of_sequences_can_have_labels(capsys: pytest.CaptureFixture[str], tmp_path: Path, each: bool) -> None:
    labels = [["-", "a", "-", "b", "b", "a"], ["b"], ["a", "-", "b", "a", "a"]] if each else [["a"], ["b"], ["a"]]
    file = tmp_path / "texts.csv"
    file.write_text(
        "\ufeffsequence,label\n" + "".join(f"{t},{' '.join(m)}\n" for t, m in zip(TEXTS, labels, strict=True))
    )
    given = [[None if label == "-" else label for label in m] for m in labels]
    wanted = gru.census(gru.load("sentiment"), TEXTS, given if each else [m[0] for m in given])
    rows = list(csv.DictReader(io.StringIO(output_of(capsys, "sentiment", str(file), "--csv"))))
    assert [float(row["auc"]) for row in rows] == [unit.auc for unit in wanted]
    turned = json.loads(output_of(capsys, "sentiment", str(file), "--json", "--between", "b,a"))
    assert [1 - row["auc"] for row in turned] == pytest.approx([unit.auc for unit in wanted])


def test_lines_and_standard_input_are_sequences(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n\n".join(TEXTS) + "\n"
    (tmp_path / "texts.txt").write_text(text)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    wanted = gru.census(gru.load("sentiment"), TEXTS).table()
    assert json.loads(output_of(capsys, "sentiment", str(tmp_path / "texts.txt"), "--json")) == wanted
    assert json.loads(output_of(capsys, "sentiment", "-", "--json")) == wanted


@pytest.mark.parametrize("each", [False, True])
def test_arrays_have_lengths_and_labels(capsys: pytest.CaptureFixture[str], tmp_path: Path, each: bool) -> None:
    model, xs = network_of("lstm"), random_sequences((7, 2, 5))
    model.save(tmp_path / "net.safetensors")
    x = np.zeros((7, 3, 3))
    for b, sequence in enumerate(xs):
        x[: len(sequence), b] = sequence
    labels = np.arange(21).reshape(7, 3) % 2 if each else np.array([0, 1, 1])
    lengths = np.array([7, 2, 5])
    counts = {"mask": np.arange(7)[:, None] < lengths} if each else {"lengths": lengths}
    np.savez(tmp_path / "data.npz", x=x, labels=labels, **counts)
    given = [labels[: len(s), b] for b, s in enumerate(xs)] if each else labels
    arguments = [str(tmp_path / "net.safetensors"), str(tmp_path / "data.npz")]
    assert json.loads(output_of(capsys, *arguments, "--json")) == gru.census(model, xs, given).table()
    out = output_of(capsys, *arguments, "--by", "half-life", "--html", str(tmp_path / "c.html"))
    assert "census.trace(" in out.splitlines()[-1]
    assert "L2." in out
    assert (tmp_path / "c.html").read_text().rstrip().endswith("</html>")


FILES = {
    "none.txt": "\n",
    "none.csv": "sequence,label\n",
    "odd.csv": "good,a\nbad\n",
    "one.csv": "good,a\nbad,a\n",
    "unknown.txt": "good\nbad Q\n",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sentiment", "none.txt"], "none.txt: there are no sequences"),
        (["sentiment", "none.csv"], "none.csv: there are no sequences"),
        (["sentiment", "odd.csv"], "odd.csv: line 2: there must be two columns"),
        (["sentiment", "one.csv"], "the sequences have only one label"),
        (["sentiment", "unknown.txt"], "sequence 2, step 2: 'q' is not in this model's alphabet"),
        (["sentiment", "unknown.txt", "--between", "a,b"], "these sequences have no labels"),
        (["sentiment", "--between", "a"], "--between needs two labels"),
        (["sentiment", "--between", "a,b"], "no timestep has the label 'a'"),
        (["sentiment", "nowhere.txt"], "nowhere.txt: No such file"),
        (["nowhere", "none.txt"], "nowhere is neither a file nor a preset"),
        (["net.safetensors"], "this model has no built-in task: give a file of sequences"),
        (["sentiment", "net.safetensors"], "net.safetensors is not text"),
    ],
)
def test_errors_are_one_line_with_exit_code_1(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    network_of("gru").save(tmp_path / "net.safetensors")
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    assert main(["census", *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"gruscope: {message}")
