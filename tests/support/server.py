"""Fixtures for browser tests: a server with test models, and exported pages of these models."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import uvicorn

from app.exports import page as export
from app.main import create_app
from app.runs.linked import run_link
from app.settings import Settings
from gru_core import Model
from tests.support.networks import deep


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the server's directory of models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def served_models(folder: Path) -> dict[str, Model]:
    """Save a deep and a small model, which the server offers beside the presets, and return them by name.

    Both reset after the product. Their weights are large and never 0, so every displayed number matters.
    """
    rng = np.random.default_rng(1)
    models = {"deep": deep(), "after": deep(layers=1, units=3)}
    for name, model in models.items():
        scaled = model.with_parameters({n: 3 * a + rng.normal(size=a.shape) / 5 for n, a in model.parameters.items()})
        scaled.save(folder / f"{name}.safetensors")
        models[name] = scaled
    return models


@pytest.fixture(scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the server's directory of uploads."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def base_url(folder: Path, served_models: dict[str, Model], uploads: Path) -> Iterator[str]:
    """Run a server with the directories of models and uploads, and yield its address."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    app = create_app(Settings(models=str(folder), uploads=str(uploads)))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=[[listener]])
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def exported(
    folder: Path, served_models: dict[str, Model], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    """Return a function that exports the run of a link to an HTML file, and returns the file's URL.

    Each run is exported only once for all tests.
    """
    files = tmp_path_factory.mktemp("exported")
    for name, content in export.shared_files().items():
        (files / name).write_bytes(content)

    def write(**keys: str) -> str:
        settings = Settings(models=str(folder))
        run = {key: keys[key] for key in ("model", "sequence", "clamps", "weights", "against") if key in keys}
        file = files / f"{hashlib.sha256(urlencode(run).encode()).hexdigest()[:12]}.html"
        if not file.exists():
            html = export.page(run_link(keys, settings), settings, "http://scope.example/", shared=True)
            file.write_text(html, "utf-8")
        return file.as_uri()

    return write
