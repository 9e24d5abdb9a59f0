"""Security headers of responses, scored by the rules of Mozilla's HTTP Observatory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.main import create_app
from app.server.head import Head
from app.settings import Settings


def observatory(headers: Mapping[str, str]) -> int:
    """Return the Observatory score of an HTTPS page with no cookies, no CORS, and no scripts from other hosts.

    The score starts at 100, and each missing header lowers the score. Bonus points count only at 90 or more.
    """
    csp = {
        words[0]: words[1:] for part in headers.get("content-security-policy", "").split(";") if (words := part.split())
    }
    scripts, styles = (csp.get(kind, csp.get("default-src", [])) for kind in ("script-src", "style-src"))
    loose = {"'unsafe-inline'", "'unsafe-eval'", "data:", "http:", "https:", "*"}
    score, extra = 100, 0
    if not scripts or ("object-src" not in csp and "default-src" not in csp):
        score -= 25
    elif loose & set(scripts):
        score -= 20
    elif not loose & set(styles):
        extra += 5
    age = re.search(r"max-age=(\d+)", headers.get("strict-transport-security", ""))
    if age is None:
        score -= 20
    elif int(age[1]) < 15_768_000:
        score -= 10
    if "frame-ancestors" in csp:
        extra += 5
    elif "x-frame-options" not in headers:
        score -= 20
    if headers.get("x-content-type-options") != "nosniff":
        score -= 5
    if headers.get("referrer-policy") in ("no-referrer", "same-origin", "strict-origin"):
        extra += 5
    if headers.get("cross-origin-resource-policy") in ("same-origin", "same-site"):
        extra += 10
    return score + extra if score >= 90 else score


def test_a_page_without_headers_scores_30() -> None:
    assert observatory({}) == 30


@pytest.mark.parametrize("path", ["/", "/embed", "/docs", "/healthz", "/nowhere"])
def test_every_page_scores_90_or_more(path: str) -> None:
    response = TestClient(create_app(), base_url="https://testserver").get(path)
    assert observatory(response.headers) >= 90
    scripts = re.findall(r"<script\b[^>]*>", response.text)
    assert [tag for tag in scripts if "src=" not in tag and not re.search(r'type="[a-z]+/', tag)] == []
    assert "set-cookie" not in response.headers
    assert "access-control-allow-origin" not in response.headers


def test_embeds_may_be_framed_and_hsts_is_not_sent_over_http(client: TestClient) -> None:
    page, frame = client.get("/").headers, client.get("/embed").headers
    assert page["cross-origin-resource-policy"] == "same-origin"
    assert frame["cross-origin-resource-policy"] == "cross-origin"
    for headers in (page, frame):
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "strict-transport-security" not in headers


def test_the_rules_for_each_path_also_apply_below_a_root_path() -> None:
    client = TestClient(create_app(Settings(read_only=True)), root_path="/scope")
    assert client.get("/embed").headers["cross-origin-resource-policy"] == "cross-origin"
    assert client.post("/api/models?name=a.npz", content=b"x").json()["error"]["code"] == "read-only"
    assert client.post("/api/trace", headers={"sec-fetch-site": "cross-site"}).status_code == 403


PATHS = ["/", "/train", "/healthz", "/docs", "/api/models", "/api/models/flip-flop", "/nowhere", "/api/trace"]


@pytest.mark.parametrize("path", [*PATHS, "/api/export/trace.csv?model=flip-flop&sequence=A+m"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    client = TestClient(create_app(Settings()))
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers.keys() == get.headers.keys()
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == get.headers.get(name)


def test_head_ends_a_stream_and_passes_an_error_on() -> None:
    ended = []

    async def events() -> AsyncIterator[str]:
        try:
            while True:
                yield "data: more\n\n"
        finally:
            ended.append(True)

    async def stream(request: Request) -> Response:
        return StreamingResponse(events(), media_type="text/event-stream")

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError

    response = TestClient(Head(Starlette(routes=[Route("/events", stream)]))).head("/events")
    assert (response.status_code, response.content) == (200, b"")
    assert ended
    with pytest.raises(KeyError):
        TestClient(Head(broken)).head("/")
