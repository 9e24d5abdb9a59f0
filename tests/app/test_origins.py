"""The hosts and origins from which the server accepts requests."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings

FILE = (Path(__file__).parents[1] / "fixtures" / "pytorch-bare.npz").read_bytes()
EVIL = {"origin": "https://evil.example"}
SCENARIO = {"model": "flip-flop", "sequence": "A m"}


def test_an_upload_from_another_site_is_refused_and_not_stored(tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(uploads=str(tmp_path))))
    headers = {"content-type": "text/plain", "sec-fetch-site": "cross-site"} | EVIL
    response = client.post("/api/models?name=bare.npz", content=FILE, headers=headers)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "cross-origin"
    assert "evil" not in response.text
    assert list(tmp_path.iterdir()) == []
    assert client.post("/api/models?name=bare.npz", content=FILE).status_code == 201  # as curl sends it, without Origin


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, 403),
        ({"sec-fetch-site": "nonsense"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "https://testserver"}, 200),
        ({"origin": "http://testserver:81"}, 403),
        ({"origin": "http://testserver.evil.example"}, 403),
        ({"origin": "null"}, 403),
        (EVIL, 403),
    ],
)
def test_only_own_pages_may_request_a_run(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/api/trace", json=SCENARIO, headers=headers).status_code == status


def test_other_sites_may_embed_pages_and_link_to_exports(client: TestClient) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    frame = cross | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    link = cross | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/embed", headers=frame).status_code == 200
    assert client.get("/oembed?url=http://testserver/", headers=cross | EVIL).status_code == 200
    assert client.get("/api/export/trace.csv", params=SCENARIO, headers=link).status_code == 200
    for headers in (cross, frame, EVIL):
        assert client.get("/api/export/trace.csv", params=SCENARIO, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:8000", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200),
        ("Lab.Example:443", 200), ("other.example", 200),
        ("evil.example", 421), ("lab.example.evil.example", 421), ("x.lab.example", 421),
        ("192.0.2.1", 421), ("lab.example@evil.example", 421), ("[", 421), ("", 421),
    ],
)  # fmt: skip
def test_requests_for_unknown_hosts_get_status_421(host: str, status: int) -> None:
    client = TestClient(create_app(Settings(hosts="lab.example, other.example")))
    response = client.get("/healthz", headers={"host": host})
    assert response.status_code == status
    if status == 421:
        assert response.json()["error"]["code"] == "host"
        assert "evil" not in response.text
        assert "content-security-policy" in response.headers
