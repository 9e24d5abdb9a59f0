"""A real server and a real Chromium. Every test also fails on a console error or a request to another host."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

from app.main import create_app
from app.settings import Settings
from gru_core import Model
from tests.app.test_models import deep
from tests.browser.chromium import installed


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
def visitor(browser: Browser, base_url: str) -> Iterator[BrowserContext]:
    """One visitor for all tests, who has Plotly in the cache: it is 5 MB to read."""
    context = browser.new_context(base_url=base_url)
    context.set_default_timeout(30_000)  # a machine may be busy; nothing here is about speed
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
