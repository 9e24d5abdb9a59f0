"""A few of the requests that `python -m benchmarks.fuzz_routes` sends in large numbers."""

from __future__ import annotations

import asyncio

from app.main import create_app
from benchmarks import fuzz_routes


def test_300_random_requests_cause_no_server_error() -> None:
    result = asyncio.run(fuzz_routes.run(list(range(300)), 7, print))
    assert sum(result.statuses.values()) == 300
    assert {"200", "404", "422"} <= set(result.statuses)
    assert not result.findings


def test_the_fuzzer_knows_every_route_and_repeats_its_requests_for_a_seed() -> None:
    app = create_app()
    requests = fuzz_routes.Requests(app, 5)
    names = {route.name for route in requests.routes}
    described = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert described < names
    assert {"GET /", "GET /lessons/{name}", "GET /rooms/{code}/presenter", "GET /static/{build}/{path}"} < names
    assert [str(requests.make(n)) for n in range(50)] == [str(fuzz_routes.Requests(app, 5).make(n)) for n in range(50)]
