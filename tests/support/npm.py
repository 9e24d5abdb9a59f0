"""Packages of npm that a test needs, if npm and the package are to be had."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest


def package(name: str, folder: Path) -> Path:
    """Unpack a package, such as reveal.js@5.2.1, into a folder and return where it is. Skips the test without it."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    pack = subprocess.run(["npm", "pack", "--silent", name], cwd=folder, capture_output=True, text=True, timeout=120)
    if pack.returncode:
        pytest.skip(f"npm did not get {name}: {pack.stderr.strip()[:200]}")
    place = folder / name.replace("/", "-")
    with tarfile.open(folder / pack.stdout.split()[-1]) as archive:
        archive.extractall(place, filter="data")
    return place / "package"
