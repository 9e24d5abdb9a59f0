"""Embedding a page in an iframe, and oEmbed, through which other sites get the HTML of the iframe."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.support.html import text_of

HOST = "http://testserver"


def test_an_embed_runs_its_link_and_allows_the_frame_ancestors_of_the_settings() -> None:
    client = TestClient(create_app(Settings(frame_ancestors="'self' https://docs.example")))
    response = client.get("/embed", params={"model": "sentiment", "sequence": "not good"})
    assert 'value="not good"' in response.text
    assert response.headers["content-security-policy"].endswith("frame-ancestors 'self' https://docs.example")


def test_an_embed_hides_the_known_parts_that_its_link_names(client: TestClient) -> None:
    page = client.get("/embed", params={"hide": "sequence,nonsense,model,<b>"}).text
    assert re.search(r'<body[^>]* data-hide="model sequence"', page)


def test_a_page_links_to_its_oembed_description(embeddable_client: TestClient) -> None:
    link = {"model": "flip-flop", "sequence": 'A "x" & x', "hide": "model", "t": "3"}
    page = embeddable_client.get("/embed", params=link).text
    (tag,) = re.findall(r'<link[^>]*type="application/json\+oembed"[^>]*>', page)
    (attributes,) = Attributes.parse(tag)
    assert attributes["href"].startswith(f"{HOST}/oembed?")  # other sites need the whole address
    response = embeddable_client.get(attributes["href"]).json()
    assert dict(parse_qs(urlsplit(frame(response)["src"]).query)) == {name: [value] for name, value in link.items()}


@pytest.mark.parametrize("path", ["/", "/embed"])
def test_a_link_of_another_version_works_and_shows_a_notice(client: TestClient, path: str) -> None:
    link = {"model": "sentiment", "sequence": "not good"}
    notice = "This link was made by another version of GRU Scope"
    assert notice not in client.get(path, params=link | {"v": "1"}).text
    for version in ("2", "", "\0"):
        page = client.get(path, params=link | {"v": version}).text
        assert notice in page
        assert 'value="not good"' in page
    text = text_of(client.get(path, params={"v": "2", "sequence": "Q"}).text)
    assert notice in text
    assert "This link could not be followed: step 1:" in text


@pytest.mark.parametrize("path", ["/", "/embed", "/oembed"])
@pytest.mark.parametrize(
    "query",
    [
        "model=a&model=b&sequence=A&sequence=B&hide=model&hide=share&v=1&v=2&url=a&url=b&maxwidth=1&maxwidth=x",
        "model=%00&sequence=%00&hide=%00&v=%00&url=%00&format=%00",
        "model=%ff&sequence=%ff&hide=%ff&url=http://%ff%5b",
        "url=http://%5b",
        "url=http://testserver/?sequence=%2500%26model=%2500",
        "=&&&;&model&sequence&hide&v&url",
        *(f"{key}={'x' * 15_000}" for key in ("model", "sequence", "hide", "v", "url", "maxwidth", "other")),
        f"maxheight={'9' * 5000}",
    ],
)
def test_unusual_queries_cause_no_server_error(client: TestClient, path: str, query: str) -> None:
    assert client.get(f"{path}?{query}").status_code in (200, 404, 422, 501)


class Attributes(HTMLParser):
    """An HTML parser that collects the attributes of every tag, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append({name: value or "" for name, value in attrs})

    @staticmethod
    def parse(html: str) -> list[dict[str, str]]:
        parser = Attributes()
        parser.feed(html)
        return parser.tags


def frame(response: dict[str, str]) -> dict[str, str]:
    """Return the attributes of the iframe in an oEmbed response."""
    return Attributes.parse(response["html"])[0]


def test_oembed_returns_an_iframe_of_the_page(embeddable_client: TestClient) -> None:
    link = urlencode({"model": "sentiment", "sequence": "not good", "hide": "model", "unit": "3"})
    for path in ("/", "/embed", ""):
        response = embeddable_client.get("/oembed", params={"url": f"{HOST}{path}?{link}", "format": "json"}).json()
        assert (response["version"], response["type"]) == ("1.0", "rich")
        assert (response["width"], response["height"]) == (900, 640)
        assert response["title"] == "Sentiment · GRU Scope"
        assert (response["provider_name"], response["provider_url"]) == ("GRU Scope", f"{HOST}/")
        assert frame(response) == {
            "src": f"{HOST}/embed?{link}", "title": "Sentiment · GRU Scope", "width": "100%", "height": "640",
            "style": "border: 0", "loading": "lazy",
        }  # fmt: skip
        # A link to the page follows the frame, because the frame stays empty if the page does not load.
        assert Attributes.parse(response["html"])[1:] == [{}, {"href": f"{HOST}/?{link}"}]


@pytest.mark.parametrize(("ancestors", "type"), [("'self'", "link"), ("'none'", "link"), ("'self' a.example", "rich")])
def test_oembed_returns_a_link_if_no_other_site_may_embed_the_page(ancestors: str, type: str) -> None:
    response = TestClient(create_app(Settings(frame_ancestors=ancestors))).get("/oembed", params={"url": f"{HOST}/"})
    assert response.json()["type"] == type
    # https://oembed.com, 2.3.4: the type "rich" requires these three fields, and the type "link" has none of them.
    assert {"html", "width", "height"} & response.json().keys() == (
        {"html", "width", "height"} if type == "rich" else set()
    )


def test_oembed_stays_within_the_requested_size(embeddable_client: TestClient) -> None:
    for limits, size in (((300, 200), (300, 200)), ((5000, 5000), (900, 640))):
        query = {"url": f"{HOST}/", "maxwidth": limits[0], "maxheight": limits[1]}
        response = embeddable_client.get("/oembed", params=query).json()
        assert (response["width"], response["height"]) == size
        assert frame(response)["height"] == str(size[1])


def test_oembed_escapes_the_address_in_the_iframe(embeddable_client: TestClient) -> None:
    evil = """"'><script>alert(1)</script>&amp; onload=x"""
    link = {"sequence": evil, evil: "1", "model": evil}
    for query in (urlencode(link), f"sequence={evil}"):
        response = embeddable_client.get("/oembed", params={"url": f"{HOST}/embed?{query}"}).json()
        assert set(frame(response)) == {"src", "title", "width", "height", "style", "loading"}
        assert response["title"] == "Flip-flop · GRU Scope"
    response = embeddable_client.get("/oembed", params={"url": f"{HOST}/?{urlencode(link)}"}).json()
    assert {name: values[0] for name, values in parse_qs(urlsplit(frame(response)["src"]).query).items()} == link


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/", "http://testserver.elsewhere.example/", "http://testserver@elsewhere.example/",
        "http://someone@testserver/", "http://testserver:81/", "//testserver/", "/embed", "javascript://testserver/",
        "http://testserver/docs", "http://testserver/embed/..", "http://[", "",
    ],
)  # fmt: skip
def test_oembed_returns_404_for_pages_of_other_servers(client: TestClient, url: str) -> None:
    response = client.get("/oembed", params={"url": url})
    assert response.status_code == 404
    assert response.json()["error"] == {
        "code": "not-found",
        "message": "only this server's Lab, /start, /compare, /train, experiments and lessons can be embedded",
        "where": "url",
    }  # fmt: skip


def test_oembed_refuses_xml_with_501(client: TestClient) -> None:
    response = client.get("/oembed", params={"url": f"{HOST}/", "format": "xml"})
    assert response.status_code == 501
    assert response.json()["error"]["where"] == "format"


@pytest.mark.parametrize("path", ["/compare", "/embed/compare"])
def test_an_embedded_comparison_keeps_all_keys_of_its_link(embeddable_client: TestClient, path: str) -> None:
    link = urlencode({"task": "sentiment", "t": "3", "cells": "rnn,gru"})
    response = embeddable_client.get("/oembed", params={"url": f"{HOST}{path}?{link}"}).json()
    assert response["title"] == "Compare · GRU Scope"
    source = unescape(re.findall(r'src="([^"]*)"', response["html"])[0])
    assert source == f"{HOST}/embed/compare?{link}"
    framed = embeddable_client.get(source)
    assert framed.status_code == 200
    assert framed.headers["cross-origin-resource-policy"] == "cross-origin"
    assert 'aria-label="Pages"' not in framed.text
