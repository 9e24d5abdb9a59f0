"""The built wheel contains all files that gruscope needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from app.plotly_bundle import BUNDLE, plotly_script
from gru_core import presets

ROOT = Path(__file__).parents[2]


def test_a_built_wheel_serves_the_page_without_the_source_folders(tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    for folder in ("gru_core", "app", "static", "templates"):  # a copy, because a build leaves files behind
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(site)
    assert {name.partition("/")[0] for name in names} == {"gru_core", "gruscope", "gruscope-0.1.0.dist-info"}
    for folder, inside in (("gru_core", "gru_core"), ("app", "gruscope")):
        files = {path.relative_to(source / folder).as_posix() for path in (source / folder).rglob("*.py")}
        assert {f"{inside}/{file}" for file in files} <= names
    for folder in ("static", "templates"):
        files = {path.relative_to(source).as_posix() for path in (source / folder).rglob("*") if path.is_file()}
        assert {f"gruscope/{file}" for file in files} <= names
    if plotly_script() == BUNDLE:
        assert {f"gruscope/bundle/{name}" for name in (BUNDLE.name, "LICENSE")} <= names
    assert {f"gru_core/presets/{name}.safetensors" for name in presets.SHIPPED} <= names
    # Import only the content of the wheel: the project's own folders are not on the path.
    code = (
        "import gruscope, pathlib, sys; from fastapi.testclient import TestClient\n"
        "from uvicorn.importer import import_from_string\n"
        "create_app = import_from_string('gruscope.main:create_app')\n"
        f"assert pathlib.Path(gruscope.__file__).is_relative_to({str(site)!r}) and 'app' not in sys.modules\n"
        "client = TestClient(create_app()); page = client.get('/'); assert page.status_code == 200\n"
        "import re; script = re.search(r'/static/[^\"]+/lab.js', page.text)[0]\n"
        "assert client.get(script).status_code == 200"
    )
    environment = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    command = [sys.executable, "-m", "gruscope", "trace", "A m"]
    process = subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
    assert process.stdout.startswith(b"Flip-flop")
