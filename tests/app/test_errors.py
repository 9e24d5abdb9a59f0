"""Error responses: the right status and a clear message, in a uniform JSON format that does not echo the input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.errors import Refused
from app.link import read_link
from app.main import create_app
from app.recipes import read_recipes
from app.settings import Settings

MARK = "zqzq<script>"  # must not be in a response


def scenario(**changes: object) -> bytes:
    return json.dumps({"model": "flip-flop", "sequence": "A m"} | changes).encode()


CLAMP = {"gate": "z", "units": [1], "from": 1, "to": 2, "value": 0.5}
WEIGHT = {"layer": 1, "gate": "z", "unit": 1, "part": "W", "index": 1, "value": 0.5}


def clamp(**changes: object) -> bytes:
    return scenario(clamps=[CLAMP | changes])


def weight(**changes: object) -> bytes:
    return scenario(weights=[WEIGHT | changes])


CASES: dict[str, tuple[bytes, int, str, str | None]] = {
    "empty sequence": (scenario(sequence=""), 422, "the sequence is empty. Symbols: A B m p s .", "sequence"),
    "blank sequence": (scenario(sequence=" \n "), 422, "the sequence is empty", "sequence"),
    "unknown symbol": (scenario(sequence="A m m Q"), 422, "step 4: 'Q' is not in this model's alphabet", "sequence.4"),
    "too long": (scenario(sequence="m" * 2001), 422, "2,001 timesteps; at most 2,000 can be run here", "sequence"),
    "far too long": (scenario(sequence="m" * 200_000), 422, "200,000 timesteps", "sequence"),
    "NaN": (b'{"model":"flip-flop","sequence":[[NaN,0,0,0,0,0]]}', 422, "finite number", "sequence.1.1"),
    "1e999": (b'{"model":"flip-flop","sequence":[[1e999,0,0,0,0,0]]}', 422, "finite number", "sequence.1.1"),
    "huge": (
        b'{"model":"flip-flop","sequence":[[1e300,0,0,0,0,0]]}',
        422,
        "step 1: input 1 is out of range",
        "sequence.1",
    ),
    "wrong width": (scenario(sequence=[[1, 0]]), 422, "shape (1, 2), but this model needs (T, 6)", "sequence"),
    "ragged": (scenario(sequence=[[1], [1, 2]]), 422, "must have the same length", "sequence"),
    "no rows": (scenario(sequence=[]), 422, "this model needs (T, 6)", "sequence"),
    "true for a number": (b'{"model":"flip-flop","sequence":[[true,0,0,0,0,0]]}', 422, "valid number", "sequence.1.1"),
    "a number for text": (scenario(sequence=5), 422, "sequence: ", "sequence"),
    "unknown model": (scenario(model=MARK), 404, "there is no such model; choose one of flip-flop,", "model"),
    "no model": (b'{"sequence":"A"}', 422, "model: field required", "model"),
    "unknown field": (scenario(**{MARK: 1}), 422, "an unknown field", None),
    "malformed JSON": (b'{"model": "zqzq<script>', 400, "not valid JSON", None),
    "deep JSON": (b"[" * 200_000, 400, "could not be read as JSON", None),
    "5,000 digits": (b"1" * 5_000, 400, "could not be read as JSON", None),
    "bad UTF-8": (b'{"model": "\xff\xfe"}', 400, "JSON", None),
    "not an object": (b"null", 422, "must be a JSON object", None),
    "body too large": (b'"' + b"x" * 300_000 + b'"', 413, "too large: at most 256 KiB", None),
    "unknown gate": (
        clamp(gate="q"),
        422,
        "clamps.1.gate: input should be 'r', 'z', 'h_tilde', 'h_prev', 'i', 'f', 'o', 'c_tilde', 'c' or 'h'",
        "clamps.1.gate",
    ),
    "gate out of range": (clamp(value=2), 422, "z cannot be clamped at 2.0: choose from 0 to 1", "clamps"),
    "gate at infinity": (clamp(value=float("inf")), 422, "z cannot be clamped at inf: choose from 0 to 1", "clamps"),
    "gate at NaN": (
        clamp(gate="h_prev", value=float("nan")),
        422,
        "h_prev cannot be clamped at nan: choose from -1 to 1",
        "clamps",
    ),
    "gate at true": (clamp(value=True), 422, "valid number", "clamps.1.value"),
    "unit out of range": (clamp(units=[2]), 422, "unit 2 is not in this layer: choose from 1 to 1", "clamps"),
    "step 0": (clamp(**{"from": 0}), 422, "greater than or equal to 1", "clamps.1.from"),
    "step out of range": (clamp(**{"from": 3, "to": 9}), 422, "none of the timesteps 1 to 2", "clamps"),
    "no units": (clamp(units=[]), 422, "at least 1 item", "clamps.1.units"),
    "layer out of range": (clamp(layer=2), 422, "layer 2 is not in this model: choose from 1 to 1", "clamps"),
    "too many clamps": (scenario(clamps=[CLAMP] * 65), 422, "at most 64 items", "clamps"),
    "unknown part": (weight(part="V"), 422, "input should be 'W', 'U', 'b' or 'c'", "weights.1.part"),
    "weight of h_prev": (
        weight(gate="h_prev"),
        422,
        "input should be 'r', 'z', 'h_tilde', 'i', 'f', 'c_tilde', 'o' or 'h'",
        "weights.1.gate",
    ),
    "huge weight": (weight(value=1001), 422, "a weight cannot be 1001.0: choose from -1,000 to 1,000", "weights"),
    "weight at NaN": (
        weight(value=float("nan")),
        422,
        "a weight cannot be nan: choose from -1,000 to 1,000",
        "weights",
    ),
    "weight of no input": (weight(index=7), 422, "index 7 is not in W: choose from 1 to 6", "weights"),
    "weight 0": (weight(index=0), 422, "greater than or equal to 1", "weights.1.index"),
    "weight without index": (weight(index=None), 422, "W needs an index", "weights"),
    "bias with an index": (weight(part="b"), 422, "b has no index", "weights"),
    "weight of no unit": (weight(unit=2), 422, "unit 2 is not in this layer: choose from 1 to 1", "weights"),
    "weight of no layer": (weight(layer=10**40), 422, "is not in this model: choose from 1 to 1", "weights"),
    "c before the product": (weight(part="c", gate="h_tilde", index=None), 422, "this layer has no bias c", "weights"),
    "h0 of a wrong shape": (scenario(h0=[[0, 0]]), 422, "the initial state has 2 numbers", "h0"),
    "no h0": (scenario(h0=[]), 422, "the initial state has 0 layers", "h0"),
    "h0 out of range": (scenario(h0=[[1.5]]), 422, "h of an initial state must be from -1 to 1", "h0"),
    "control characters": (scenario(sequence="A\0\u202eB"), 422, "step 2: '⟨U+0000⟩' is not", "sequence.2"),
    "half a character": (
        b'{"model":"flip-flop","sequence":"A \\ud800"}',
        422,
        "step 2: '⟨U+D800⟩' is not",
        "sequence.2",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_bad_input_gets_its_status_message_and_place(client: TestClient, case: str, accept: str) -> None:
    body, status, message, place = CASES[case]
    headers = {"content-type": "application/json", "accept": accept}
    response = client.post("/api/trace", content=body, headers=headers)
    assert response.status_code == status
    (error,) = response.json().values()
    assert set(error) == {"code", "message", "where"}
    assert message in error["message"]
    assert error["where"] == place
    assert "zqzq" not in response.text
    assert len(response.content) < 600


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/x/../../pyproject.toml", 404),
        ("GET", "/static/x/..%2f..%2fpyproject.toml", 404),
        ("GET", "/static/x/%00", 404),
        ("GET", "/api/trace", 405),
        ("GET", "/api/models/zqzq/draw?seed=1", 404),
        ("GET", "/api/models/flip-flop/draw", 422),
        ("GET", "/api/models/flip-flop/draw?seed=-1", 422),
        ("GET", "/api/models/flip-flop/draw?seed=1&steps=100000", 422),
        ("GET", "/api/models/sunspots/draw?seed=1&steps=500", 422),
        ("GET", "/oembed", 422),
        ("GET", "/oembed?url=http://testserver/&maxwidth=zqzq", 422),
        ("GET", "/oembed?url=http://testserver/&format=xml", 501),
        ("GET", "/oembed?url=http://zqzq.example/", 404),
    ],
)
def test_errors_of_all_routes_have_the_same_keys(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"code", "message", "where"}
    assert "zqzq" not in response.text


@pytest.mark.parametrize("path", ["/zqzq", "/compare/zqzq", "/lessons/zqzq", "/embed/zqzq", "/embed/compare/zqzq"])
def test_a_browser_gets_a_page_that_says_what_is_wrong_and_leads_to_the_lab(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "zqzq" not in response.text
    (main,) = re.findall("<main.*</main>", response.text, re.S)
    links = re.findall('<a href="/"( target="_blank")?', main)
    assert links == [' target="_blank"' if path.startswith("/embed") else ""]
    other = client.get("/api/models/zqzq/draw?seed=1", headers={"accept": "text/html"})
    assert other.json()["error"]["code"] == "model"


ODD_NUMBERS = ("²", "٣", "１", "1²", "1_0", "+1", " 1", "1.0", "1e0", "0x1", "nan", "inf", "9" * 5_000, "-" * 5_000)
"""Strings that `int` or `float` accepts, or that look like numbers. Requests must not accept them as numbers."""


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_requests_accept_only_numbers_in_plain_ascii_digits(client: TestClient, odd: str) -> None:
    def status(path: str, **query: str) -> int:
        return client.get(path, params=query).status_code

    # If the step does not exist, the lesson opens at its first step.
    assert "step-1" in client.get("/lessons/update", params={"step": odd}).text
    assert status("/api/lessons/update/reveal", question=f"{odd}.1"[:9]) == 404
    assert status("/api/lessons/update/reveal", question=f"1.{odd}"[:9]) == 404
    assert status("/api/models/flip-flop/draw", seed=odd) == 422
    assert status("/api/models/flip-flop/draw", seed="1", steps=odd) == 422
    if odd not in ("+1", "1.0", "1e0"):
        assert status("/api/models/name-writer/write", prompt="irish", seed="1", temperature=odd) == 422
    assert status("/api/experiments/sequence", T=odd) == 422
    assert status("/oembed", url="http://testserver/", maxwidth=odd) == 422
    for key in ("t", "unit", "layer"):
        assert status("/api/export/trace.csv", model="flip-flop", **{key: odd}) == 422
    assert status("/api/export/model.safetensors", model=f"flip-flop@{odd}") == 404
    assert client.get("/api/models", headers={"Content-Length": odd.encode()[:100]}).status_code == 200


@pytest.mark.parametrize("odd", [odd for odd in ODD_NUMBERS if odd not in ("+1", "1.0", "1e0")])
def test_links_accept_only_numbers_in_plain_ascii_digits(odd: str) -> None:
    for key in ("units", "seed", "after", "most", "T", "T_max", "rate", "reach", "b_z", "penalty_z"):
        with pytest.raises(Refused, match="number"):
            read_recipes({key: odd})
    for changes in (f"{odd}:1", f"1:{odd}"):
        with pytest.raises(Refused) as refused:
            read_recipes({"changes": changes})
        assert refused.value.where == "changes"
    for key, text in (("clamps", f"z@1={odd}"), ("clamps", f"z@{odd}=0"), ("weights", f"z.1.b={odd}")):
        with pytest.raises(Refused, match="must look like"):
            read_link({key: text})


def test_a_body_without_a_declared_length_still_has_a_size_limit(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    assert client.post("/api/trace", content=pieces()).status_code == 413


def test_limits_come_from_the_settings() -> None:
    settings = Settings.from_environment(
        {"GRUSCOPE_MAX_STEPS": "3", "GRUSCOPE_FRAME_ANCESTORS": "https://docs.example"}
    )
    client = TestClient(create_app(settings))
    response = client.post("/api/trace", json={"model": "flip-flop", "sequence": "ABAB"})
    assert "at most 3 can be run here" in response.json()["error"]["message"]
    assert response.headers["content-security-policy"].endswith("frame-ancestors https://docs.example")
    small = TestClient(create_app(Settings(max_units=4)))
    message = small.post("/api/trace", json={"model": "sentiment", "sequence": "good"}).json()["error"]["message"]
    assert message.startswith("this model has 8 units in a layer; at most 4 are allowed: ")
    with small as client:
        assert max(entry["layers"][0]["units"] for entry in client.get("/api/models").json()) == 4
    page = TestClient(create_app(Settings(max_steps=3))).get("/")
    assert page.status_code == 200
    assert 'value="A m m"' in page.text
    with pytest.raises(ValueError, match="GRUSCOPE_MAX_STEPS must be a whole number above 0"):
        Settings.from_environment({"GRUSCOPE_MAX_STEPS": "many"})


def test_an_exception_in_a_handler_is_a_500_with_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app()

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("secret")

    response = TestClient(app, raise_server_exceptions=False).get("/fault")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "server"
    assert "secret" not in response.text
    assert "frame-ancestors" in response.headers["content-security-policy"]
