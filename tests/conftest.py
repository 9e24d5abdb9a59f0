"""Fixtures for all tests: an empty cache directory and the built docs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import sites


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Set an empty cache directory for `gruscope serve` and `gruscope models`, and yield its path."""
    folder = tmp_path_factory.mktemp("cache")
    # Compressing Plotly takes ten seconds of CPU time, so all test processes share the compressed files.
    compressed = tmp_path_factory.getbasetemp().parent / "brotli"
    compressed.mkdir(exist_ok=True)
    (folder / "gruscope").mkdir()
    (folder / "gruscope" / "brotli").symlink_to(compressed, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def docs_site(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """Return a folder with the built docs. The first test process builds the docs, and each process gets a copy."""
    folder = tmp_path_factory.getbasetemp().parent / f"docs-{testrun_uid}"
    building = folder.with_suffix(".building")
    while not folder.exists():
        try:
            building.mkdir()
        except FileExistsError:  # another process is building
            time.sleep(0.1)
            continue
        try:
            sites.docs_site(building).rename(folder)
        except BaseException:
            shutil.rmtree(building)
            raise
    return shutil.copytree(folder, tmp_path_factory.mktemp("docs") / "site")
