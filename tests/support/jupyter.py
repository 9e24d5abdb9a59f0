"""A Jupyter server with JupyterLab, Notebook and jupyter-server-proxy, as a user starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.embed import jupyter

from .sites import ROOT

BASE = "/user/ada/"
TOKEN = "secret"
STARTS_WITHIN = 90  # seconds; on an idle machine the start takes 2

WIDGETS = "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings"
"""The path of the settings file for the extension that shows widgets."""


@contextmanager
def jupyter_server(folder: Path) -> Iterator[int]:
    """Run a server for the notebooks in a folder, and yield its port. At the end, kill it and its child processes."""
    home = folder / "home"
    (home / "settings" / WIDGETS).parent.mkdir(parents=True)
    (home / "settings" / WIDGETS).write_text('{"saveState": true}')
    server = {"base_url": BASE, "ip": "127.0.0.1", "port": 0, "root_dir": str(folder), "open_browser": False}
    extensions = {"jupyterlab": True, "notebook": True, "jupyter_server_proxy": True}
    config = {
        "ServerApp": {**server, "allow_root": True, "allow_remote_access": True, "jpserver_extensions": extensions},
        "IdentityProvider": {"token": TOKEN},
        "ServerProxy": {"servers": {jupyter.NAME: jupyter.server()}},
        "LabApp": {"user_settings_dir": str(home / "settings"), "news_url": None},
    }
    (home / "config.json").write_text(json.dumps(config))
    # Ignore the user's Jupyter settings, and let kernels import the packages of this repository.
    kinds = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyter_server", "--config", str(home / "config.json")]
    # The output goes to a file, because a pipe would stay open until the last child process has ended.
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **kinds, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )  # fmt: skip
    try:
        yield _port(process, home / "log")
    finally:
        print((home / "log").read_text())  # pytest shows it if the test fails
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the server of GRU Scope; a kernel ends by itself
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port once the server accepts connections. Raises RuntimeError, with the log, if it does not start."""
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        if match := re.search(rf":(\d+){BASE}\S*token", log.read_text()):
            with suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(match[1]))).close()
                return int(match[1])
        time.sleep(0.05)
    raise RuntimeError(f"the Jupyter server did not start within {STARTS_WITHIN} s:\n{log.read_text()}")
