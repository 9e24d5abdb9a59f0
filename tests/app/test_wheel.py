"""The wheel carries all that a working `gruscope` needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from gru_core import presets

ROOT = Path(__file__).parents[2]


def test_a_built_wheel_serves_the_page_on_its_own(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    for folder in ("static", "templates"):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"app/{file}" for file in files} <= names
    assert {f"gru_core/presets/{name}.safetensors" for name in presets.NAMES} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]
    # Imported from the wheel's content alone: the project's own folders are not on the path.
    code = (
        "import app, pathlib; from fastapi.testclient import TestClient; from app.main import create_app\n"
        f"assert pathlib.Path(app.__file__).is_relative_to({str(tmp_path)!r})\n"
        "client = TestClient(create_app()); page = client.get('/'); assert page.status_code == 200\n"
        "import re; script = re.search(r'/static/[^\"]+/main.js', page.text)[0]\n"
        "assert client.get(script).status_code == 200"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
