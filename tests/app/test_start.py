"""The Be the gate page as the server sends it, and the runs that its script requests."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru

HOST = "http://testserver"


def scenario_of(html: str) -> dict[str, str]:
    """Return the model and the letters with which the page's script starts."""
    (boot,) = re.findall(r'<script[^>]*id="boot"[^>]*>(.*?)</script>', html, re.S)
    scenario: dict[str, str] = json.loads(boot)["scenario"]
    return scenario


def lab_links(html: str) -> list[str]:
    """Return the links that open the Lab with a model. The link to the Lab's first screen names no model."""
    return [unescape(link) for link in re.findall(r'<a [^>]*href="(/\?model=[^"]*)"', html)]


def test_the_page_links_to_the_lab_with_the_same_sequence_at_the_second_capital(client: TestClient) -> None:
    html = client.get("/start").text
    scenario = scenario_of(html)
    skip, end = lab_links(html)
    assert skip == end
    keys = {key: value for key, (value,) in parse_qs(urlsplit(end).query).items()}
    assert (keys["model"], keys["sequence"]) == (scenario["model"], scenario["sequence"])
    letters = scenario["sequence"].split()
    assert [letter for letter in letters if letter.isupper()] == ["A", "B"]
    assert letters[int(keys["t"]) - 1] == "B"
    lab = client.get(end).text
    assert f'value="{scenario["sequence"]}"' in lab
    assert 'href="/start"' in lab


def test_an_embed_has_no_navigation_and_opens_the_lab_in_a_new_tab(embeddable_client: TestClient) -> None:
    html = embeddable_client.get("/embed/start").text
    assert "<nav" not in html
    links = re.findall(r"<a (?![^>]*href=\"#)[^>]*>", html)  # without links within the page
    assert links
    assert all('target="_blank"' in tag for tag in links)
    for path in ("/start", "/embed/start"):
        answer = embeddable_client.get("/oembed", params={"url": f"{HOST}{path}"}).json()
        assert f'src="{HOST}/embed/start?"' in answer["html"]
        assert answer["title"] == "Be the gate · GRU Scope"


@pytest.mark.parametrize(("z", "r", "correct"), [(0.05, 0, 6), (1, 0, 4), (1, 1, 6)])
def test_noise_erases_the_a_unless_z_is_closed_or_r_is_open(
    client: TestClient, z: float, r: float, correct: int
) -> None:
    # A closed z keeps the memory at the noise. With r open, the candidates agree with the memory, so z may be open.
    scenario = scenario_of(client.get("/start").text)
    gates = [(1, 0) if letter.isupper() else (z, r) for letter in scenario["sequence"].split()]
    values = [{"z": z, "r": r} for z, r in gates]
    clamps = [{"gate": g, "from": t, "to": t, "value": v} for t, at in enumerate(values, 1) for g, v in at.items()]
    run = client.post("/api/trace", json=scenario | {"clamps": clamps}).json()
    answers = np.argmax(run["y"]["values"], axis=1) + 1
    assert (answers == run["right"]).sum() == correct
    held = [gru.Clamp(g, v, steps=slice(t, t + 1)) for t, at in enumerate(values) for g, v in at.items()]
    model = gru.load(scenario["model"])
    expected = gru.trace(model, scenario["sequence"], clamps=held)
    np.testing.assert_allclose(run["layers"][0]["h"], expected.h, atol=1e-9)
    # The same response contains the network's own run.
    np.testing.assert_allclose(run["layers"][0]["twin.z"], gru.trace(model, scenario["sequence"]).z, atol=1e-9)
