"""Test clients of the application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings


def client_of(models: Path | str, **settings: Any) -> TestClient:
    """Return a test client of an application that serves the models in the folder `models`."""
    return TestClient(create_app(Settings(models=str(models), **settings)), raise_server_exceptions=False)


def client_with_uploads(uploads: Path | str, **settings: Any) -> TestClient:
    """Return a test client of an application that stores uploaded models in the folder `uploads`."""
    return TestClient(create_app(Settings(uploads=str(uploads), **settings)), raise_server_exceptions=False)
