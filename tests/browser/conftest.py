"""A real server and a real Chromium. Every test also fails on a console error or a request to another host."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlparse

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import BrowserContext, BrowserType, ConsoleMessage, Error, Page, Request, expect

from app.assets import assets
from app.exports import page as export
from app.main import create_app
from app.runs.linked import run_link
from app.settings import Settings
from gru_core import Model
from tests.support.chromium import installed
from tests.support.lab import Visit
from tests.support.networks import deep

PATIENCE = 120_000  # ms: beside another load a training, which has the lowest priority, hardly moves
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": installed(), "args": ["--no-sandbox", "--disable-background-networking"]}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def served(folder: Path) -> dict[str, Model]:
    """Models that the server has beside the presets: a deep one, and a small one; both reset after the product.

    Their weights are larger than a fresh network's, and none of them is 0, so that every number says something.
    """
    rng = np.random.default_rng(1)
    models = {"deep": deep(), "after": deep(layers=1, units=3)}
    for name, model in models.items():
        loud = model.with_parameters({n: 3 * a + rng.normal(size=a.shape) / 5 for n, a in model.parameters.items()})
        loud.save(folder / f"{name}.safetensors")
        models[name] = loud
    return models


@pytest.fixture(scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def base_url(folder: Path, served: dict[str, Model], uploads: Path) -> Iterator[str]:
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
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="session")
def visitor(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], base_url: str, profile: Path
) -> Iterator[BrowserContext]:
    """One visitor for all tests, who was here before: with a profile, Chromium keeps Plotly as it has compiled it.

    That takes a second of each visit otherwise.
    """
    context = browser_type.launch_persistent_context(profile / "visitor", base_url=base_url, **browser_type_launch_args)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the console may say: a test that provokes a complaint clears it."""
    return []


@contextmanager
def watched(page: Page, base_url: str, complaints: list[str]) -> Iterator[None]:
    """Notes what the page complains of, and fails for it or for a request to another host."""
    page.set_viewport_size({"width": 1280, "height": 800})
    requests: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def threw(error: Error) -> None:
        complaints.append(str(error))

    def asked(request: Request) -> None:
        requests.append(request.url)

    page.on("console", heard)
    page.on("pageerror", threw)
    page.on("request", asked)
    yield
    page.remove_listener("console", heard)
    page.remove_listener("pageerror", threw)
    page.remove_listener("request", asked)
    elsewhere = [
        url for url in requests if urlparse(url).scheme in ("http", "https", "ws") and not url.startswith(base_url)
    ]
    assert not elsewhere
    assert not complaints


@pytest.fixture
def page(visitor: BrowserContext, base_url: str, complaints: list[str]) -> Iterator[Page]:
    page = visitor.new_page()
    with watched(page, base_url, complaints):
        yield page
        page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture(scope="session")
def loaded(visitor: BrowserContext) -> Iterator[Page]:
    page = visitor.new_page()
    page.goto("/")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    yield page
    page.close()


@pytest.fixture
def same_page(loaded: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    """A page that was loaded once for all tests that have it: they go on by links, as one does with back and forward.

    A load takes seconds, nearly all of it Plotly's.
    """
    with watched(loaded, base_url, complaints):
        yield loaded


@pytest.fixture(scope="session")
def offline(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], profile: Path
) -> Iterator[BrowserContext]:
    """A visitor whose network is off."""
    context = browser_type.launch_persistent_context(profile / "offline", offline=True, **browser_type_launch_args)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="session")
def exported(folder: Path, served: dict[str, Model], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Exports what a link runs, once for all that look at it, and gives the address of the file."""
    files = tmp_path_factory.mktemp("exported")
    (files / "plotly.min.js").write_bytes(assets()["plotly.min.js"].content)

    def write(**keys: str) -> str:
        settings = Settings(models=str(folder))
        run = {key: keys[key] for key in ("model", "sequence", "clamps", "weights", "against") if key in keys}
        file = files / f"{hashlib.sha256(urlencode(run).encode()).hexdigest()[:12]}.html"
        if not file.exists():
            html = export.page(run_link(keys, settings), settings, "http://scope.example/", "plotly.min.js")
            file.write_text(html, "utf-8")
        return file.as_uri()

    return write


@pytest.fixture(scope="session")
def opened(offline: BrowserContext) -> Iterator[Page]:
    page = offline.new_page()
    yield page
    page.close()


@pytest.fixture
def exported_page(opened: Page, complaints: list[str]) -> Iterator[Page]:
    """A page for files, whose network is off."""
    with watched(opened, "file:", complaints):
        yield opened
        opened.evaluate("localStorage.clear()")


@pytest.fixture(params=["page", "exported_page"])
def visit(request: pytest.FixtureRequest) -> Visit:
    """To a page of the server, or to one that was exported."""
    return _visit(request)


@pytest.fixture(params=["same_page", "exported_page"])
def same_visit(request: pytest.FixtureRequest) -> Visit:
    """As `visit`, where the server's page is the one that goes on by links."""
    return _visit(request)


def _visit(request: pytest.FixtureRequest) -> Visit:
    page = request.getfixturevalue(request.param)
    exported = request.getfixturevalue("exported") if request.param == "exported_page" else None
    return lambda kind: kind(page, exported)
