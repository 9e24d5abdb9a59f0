"""A slice of what `python -m benchmarks.fuzz_routes` sends by the hundred thousand."""

from __future__ import annotations

import asyncio

from app.main import create_app
from benchmarks import fuzz_routes


def test_odd_requests_to_all_routes_get_no_servers_error() -> None:
    found = asyncio.run(fuzz_routes.run(list(range(300)), 7, print))
    assert sum(found.statuses.values()) == 300
    assert {"200", "404", "422"} <= set(found.statuses)
    assert not found.findings


def test_every_route_is_among_them_and_the_same_seed_gives_the_same_requests() -> None:
    app = create_app()
    requests = fuzz_routes.Requests(app, 5)
    names = {route.name for route in requests.routes}
    described = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert described < names
    assert {"GET /", "GET /lessons/{name}", "GET /rooms/{code}/presenter", "GET /static/{build}/{path}"} < names
    assert [str(requests.make(n)) for n in range(50)] == [str(fuzz_routes.Requests(app, 5).make(n)) for n in range(50)]
