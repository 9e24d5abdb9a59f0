"""Test clients that all test modules of the server share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.support.networks import random_gru, stacked


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """Yield a client of a server with the presets."""
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def embeddable_client() -> Iterator[TestClient]:
    """Yield a client of a server that lets other sites embed its pages."""
    with TestClient(create_app(Settings(frame_ancestors="'self' https://docs.example"))) as client:
        yield client


@pytest.fixture(scope="session")
def stacked_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client of a server with an additional two-layer model. The upper layer resets after the product."""
    folder = tmp_path_factory.mktemp("models")
    model, rng = stacked(), np.random.default_rng(0)
    layers = [random_gru(rng, layer.inputs, layer.units, layer.reset) for layer in model.layers]
    parameters = {f"layers.{i}.{name}": a for i, layer in enumerate(layers) for name, a in layer.parameters.items()}
    model.with_parameters(model.parameters | parameters).save(folder / "stacked.safetensors")
    with TestClient(create_app(Settings(models=str(folder)))) as client:
        yield client
