"""Limits, logs and metrics of a public server, and a server under a URL path."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.errors import Refused
from app.main import create_app
from app.server.budget import PIECE, Budget, spend
from app.settings import Settings
from tests.support.events import run as in_thread


def test_requests_share_a_memory_budget_until_their_responses_are_sent() -> None:
    messages: list[dict[str, Any]] = []

    async def visit(budget: Budget, cells: int, times: int = 1) -> None:
        async def receive() -> dict[str, Any]:
            return {}

        async def send(message: Any) -> None:
            messages.append(message)

        await budget({"type": "http", "cells": cells, "times": times}, receive, send)

    async def requests() -> None:
        read = asyncio.Event()
        body = bytes(range(256)) * 1000

        async def working(scope: Any, receive: Any, send: Any) -> None:
            for _ in range(scope["times"]):
                spend(scope["cells"])
            await send({"type": "http.response.body", "body": body})
            await read.wait()

        budget = Budget(working, Settings(max_cells=10))
        first = asyncio.create_task(visit(budget, 8))
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="busy with other runs") as refused:
            await visit(budget, 3)
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "3"})
        # A large response is sent piece by piece. If the client stops reading, the request still uses the budget.
        assert max(len(message["body"]) for message in messages) == PIECE
        assert b"".join(message["body"] for message in messages) == body
        assert [message.get("more_body", False) for message in messages] == [True] * (len(messages) - 1) + [False]
        read.set()
        await visit(budget, 2)
        await first
        await visit(budget, 11, times=2)  # a request that runs alone may exceed the budget
        assert budget.used == 0

    in_thread(requests())


def test_blocking_the_event_loop_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app()

    @app.get("/slow/{seconds}")
    async def slow(seconds: float) -> None:
        time.sleep(seconds)  # blocks the event loop, which no route may do
        await asyncio.sleep(0.1)

    def held_up() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

    with caplog.at_level("WARNING", "gruscope.requests"), TestClient(app) as client:
        client.get("/slow/0.5")
        assert max(int(milliseconds) for message in held_up() for milliseconds in re.findall(r"\d+", message)) > 400
        assert not any("slow" in message for message in held_up())


def test_a_server_below_a_root_path_uses_it_in_all_addresses() -> None:
    client = TestClient(create_app(Settings(frame_ancestors="*")), root_path="/scope")
    page = client.get("/scope/embed").text
    assert 'src="/scope/static/' in page
    assert '="/static' not in page
    assert "embedded" in page
    description = client.get("/scope/oembed", params={"url": "http://testserver/scope/embed?model=flip-flop"}).json()
    assert "http://testserver/scope/embed?model=flip-flop" in description["html"]
    assert client.get("/scope/oembed", params={"url": "http://testserver/embed"}).status_code == 404


def test_the_request_log_contains_no_text_of_the_visitor(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "gruscope.requests"):
        client.get("/api/models/secret?more=secret")
        client.get("/secret")
        client.request("SECRET", "/")
    lines = [record.getMessage() for record in caplog.records if record.name == "gruscope.requests"]
    assert len(lines) == 3
    assert "secret" not in "".join(lines).lower()
    assert all(re.fullmatch(r"(GET|-) \S+ 40[45] \d+ ms \d+ bytes", line) for line in lines)


def test_an_exception_is_logged_with_status_500(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app()

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError

    with caplog.at_level("INFO", "gruscope.requests"):
        assert TestClient(app, raise_server_exceptions=False).get("/broken").status_code == 500
    lines = [record.getMessage() for record in caplog.records if record.name == "gruscope.requests"]
    assert [line.split()[:3] for line in lines if line.startswith("GET ")] == [["GET", "/broken", "500"]]


def test_readyz_and_metrics_report_the_state_of_the_server(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    assert TestClient(create_app()).get("/readyz").status_code == 503  # nothing was loaded yet
    client.get("/api/models/nowhere")
    counted = 'gruscope_answer_seconds_count{method="GET",route="/api/models/{id}",status="404"}'
    assert counted in client.get("/metrics").text
