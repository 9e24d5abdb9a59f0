"""npm packages that tests need. Without npm or a package, the test is skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest


def packages(folder: Path, *names: str) -> list[Path]:
    """Unpack npm packages, such as reveal.js@5.2.1, and return their folders. Skips the test if one is unavailable."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    pack = subprocess.run(["npm", "pack", "--json", *names], cwd=folder, capture_output=True, text=True, timeout=120)
    if pack.returncode:
        pytest.skip(f"npm did not get {', '.join(names)}: {pack.stderr.strip()[:200]}")
    places = []
    for entry in json.loads(pack.stdout):
        place = folder / entry["name"].replace("/", "-")
        with tarfile.open(folder / entry["filename"]) as archive:
            archive.extractall(place, filter="data")
        places.append(place / "package")
    return places
