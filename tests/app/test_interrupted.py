"""Ctrl+C in a terminal ends each command with exit code 130 and leaves no incomplete files."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from app.cli import COMMANDS as EVERY_COMMAND
from app.jobs.sweep import COLUMNS
from app.output import write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a terminal's Ctrl+C is sent as POSIX has it")

Process = subprocess.Popen[bytes]
Wait = Callable[[Process, Path, ExitStack], object]
"""A function that waits until a command is in the middle of its work."""


def _read_until(stream: IO[bytes] | None, text: bytes) -> None:
    output = b""
    while text not in output:
        more = stream.read(1) if stream else b""
        assert more, output
        output += more


def prints(text: bytes) -> Wait:
    """Return a function that waits for `text` in the standard output of a process."""
    return lambda process, *_: _read_until(process.stdout, text)


def logs(text: bytes) -> Wait:
    """Return a function that waits for `text` in the standard error of a process."""
    return lambda process, *_: _read_until(process.stderr, text)


def reads_standard_input(process: Process, folder: Path, opened: ExitStack) -> None:
    assert process.stdin
    process.stdin.write(b"A m " * 2**16)  # more than the pipe can buffer
    process.stdin.flush()


def reads_the_pipe(process: Process, folder: Path, opened: ExitStack) -> None:
    opened.enter_context((folder / "pipe.safetensors").open("wb"))


GRID = 'task = "flip-flop"\ncell = ["rnn", "gru"]\nreach = 1.0\nafter = 2000\nmost = 2000\nseeds = 20\n'
PAGES = "".join(f'[page-{number}]\nmodel = "sentiment"\n' for number in range(40))
LESSON = "---\ntitle: Holding\nmodel: flip-flop\nminutes: 5\n---\n\n## [A letter](?sequence=A+m+m&t=1)\nIt is held.\n"

LINK = "http://localhost/train?task=sentiment&reach=1&after=3000&most=3000"
COMMANDS: dict[str, tuple[list[str], Wait]] = {
    "serve": (["serve", "--port", "0", "--no-browser"], prints(b"Ctrl+C")),
    "serve by two": (["serve", "--port", "0", "--no-browser", "--workers", "2"], prints(b"Ctrl+C")),
    "preview": (["lesson", "preview", "holding.md", "--port", "0", "--no-browser"], prints(b"Ctrl+C")),
    "train": (["train", "sentiment", "--checkpoints", "kept.npz"], logs(b"step")),
    "train a link": (["train", LINK, "--checkpoints", "kept.npz"], logs(b"step")),
    "sweep": (["sweep", "grid.toml", "--html", "grid.html"], logs(b" of ")),
    "experiment": (["experiment", "gap", "--out", "gap.json"], logs(b" of ")),
    "export": (["export", "--site", "site", "pages.toml"], logs(b"page-0")),
    "trace": (["trace", "-", "--npz", "run.npz"], reads_standard_input),
    "census": (["census", "flip-flop", "-"], reads_standard_input),
    "import": (["import", "pipe.safetensors", "--out", "made.safetensors"], reads_the_pipe),
    "check": (["check", "pipe.safetensors", "--reference", "nothing.npz"], reads_the_pipe),
}


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_ctrl_c_while_a_command_starts_prints_no_traceback(name: str) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "app.cli", name], stdin=pipe, stdout=pipe, stderr=pipe,
        cwd=Path(__file__).parents[2], pipesize=4096,  # a full small pipe stops the process during its imports
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        try:
            _read_until(process.stderr, b"importlib.metadata\n")
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert stderr.splitlines()[-1].startswith(b"gruscope: ")
    assert b"Traceback" not in stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_ends_a_command_with_130_and_leaves_only_complete_files(name: str, tmp_path: Path) -> None:
    arguments, wait = COMMANDS[name]
    for file, content in {"grid.toml": GRID, "pages.toml": PAGES, "holding.md": LESSON}.items():
        (tmp_path / file).write_text(content)
    os.mkfifo(tmp_path / "pipe.safetensors")
    before = set(tmp_path.rglob("*"))
    pipe = subprocess.PIPE
    with (
        ExitStack() as opened,
        subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments], stdin=pipe, stdout=pipe, stderr=pipe, cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, start_new_session=True,
            # A shell makes background processes ignore Ctrl+C, and these tests may run in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):  # fmt: skip
        try:
            wait(process, tmp_path, opened)
            os.killpg(process.pid, signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    # On a busy machine the log may report that the event loop was blocked.
    *progress, line = [line for line in stderr.decode().splitlines() if "event loop" not in line]
    assert line.startswith("gruscope: ")
    assert "Traceback" not in stderr.decode()
    assert all(
        name in ("train", "train a link", "sweep", "experiment", "export") for _ in progress
    )  # lines about the progress of the work
    for file in set(tmp_path.rglob("*")) - before:
        assert file.is_dir() or file.suffix in (".csv", ".html", ".js"), file  # complete pages and rows
        if file.suffix == ".csv":
            with file.open(newline="") as rows:
                assert {len(row) for row in csv.reader(rows)} == {len(COLUMNS)}
        elif file.suffix == ".html":
            assert file.read_text().rstrip().endswith("</html>")


def test_write_replaces_a_file_at_once_and_keeps_its_mode_and_links(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"before")
    file.chmod(0o640)
    link.symlink_to(file)
    write(link, b"after")
    assert (link.is_symlink(), file.read_bytes(), file.stat().st_mode & 0o777) == (True, b"after", 0o640)
    write(Path(os.devnull), b"nothing")
    assert not Path(os.devnull).is_file()
    with pytest.raises(FileNotFoundError) as raised:
        write(tmp_path / "nowhere" / "file", b"")
    assert raised.value.filename == str(tmp_path / "nowhere" / "file")
    assert sorted(tmp_path.iterdir()) == [file, link]
