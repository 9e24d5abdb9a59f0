"""GRU Scope below the address of a Jupyter server, through jupyter-server-proxy."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import tomllib
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from app.embed import jupyter

BASE = "/user/ada/"
TOKEN = "secret"


def test_a_jupyter_server_starts_gruscope_and_serves_it_below_its_own_address(tmp_path: Path) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["jupyter_serverproxy_servers"]
    assert points == {jupyter.NAME: f"gruscope.embed.jupyter:{jupyter.server.__name__}"}
    config = {
        "ServerApp": {
            **{
                "base_url": BASE,
                "ip": "127.0.0.1",
                "port": 0,
                "open_browser": False,
                "allow_root": True,
                "allow_remote_access": True,
            },
            "jpserver_extensions": {"jupyter_server_proxy": True},
        },
        "IdentityProvider": {"token": TOKEN},
        "ServerProxy": {"servers": {jupyter.NAME: jupyter.server()}},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "jupyter_server", "--config", str(tmp_path / "config.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        port = next(int(found[1]) for line in process.stdout if (found := re.search(rf":(\d+){BASE}\S*token", line)))
        while process.poll() is None:  # it listens a moment later
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)

        def request(method: str, path: str, body: str = "", **headers: str) -> tuple[HTTPResponse, str]:
            connection = HTTPConnection("127.0.0.1", port, timeout=120)
            shared = {"Host": "hub.example", "Authorization": f"token {TOKEN}"}
            connection.request(method, f"{BASE}gruscope/{path}", body or None, shared | headers)
            response = connection.getresponse()
            text = response.read().decode()
            connection.close()
            return response, text

        response, page = request("GET", "?model=flip-flop&sequence=A+m+B&t=2")
        assert response.status == 200
        scripts = re.findall(rf'src="{BASE}gruscope/(static/[^"]+\.js)"', page)
        assert scripts
        assert {request("GET", script)[0].status for script in scripts} == {200}
        # A browser names the origin that it sees.
        scenario = json.dumps({"model": "flip-flop", "sequence": "A m B"})
        origin = {"Content-Type": "application/json", "Origin": "http://hub.example"}
        response, answer = request("POST", "api/trace", scenario, **origin)
        assert (response.status, json.loads(answer)["T"]) == (200, 3)
        assert request("POST", "api/trace", scenario, **origin, **{"Sec-Fetch-Site": "cross-site"})[0].status == 403
        assert request("GET", "", Authorization="token wrong")[0].status in (302, 403)
    finally:
        process.terminate()
        process.communicate()
