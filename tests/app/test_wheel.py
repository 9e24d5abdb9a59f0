"""The wheel carries all that a working `gruscope` needs, and no other package."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = {"gru_core": "gru_core", "app": "gruscope", "static": "gruscope/static", "templates": "gruscope/templates"}


def test_a_built_wheel_serves_the_page_on_its_own(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        archive.extractall(tmp_path / "site")
    files = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in PLACES.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == files

    # Imported from the wheel's content alone: the project's own folders are not on the path.
    def run(*command: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
        ran = subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "h_tilde.1" in run("-m", "gruscope", "trace", "A x x B")
    run(
        "-c",
        "import gruscope, pathlib, re; from fastapi.testclient import TestClient\n"
        "from gruscope.main import create_app\n"
        f"assert pathlib.Path(gruscope.__file__).is_relative_to({str(tmp_path)!r})\n"
        "client = TestClient(create_app(), base_url='http://localhost'); page = client.get('/')\n"
        "assert page.status_code == 200; script = re.search(r'/static/[^\"]+/main.js', page.text)[0]\n"
        "assert client.get(script).status_code == 200",
    )
