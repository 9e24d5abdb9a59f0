"""The import, check and models commands: output, files and exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import gru_core as gru
from app.cli import main
from app.intake.reading import UploadResult
from app.intake.store import Store
from app.intake.upload import Upload
from app.settings import cache_directory
from gru_core import formats, presets

FIXTURES = Path(__file__).parents[1] / "fixtures"
TAGGER, REFERENCE = FIXTURES / "pytorch-tagger.safetensors", FIXTURES / "pytorch-tagger-reference.npz"
BOTH = FIXTURES / "pytorch-both.safetensors"

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str | Path) -> tuple[int, str, str]:
    """Run a command and return its exit code, stdout and stderr."""
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def test_import_prints_how_it_read_the_file_and_writes_the_model(capsys: Capture, tmp_path: Path) -> None:
    imported, out = formats.read_file(TAGGER), tmp_path / "out.safetensors"
    assert run(capsys, "import", TAGGER) == (0, "\n".join(imported.report) + "\n", "")
    status, stdout, _ = run(capsys, "import", TAGGER, "--out", out, "--json")
    assert status == 0
    entry = json.loads(stdout)
    assert (entry["id"], entry["report"]) == ("pytorch-tagger", list(imported.report))
    example = imported.model.examples[0]
    assert (gru.trace(gru.load(out), example).h == gru.trace(imported.model, example).h).all()
    assert [path.name for path in tmp_path.iterdir()] == ["out.safetensors"]


def test_import_prints_the_question_that_the_file_leaves_open(capsys: Capture) -> None:
    status, out, err = run(capsys, "import", BOTH)
    assert (status, out) == (2, "")
    assert "--answer direction=forward   the half that reads from the first step to the last." in err
    status, out, err = run(capsys, "import", BOTH, "--json")
    assert (status, err) == (2, "")
    assert json.loads(out)["question"]["key"] == "direction"
    assert run(capsys, "import", BOTH, "--answer", "direction=backward")[0] == 0


def test_import_reads_alphabet_and_labels_from_json_files(capsys: Capture, tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    alphabet = [f"w{i}" for i in range(len(formats.read_file(TAGGER).model.encoder.alphabet))]
    names.write_text(json.dumps(alphabet))
    assert json.loads(run(capsys, "import", TAGGER, "--alphabet", names, "--json")[1])["alphabet"] == alphabet
    status, _, err = run(capsys, "import", TAGGER, "--labels", names)
    assert status == 1
    assert "7 labels were given, but 4 are needed" in err
    for wrong, message in (("{}", "must contain a JSON list of strings"), ("[", "could not be read as JSON")):
        names.write_text(wrong)
        with pytest.raises(SystemExit, match="2"):
            main(["import", str(TAGGER), "--alphabet", str(names)])
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["import", str(TAGGER), "--alphabet", str(tmp_path / "none.json")])
    assert "none.json cannot be read: No such file or directory" in capsys.readouterr().err


def test_import_reports_files_that_it_cannot_read_or_write(capsys: Capture, tmp_path: Path) -> None:
    pickle = tmp_path / "model.pt"
    pickle.write_bytes(b"\x80\x02}.")
    status, out, err = run(capsys, "import", pickle)
    assert (status, out) == (1, "")
    assert "this is a pickle, which can run anybody's code" in err
    assert run(capsys, "import", "nope")[::2] == (1, "gruscope: nope cannot be read: No such file or directory\n")
    assert run(capsys, "import", TAGGER, "--out", tmp_path)[0] == 1
    with pytest.raises(SystemExit, match="2"):
        main(["import", str(TAGGER), "--answer", "forward"])
    assert "an answer must have the form KEY=VALUE" in capsys.readouterr().err


def test_check_has_exit_code_0_if_it_passes_1_with_a_cause_and_2_without_a_comparison(capsys: Capture) -> None:
    status, out, _ = run(capsys, "check", TAGGER, "--reference", REFERENCE)
    assert (status, out.startswith("parity check passed: h of layer 1 differs by")) == (0, True)
    wrong = ["check", TAGGER, "--reference", REFERENCE, "--answer", "order=z,r,h"]
    status, out, _ = run(capsys, *wrong)
    assert status == 1
    assert "But with gate order r, z, h it matches to" in out
    report = json.loads(run(capsys, *wrong, "--json")[1])
    assert set(report) == {
        "passed", "tolerance", "differences", "gates", "precision", "cause", "cause_name", "remedy", "text",
    }  # fmt: skip
    for arguments, message in (
        ((TAGGER, "--reference", FIXTURES / "haiku-reference.npz"), "x in the reference has the shape"),
        ((TAGGER, "--reference", "nope.npz"), "nope.npz cannot be read"),
        ((BOTH, "--reference", REFERENCE), "--answer direction=forward"),
    ):
        status, out, err = run(capsys, "check", *arguments)
        assert (status, out) == (2, "")
        assert message in err


def test_check_compares_two_files(capsys: Capture, tmp_path: Path) -> None:
    onnx = FIXTURES / "pytorch-tagger.onnx"
    status, out, _ = run(capsys, "check", TAGGER, onnx)
    assert (status, out.startswith("parity check passed: ")) == (0, True)
    assert run(capsys, "check", TAGGER, REFERENCE)[0] == 0  # a reference file is recognized by its arrays
    status, out, _ = run(capsys, "check", TAGGER, onnx, "--second-answer", "reset=before", "--json")
    report = json.loads(out)
    assert (status, report["passed"], report["cause_name"]) == (1, False, "reset gate")
    assert {"PyTorch", "Keras", "ONNX", "linear_before_reset=1"} <= set(re.findall(r"[\w=]+", report["remedy"]))
    assert {gate["name"] for gate in report["gates"]} >= {"r_l0", "z_l0", "h_tilde_l0"}
    status, out, err = run(capsys, "check", BOTH, BOTH, "--answer", "direction=forward")
    assert (status, out) == (2, "")
    assert "--second-answer direction=backward" in err
    both = ["check", BOTH, BOTH, "--answer", "direction=forward", "--second-answer"]
    assert run(capsys, *both, "direction=forward")[0] == 0
    assert run(capsys, *both, "direction=backward")[0] == 1
    for arguments in ((TAGGER,), (TAGGER, onnx, "--reference", REFERENCE)):
        with pytest.raises(SystemExit) as error:
            run(capsys, "check", *arguments)
        assert error.value.code == 2


def test_models_lists_presets_the_models_directory_and_uploads(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    gru.load("sentiment").save(tmp_path / "served" / "mine.safetensors")
    monkeypatch.setenv("GRUSCOPE_MODELS", str(tmp_path / "served"))
    monkeypatch.setenv("GRUSCOPE_UPLOADS", str(tmp_path / "kept"))
    store, imported = Store(tmp_path / "kept", 10, 10**7), formats.read_file(TAGGER)
    complete, incomplete = Upload(TAGGER.read_bytes(), "x"), Upload(BOTH.read_bytes(), "x")
    store.put(complete, UploadResult(imported.report, imported.model))
    store.put(incomplete, UploadResult(question={"key": "direction"}))
    status, out, err = run(capsys, "models")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [*presets.SHIPPED, "mine", complete.id]
    monkeypatch.setenv("GRUSCOPE_MAX_UNITS", "7")
    assert "mine: this model has 8 units in a layer; at most 7" in run(capsys, "models")[2]
    monkeypatch.delenv("GRUSCOPE_MAX_UNITS")
    listed = json.loads(run(capsys, "models", "--json")[1])
    assert [entry["from"] for entry in listed] == ["preset"] * len(presets.SHIPPED) + ["served", "uploaded"]


def test_the_cache_directory_follows_the_convention_of_each_system(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path.home()
    assert cache_directory({"XDG_CACHE_HOME": "/x"}, "linux") == Path("/x/gruscope")
    assert cache_directory({}, "linux") == home / ".cache" / "gruscope"
    assert cache_directory({}, "darwin") == home / "Library" / "Caches" / "gruscope"
    assert cache_directory({"LOCALAPPDATA": "/local"}, "win32") == Path("/local/gruscope")
