"""Reading uploaded files in a child process with time and memory limits: a bad file does not harm the server."""

from __future__ import annotations

import gc
import io
import os
import sys
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import save

from app.assets import compress
from app.errors import Refused
from app.intake import reading
from app.intake.upload import Upload
from app.main import create_app
from app.settings import Settings
from gru_core import formats
from gru_core.formats import LIMITS
from tests.support.clients import client_with_uploads
from tests.support.files import FIXTURES, torch_layer

BARE = Upload((FIXTURES / "pytorch-bare.npz").read_bytes(), "bare.npz")


def files_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def child_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Make the child process run `code` after it has set its limits."""
    script = tmp_path / "child.py"
    script.write_text(
        f"import sys\nfrom app.intake.child import MEMORY, _limit\nsys.stdin.buffer.read()\n_limit(1, MEMORY)\n{code}\n"
    )
    popen = reading.subprocess.Popen
    monkeypatch.setattr(reading.subprocess, "Popen", lambda command, **how: popen([sys.executable, str(script)], **how))


@pytest.mark.parametrize("file", ["pytorch-tagger.safetensors", "pytorch-tagger.onnx", "keras-tagger.keras"])
def test_a_child_reads_and_checks_a_file_as_this_process_does(file: str) -> None:
    upload = Upload((FIXTURES / file).read_bytes(), file)
    in_child, in_process = reading.read(upload, LIMITS), formats.read(upload.data, file)
    assert in_child.report == in_process.report
    assert in_child.model is not None
    for name, array in in_process.model.parameters.items():
        np.testing.assert_array_equal(in_child.model.parameters[name], array)
    reference = (FIXTURES / f"{file.split('.')[0]}-reference.npz").read_bytes()
    assert reading.check(upload, LIMITS, reference)["passed"]


def test_an_upload_and_its_check_write_only_to_the_folder_of_uploads(tmp_path: Path) -> None:
    before = files_in(Path.cwd())
    with client_with_uploads(tmp_path / "a" / "kept") as client:
        response = client.post("/api/models", content=BARE.data)
        id = response.json()["model"]["id"]
        reference = (FIXTURES / "pytorch-bare-reference.npz").read_bytes()
        assert client.post(f"/api/models/{id}/check", content=reference).json()["passed"]
        assert client.post("/api/models", content=b"PK").status_code == 422
    assert files_in(tmp_path) == {tmp_path / "a", tmp_path / "a" / "kept", tmp_path / "a" / "kept" / f"{id}.upload"}
    assert {path for path in files_in(Path.cwd()) - before if not {"__pycache__", ".git"} & set(path.parts)} == set()


@pytest.mark.parametrize(
    "code",
    ["while True: pass", "bytearray(2**30)", "import os; os.kill(os.getpid(), 9)", "sys.exit(3)", "pass"],
    ids=["too long", "too much memory", "killed", "failed", "silent"],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no limit for memory")
def test_a_child_that_fails_is_reported_as_an_unreadable_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    child_that(monkeypatch, tmp_path, code)
    for call in (lambda: reading.read(BARE, LIMITS), lambda: reading.check(BARE, LIMITS, b"")):
        with pytest.raises(Refused, match="could not be read within ") as error:
            call()
        assert (error.value.status, error.value.code) == (422, "limits")


def test_a_child_that_hangs_is_stopped_at_the_time_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child_that(monkeypatch, tmp_path, "import time; time.sleep(100)")
    monkeypatch.setattr(reading, "TIMEOUT", 0)
    with pytest.raises(Refused, match="could not be read within "):
        reading.read(BARE, LIMITS)


def test_a_child_cannot_write_files_and_gets_no_environment_of_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRUSCOPE_SECRET", "x")
    target = tmp_path / "written"
    script = f"""
import json, os
assert "GRUSCOPE_SECRET" not in os.environ
assert os.listdir() == []
assert os.getpriority(os.PRIO_PROCESS, 0) > {os.getpriority(os.PRIO_PROCESS, 0)}
try:
    with open({str(target)!r}, "w") as file:
        file.write("x")
except OSError:
    print(json.dumps({{"error": "as it should be"}}))
"""
    child_that(monkeypatch, tmp_path, script)
    with pytest.raises(Refused, match="as it should be"):
        reading.read(BARE, LIMITS)
    assert target.stat().st_size == 0


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def packed(megabytes: int) -> bytes:
    """Return a zip file that contains `megabytes` MiB of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(8):
            archive.writestr(f"{i}.npy", bytes(megabytes * 2**17))
    return file.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="this is how Linux counts memory")
@pytest.mark.parametrize("make", [lambda: packed(300), lambda: packed(60), lambda: os.urandom(20 * 2**20)])
def test_refused_uploads_do_not_raise_the_servers_memory(tmp_path: Path, make: Callable[[], bytes]) -> None:
    with client_with_uploads(tmp_path) as client:
        content = make()
        compress().join()  # compression at the start takes memory too
        assert client.post("/api/models", content=content).status_code == 422  # loads the modules that stay in memory
        before = resident()
        for _ in range(2):
            assert client.post("/api/models", content=content).status_code == 422
        assert resident() - before < 8e6


def test_two_files_are_read_at_once_eight_wait_and_more_get_status_429(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at_once, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    def run(request: bytes, folder: str, seconds: int) -> tuple[int, bytes]:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        go.wait(30)
        with lock:
            at_once -= 1
        return 0, b'{"error": "x"}\n'

    monkeypatch.setattr(reading, "_run", run)
    # Each visitor uploads from its own thread. All visitors share one client of one application.
    with TestClient(create_app(Settings(uploads=str(tmp_path)))) as client, ThreadPoolExecutor(13) as visitors:
        waiting = [visitors.submit(client.post, "/api/models", content=bytes(i + 1)) for i in range(13)]
        refused = []
        while len(refused) < 3:
            refused = [upload.result() for upload in waiting if upload.done()]
        go.set()
        statuses = [upload.result().status_code for upload in waiting]
    assert sorted(statuses) == [422] * 10 + [429] * 3
    assert most == 2
    assert refused[0].headers["retry-after"] == "5"
    assert "too many files are being read at the moment" in refused[0].json()["error"]["message"]


def test_the_limit_of_units_also_applies_to_uploads(tmp_path: Path) -> None:
    file = save(torch_layer(np.random.default_rng(0), 3, 257))
    for most, status in ((256, 422), (257, 201)):
        with client_with_uploads(tmp_path / str(most), max_units=most) as client:
            assert client.post("/api/models", content=file).status_code == status
