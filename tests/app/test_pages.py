"""Pages and static files as the server sends them, before any script runs."""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import re
from html import unescape
from pathlib import Path

import brotli
import numpy as np
import pytest
from fastapi.testclient import TestClient
from jinja2.runtime import Context

import gru_core as gru
from app.assets import assets, compress, version
from app.plotly_bundle import BUNDLE, plotly_script
from tests.support.html import text_of


@pytest.mark.parametrize("name", gru.presets.NAMES)
def test_the_page_contains_the_first_run_and_its_numbers(client: TestClient, name: str) -> None:
    html = client.get("/", params={"model": name}).text
    model = gru.load(name)
    trace = gru.trace(model, model.card.examples[0])
    text = " ".join(text_of(html).split())
    assert model.card.question in text
    assert model.card.about in text
    tokens = re.search(r'<ol[^>]*id="tokens".*?</ol>', html, re.S)
    outputs = re.search(r'<ol[^>]*id="outputs".*?</ol>', html, re.S)
    assert tokens is not None
    assert outputs is not None
    assert text_of(tokens[0]).split() == trace.tokens
    if model.readout.kind == "softmax":
        assert text_of(outputs[0]).split() == [model.readout.labels[i] for i in trace.y.argmax(1)]
    else:
        assert [float(n) for n in text_of(outputs[0]).replace("−", "-").split()] == pytest.approx(
            trace.y[:, 0], abs=0.00501
        )
    for signal in ("r", "z", "h_tilde", "h"):
        row = re.search(rf'data-signal="{signal}".*?class="rowmark"', html, re.S)
        assert row is not None
        values = re.findall(r"<span>([−\d.]+)</span>", row[0].split("values")[1])
        assert [float(v.replace("−", "-")) for v in values] == pytest.approx(
            getattr(trace, signal).T.ravel(), abs=0.00501
        )


def test_the_description_of_a_cell_in_the_page_matches_its_runs(client: TestClient) -> None:
    html = client.get("/").text
    boot = json.loads(re.findall(r'<script[^>]*id="boot"[^>]*>(.*?)</script>', html, re.S)[0])
    scenario = {"model": "store-and-recall", "sequence": "A b c ? d"}
    (layer,) = client.post("/api/trace", json=scenario).json()["layers"]
    cell = boot["cells"][layer["cell"]]
    assert [signal["name"] for signal in cell["signals"]] == ["r", "z", "h_tilde", "h"]
    for signal in cell["signals"]:
        values = np.array(layer[signal["name"]])
        assert signal["lowest"] <= values.min()
        assert values.max() <= 1
    sums = {f"{term}.{gate}" for gate in cell["gates"] for term in ("Wx", "Uh")}
    assert sums == {name for name in layer if name.startswith(("Wx", "Uh"))}
    for gate, (lowest, highest) in cell["holds"].items():
        for value, status in ((lowest, 200), (lowest - 0.01, 422), (highest, 200), (highest + 0.01, 422)):
            clamp = {"gate": gate, "from": 2, "to": 2, "value": value}
            assert client.post("/api/trace", json=scenario | {"clamps": [clamp]}).status_code == status


def test_a_bad_link_shows_an_example_and_a_notice(client: TestClient) -> None:
    good = client.get("/", params={"model": "sentiment", "sequence": "not good"}).text
    assert 'value="not good"' in good
    bad = client.get("/", params={"model": "flip-flop", "sequence": "A<script>alert(1)</script>"})
    assert bad.status_code == 200
    assert "This link could not be followed: step 2:" in unescape(bad.text)
    assert "<script>alert" not in bad.text
    assert client.get("/", params={"model": "nope"}).status_code == 200
    with_model = client.get("/", params={"model": "sentiment", "sequence": "gut"}).text
    assert 'value="sentiment" selected' in with_model
    assert "Here is an example instead" in with_model


def test_the_page_for_a_long_run_stays_small(client: TestClient) -> None:
    html = client.get("/", params={"model": "sentiment", "sequence": "good " * 2000}).text
    assert len(gzip.compress(html.encode())) < 60_000


def test_every_response_has_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/docs", "/healthz", "/nowhere", f"/static/{version()}/main.js"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in headers


def test_static_files_are_compressed_and_cached_for_a_year_by_version(client: TestClient) -> None:
    response = client.get(f"/static/{version()}/plotly.min.js", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.content == assets()["plotly.min.js"].content
    assert response.content.endswith(plotly_script().read_bytes())
    plain = client.get(f"/static/{version()}/main.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"].startswith("text/javascript")
    assert client.get("/static/older/main.js").headers["cache-control"] == "no-cache"


def test_a_file_is_sent_in_brotli_or_in_gzip_as_the_browser_accepts(client: TestClient) -> None:
    compress().join()
    for accepted, encoding in (("gzip, deflate, br", "br"), ("gzip", "gzip")):
        response = client.get(f"/static/{version()}/main.js", headers={"accept-encoding": accepted})
        assert response.headers["content-encoding"] == encoding
        assert response.content == assets()["main.js"].content


def test_compressed_files_are_reused_from_the_cache_unless_they_are_damaged(cache: Path) -> None:
    compress().join()
    content = assets()["main.js"].content
    stored = cache / "gruscope" / "brotli" / hashlib.sha256(content).hexdigest()[:16]
    right, quick = assets()["main.js"].encoded["br"], brotli.compress(content, quality=1)
    for in_cache, served in ((quick, quick), (quick[:-9], right), (brotli.compress(b"alert(1)"), right)):
        stored.write_bytes(in_cache)
        compress.cache_clear()
        compress().join()
        assert assets()["main.js"].encoded["br"] == served
        assert stored.read_bytes() == served


def test_a_first_visit_transfers_at_most_600_kilobytes_or_1300_with_the_full_plotly_script(client: TestClient) -> None:
    compress().join()
    html = client.get("/").text
    used = set(re.findall(rf"/static/{version()}/([\w./-]+)", html)) | {"plotly.min.js"}
    assert used <= set(assets())
    sizes = {name: len(assets()[name].encoded["br"]) for name in used}
    assert sum(sizes.values()) + len(gzip.compress(html.encode())) <= (
        600_000 if plotly_script() == BUNDLE else 1_300_000
    )


PAGES = (
    "/",
    "/start",
    "/compare",
    "/train",
    "/compare/gap",
    "/compare/bottleneck",
    "/lessons/gates",
    "/rooms",
    "/docs",
    "/api/export/page.html",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_sent_page_is_freed_without_the_garbage_collector(client: TestClient, path: str) -> None:
    # An exported page has 10 MB, and `gruscope serve` rarely collects garbage. A macro that a page's template defines,
    # or imports "with context", would keep all data of the page in memory until the next collection.
    client.get(path)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        assert client.get(path).status_code == 200
        gc.collect()
        assert not [object for object in gc.garbage if isinstance(object, Context)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_pages_load_nothing_from_other_hosts(client: TestClient) -> None:
    for path in ("/", "/docs"):
        html = client.get(path).text
        assert not re.findall(r'(?:src|href|action)\s*=\s*["\']?(?:https?:)?//(?!testserver/)', html)


def test_the_api_page_describes_every_route(client: TestClient) -> None:
    html = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in unescape(html)
    assert client.get("/healthz").json() == {"status": "ok"}
