"""The gruscope trace command: its table, CSV, JSON and NPZ equal the core."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from app.cli import main
from app.errors import Refused
from app.link import read_link
from gru_core import Clamp
from tests.support.networks import network_of, random_sequences, stacked

CLOSED_AT_4 = Clamp("z", 0.0, [0], slice(3, 4))


@pytest.fixture
def two_layers(tmp_path: Path) -> str:
    stacked().save(tmp_path / "stacked.safetensors")
    return str(tmp_path / "stacked.safetensors")


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command and return its standard output."""
    assert main(["trace", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_table_has_a_line_for_each_timestep(capsys: pytest.CaptureFixture[str]) -> None:
    trace = gru.trace(gru.load("flip-flop"), "A m m B")
    title, head, *lines = output_of(capsys, "A m m B").splitlines()
    assert title == "Flip-flop: unit 1 of 1"
    assert head.split() == ["t", "input", "output", "r.1", "z.1", "h_tilde.1", "h.1"]
    for t, line in enumerate(lines):
        step, token, output, *values = line.split()
        assert (int(step), token, output) == (t + 1, "AmmB"[t], "AAAB"[t])
        expected = [getattr(trace, name)[t, 0] for name in ("r", "z", "h_tilde", "h")]
        np.testing.assert_allclose(np.array(values, float), expected, atol=0.0051)
    assert len(lines) == 4


def test_the_table_marks_clamped_values_and_has_the_original_output(capsys: pytest.CaptureFixture[str]) -> None:
    title, head, *lines = output_of(capsys, "--clamp", "z.1@4=0", "A m m B m").splitlines()
    assert title == "Flip-flop: unit 1 of 1; * marks a clamped value"
    assert head.index("output") < head.index("original")
    assert [line.split()[2:4] for line in lines] == [["A", "A"]] * 3 + [["A", "B"]] * 2
    assert [line.count("*") for line in lines] == [0, 0, 0, 1, 0]
    assert "0.00*" in lines[3]


def test_the_table_shows_the_requested_unit_or_the_one_that_moved_most(
    capsys: pytest.CaptureFixture[str], two_layers: str
) -> None:
    moved = np.abs(np.diff(gru.trace(stacked(), "A b c ?").layers[1].h, axis=0, prepend=0)).sum(0)
    out = output_of(capsys, "--model", two_layers, "A b c ?")
    assert out.startswith(f"Store and recall: layer 2 of 2, unit {moved.argmax() + 1} of 6\n")
    out = output_of(capsys, "--model", two_layers, "--layer", "1", "--unit", "3", "A b c ?")
    assert out.startswith("Store and recall: layer 1 of 2, unit 3 of 4\n")


def test_csv_has_every_unit_of_every_layer_without_rounding(
    capsys: pytest.CaptureFixture[str], two_layers: str
) -> None:
    written = output_of(capsys, "--model", two_layers, "--csv", "--clamp", "L2.z.1+3@2-=0.5", "A b c ?")
    rows = list(csv.DictReader(io.StringIO(written)))
    clamped, original = gru.twin(stacked(), "A b c ?", clamps=[Clamp("z", 0.5, [0, 2], slice(1, None), layer=1)])
    assert [row["t"] for row in rows] == list("1234")
    assert [row["input"] for row in rows] == list("Abc?")
    for prefix, trace in (("", clamped), ("twin.", original)):
        for k, label in enumerate("ABCD"):
            assert [float(row[f"{prefix}y.{label}"]) for row in rows] == trace.y[:, k].tolist()
        for layer, run in zip(("", "L2."), trace.layers, strict=True):
            for name in ("r", "z", "h_tilde", "h"):
                for unit in range(run.cell.units):
                    column = [float(row[f"{prefix}{layer}{name}.{unit + 1}"]) for row in rows]
                    assert column == getattr(run, name)[:, unit].tolist()
    assert len(rows[0]) == 2 + clamped.model.encoder.inputs + 2 * (4 + 4 * (4 + 6))
    header, *_ = output_of(capsys, "--model", two_layers, "--csv", "--layer", "2", "--unit", "5", "A b").splitlines()
    inputs = ",".join(f"x.{label}" for label in clamped.model.encoder.labels)
    assert header == f"t,input,{inputs},y.A,y.B,y.C,y.D,L2.r.5,L2.z.5,L2.h_tilde.5,L2.h.5"


def test_csv_of_a_numeric_output_has_no_label(capsys: pytest.CaptureFixture[str]) -> None:
    header, first = output_of(capsys, "--model", "pocket-calculator", "--csv", "=0.3").splitlines()
    y = gru.trace(gru.load("pocket-calculator"), "=0.3").y[0, 0]
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert "output" not in row
    assert float(row["y.value"]) == y
    assert output_of(capsys, "--model", "pocket-calculator", "-0.5 =0.3").splitlines()[3].split()[2] == f"{y:.2f}"


def test_json_equals_to_dict_of_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    clamped, _ = gru.twin(gru.load("flip-flop"), "A m m B m", clamps=[CLOSED_AT_4])
    assert json.loads(output_of(capsys, "--json", "--clamp", "z.1@4=0", "A m m B m")) == clamped.to_dict()


def test_npz_equals_the_saved_trace(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gru.trace(gru.load("sentiment"), "not good").save(tmp_path / "expected.npz")
    out = output_of(capsys, "--model", "sentiment", "--npz", str(tmp_path / "run.npz"), "not good")
    assert out == f"{tmp_path / 'run.npz'}: Trace('Sentiment' of 'not good': T=2, H=8, K=3)\n"
    assert (tmp_path / "run.npz").read_bytes() == (tmp_path / "expected.npz").read_bytes()


def test_a_minus_reads_the_sequence_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("A m\nm B\n"))
    assert main(["trace", "-"]) == 0
    out, err = capsys.readouterr()
    assert out == output_of(capsys, "A m m B")
    assert "2 lines" in err
    monkeypatch.setattr(sys, "stdin", io.StringIO("\nA m m B\n"))
    assert output_of(capsys, "-") == out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A Q"], "step 2: 'Q' is not in this model's alphabet (A B m p s .)"),
        ([""], "the sequence is empty. Symbols: A B m p s ."),
        (["--model", "nowhere", "A"], "nowhere is neither a file nor a preset: choose one of flip-flop, "),
        (["--model", __file__, "A"], "this type of file cannot be read: "),
        (["--clamp", "z.1@0=0", "A"], "clamps count layers, units and timesteps from 1"),
        (["--clamp", "z.1@1=2", "A"], "z cannot be clamped at 2.0: choose from 0 to 1"),
        (
            ["--clamp", "z=7", "A"],
            "clamps must look like z.1@4-6=0 (gate, units, timesteps, value; the value of a gate is from 0 to 1)",
        ),
        (["--model", "net.pt", "A"], "there is no file net.pt here ("),
        (["--clamp", "z.2@1=0", "A"], "unit 2 is not in this layer: choose from 1 to 1"),
        (["--clamp", "z@9=0", "A"], "the clamp on z covers none of the timesteps 1 to 1"),
        (["--clamp", "L2.z@1=0", "A"], "layer 2 is not in this model: choose from 1 to 1"),
        (["--unit", "2", "A"], "unit 2 is not in layer 1: choose from 1 to 1"),
        (["--layer", "2", "A"], "layer 2 is not in this model: choose from 1 to 1"),
        (["--npz", "/nowhere/run.npz", "A"], "/nowhere/run.npz cannot be written: No such file or directory"),
    ],
)
def test_errors_are_one_line_with_exit_code_1(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["trace", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"gruscope: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: sequence"),
        (["--unit", "0", "A"], "layers and units are whole numbers, at least 1"),
        (["--csv", "--json", "A"], "not allowed with argument --csv"),
        (["--json", "--unit", "1", "A"], "--layer and --unit are for the table and --csv"),
    ],
)
def test_wrong_arguments_have_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    try:
        status = main(["trace", *arguments])
    except SystemExit as exit:
        status = int(str(exit.code))
    assert status == 2
    assert message in capsys.readouterr().err


def test_a_closed_pipe_ends_the_command_without_a_message() -> None:
    command = [sys.executable, "-m", "app.cli", "trace", "A " + "m " * 50_000]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"Flip-flop: unit 1 of 1\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z.1@4=0", [Clamp("z", 0.0, [0], slice(3, 4))]),
        ("r.2+3@4-6=0.5", [Clamp("r", 0.5, [1, 2], slice(3, 6))]),
        ("h_prev@5=0", [Clamp("h_prev", 0.0, None, slice(4, 5))]),
        ("L2.z@1-=1", [Clamp("z", 1.0, None, slice(0, None), 1)]),
        ("h_tilde@1=-.5,z@2=1", [Clamp("h_tilde", -0.5, None, slice(0, 1)), Clamp("z", 1.0, None, slice(1, 2))]),
    ],
)
def test_clamps_are_parsed_in_the_form_of_links(text: str, expected: list[Clamp]) -> None:
    assert [body.clamp() for body in read_link({"clamps": text}).clamps] == expected


@pytest.mark.parametrize("text", ["z", "z@=1", "q@1=0", "z@1=", "z.0@1=0", "L0.z@1=0", "z@1-0x=1", "z@1=1e3", "z@1=0,"])
def test_malformed_clamps_are_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"clamps (must look like|count layers)"):
        read_link({"clamps": text})


def test_a_file_of_vectors_is_the_sequence_that_its_numbers_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network_of("gru", inputs=6).save(tmp_path / "net.safetensors")
    [x] = random_sequences([5], inputs=6)
    np.save("x.npy", x)
    Path("x.csv").write_text("\n".join(",".join(map(str, row)) for row in x.tolist()))
    text = " ".join(",".join(map(str, row)) for row in x.tolist())
    whole = json.loads(output_of(capsys, "--model", "net.safetensors", "--json", text))
    for name in ("x.npy", "x.csv"):
        assert json.loads(output_of(capsys, "--model", "net.safetensors", "--json", name)) == whole
    assert "6 numbers" in output_of(capsys, "--model", "net.safetensors", "x.npy")
    np.save("start.npy", x[:2])
    np.save("rest.npy", x[2:])
    rest = json.loads(output_of(capsys, "--model", "net.safetensors", "--json", "--after", "start.npy", "rest.npy"))
    np.testing.assert_allclose(rest["layers"][-1]["h"], whole["layers"][-1]["h"][2:], atol=1e-15)
    np.savez("x.npz", x=x, mask=[1, 1, 0, 1, 0])
    assert main(["trace", "--model", "net.safetensors", "--csv", "x.npz"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 + 3
    assert "2 of 5" in err
    Path("wrong.csv").write_text("1,2,3,4,5,6\n1,2,3,4,5,six\n")
    for name, part in (("wrong.csv", "row 2, column 6"), ("none.npy", "none.npy")):
        assert main(["trace", "--model", "net.safetensors", name]) == 1
        assert part in capsys.readouterr().err


WRITE = ("--model", "name-writer", "--write", "12", "--temperature", "0.8", "--seed", "3")


def test_a_written_run_has_the_letters_that_python_writes(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = gru.write(gru.load("name-writer"), "irish", 12, 0.8, np.random.default_rng(3))
    title, _, *lines = output_of(capsys, *WRITE, "irish").splitlines()
    assert title.endswith("after t = 1")
    assert [line.split()[1] for line in lines] == wanted.trace.tokens
    rows = list(csv.DictReader(io.StringIO(output_of(capsys, *WRITE, "--csv", "irish"))))
    np.testing.assert_array_equal([float(row["h.1"]) for row in rows], wanted.trace.h[:, 0])
    assert json.loads(output_of(capsys, *WRITE, "--json", "irish")) == wanted.trace.to_dict()


def test_a_clamp_writes_another_text_beside_the_original(capsys: pytest.CaptureFixture[str]) -> None:
    model, clamps = gru.load("name-writer"), [Clamp("z", 0.2, None, slice(2, 5))]
    changed = gru.write(model, "irish", 12, 0.8, np.random.default_rng(3), clamps=clamps).written
    original = gru.write(model, "irish", 12, 0.8, np.random.default_rng(3)).written
    _, head, *lines = output_of(capsys, *WRITE, "--clamp", "z@3-5=0.2", "irish").splitlines()
    assert head.split()[:5] == ["t", "input", "original", "input", "output"]
    columns = [line.split()[1:3] for line in lines[1:]]
    for written, column in zip((changed, original), zip(*columns, strict=True), strict=True):
        assert list(column[: len(written)]) == written
    assert len(lines) == 1 + max(len(changed), len(original))


def test_a_written_forecast_starts_from_an_initial_state(capsys: pytest.CaptureFixture[str]) -> None:
    model = gru.load("sunspots")
    after = gru.trace(model, "9.6 33 92.6")
    wanted = gru.forecast(model, "151.6 136.3", 3, after.last)
    arguments = ("--model", "sunspots", "--write", "3", "--after", "9.6 33 92.6", "151.6 136.3")
    assert json.loads(output_of(capsys, *arguments, "--json")) == wanted.trace.to_dict()
    forecasts = [float(line.split()[2]) for line in output_of(capsys, *arguments).splitlines()[3:6]]
    np.testing.assert_allclose(forecasts, wanted.forecasts, atol=0.051)


@pytest.mark.parametrize(
    "arguments", [("--seed", "3", "A m"), ("--model", "names", "--write", "3", "rossi"), ("--write", "-1", "A m")]
)
def test_writing_that_is_not_possible_is_an_error(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["trace", *arguments])
    except SystemExit as error:
        status = int(str(error.code))
    out, err = capsys.readouterr()
    assert (status > 0, out, err != "") == (True, "", True)
