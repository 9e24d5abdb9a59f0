"""The gruscope command, run in its own process."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import gru_core as gru
from app.cli import COMMANDS, main
from gru_core import presets
from tests.support.commands import GRUSCOPE, exit_code, serving


def test_serve_reports_a_port_in_use_and_takes_another() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with serving("serve", "--port", str(port), "--no-browser") as (_, output, url):
            assert f"port {port} is taken; using" in output
            assert json.load(urllib.request.urlopen(f"{url}healthz")) == {"status": "ok"}


def test_gruscope_without_a_command_runs_serve() -> None:
    with serving("--no-browser", "--port", "0") as (_, _, url):
        assert b"GRU Scope" in urllib.request.urlopen(url).read()


def test_sigterm_stops_the_server_within_8_seconds_while_a_client_does_not_read_its_stream() -> None:
    body = json.dumps({"model": "sentiment", "sequence": "good " * 2000}).encode()
    with serving("serve", "--port", "0", "--no-browser") as (process, _, url):
        host, port = re.findall(r"//([\d.]+):(\d+)", url)[0]
        visitor = socket.socket()
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        visitor.connect((host, int(port)))
        head = [
            "POST /api/trace HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/json",
            "Accept: text/event-stream",
        ]
        visitor.sendall("\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        assert visitor.recv(200).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        assert time.monotonic() - start < 8  # the grace period is 3 s; a busy machine takes longer
        visitor.close()


def test_serve_stores_uploads_in_the_cache_directory_and_refuses_them_if_read_only(cache: Path) -> None:
    content = (Path(__file__).parents[1] / "fixtures" / "pytorch-bare.npz").read_bytes()
    with serving("serve", "--port", "0", "--no-browser") as (_, _, url):
        request = urllib.request.Request(f"{url}api/models?name=bare.npz", content, method="POST")
        id = json.load(urllib.request.urlopen(request))["model"]["id"]
    assert [path.name for path in (cache / "gruscope" / "uploads").glob("*.upload")] == [f"{id}.upload"]
    with serving("serve", "--port", "0", "--no-browser", "--read-only") as (_, _, url):
        assert json.load(urllib.request.urlopen(f"{url}api/models/{id}"))["id"] == id
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{url}api/models", content)


def test_uvicorn_can_run_the_factory() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(3000):
            try:
                status = urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").status
                break
            except OSError:
                time.sleep(0.1)
        assert status == 200
    finally:
        process.terminate()
        process.wait()


def test_train_reproduces_the_card_of_a_preset(tmp_path: Path) -> None:
    out = tmp_path / "again.safetensors"
    run = subprocess.run([*GRUSCOPE, "train", "flip-flop", "--out", str(out)], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout == f"{out}: {gru.load('flip-flop').card.summary}\n"
    assert gru.load(out).card.training == gru.load("flip-flop").card.training


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nope"], "nope is neither a link"),
        (["serve", "--port", "x"], "a port is a whole number from 0 to 65535"),
    ],
)
def test_wrong_arguments_end_with_exit_code_2_and_a_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MAX_STEPS", "no", "GRUSCOPE_MAX_STEPS must be a whole number above 0"),
        ("MODELS", "nowhere", "GRUSCOPE_MODELS: nowhere is not a directory"),
        ("LESSONS", "nowhere", "GRUSCOPE_LESSONS: nowhere is not a directory"),
        ("READ_ONLY", "maybe", "GRUSCOPE_READ_ONLY must be 0 or 1"),
        ("UPLOADS", "/dev/null", "GRUSCOPE_UPLOADS: /dev/null cannot be used: File exists"),
    ],
)
def test_a_bad_setting_ends_with_a_message_and_no_traceback(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"GRUSCOPE_{name}", value)
    assert main(["--no-browser"]) == 1
    assert capsys.readouterr().err == f"gruscope: {message}\n"


def test_version_prints_the_version_of_the_library() -> None:
    run = subprocess.run([*GRUSCOPE, "--version"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, f"gruscope {gru.__version__}\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["tr"], {"trace", "train"}),
        (["--v"], {"--version"}),
        (["census", "senti"], {name for name in presets.SHIPPED if name.startswith("senti")}),
        (["trace", "--model", "pocket-calculator-l"], {"pocket-calculator-lstm"}),
        (["completion", "z"], {"zsh"}),
        (["lesson", "p"], {"preview"}),
    ],
)
def test_bash_completes_commands_options_and_presets(
    words: list[str], wanted: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    line = " ".join(["gruscope", *words])
    script = f"{capsys.readouterr().out}COMP_WORDS=({line}); COMP_CWORD={len(words)}; _gruscope; echo ${{COMPREPLY[@]}}"
    assert set(subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()) == wanted


def test_the_scripts_for_other_shells_have_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("zsh", "fish"):
        assert main(["completion", shell]) == 0
        script = capsys.readouterr().out
        assert not [name for name in COMMANDS if name not in script]
