"""What a link shows as files: from the server, from the command line, and as a folder of pages."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.assets import assets
from app.errors import Refused
from app.exports import page as export
from app.link import FOCUS, read_address, read_link
from app.main import create_app
from app.pages.examples import EXAMPLES
from app.runs.linked import LinkedRun, run_link
from app.settings import Settings
from gru_core import Clamp, Edit

STATES = ("r", "z", "h_tilde", "h")


def element(html: str, name: str) -> str:
    found = re.search(rf'<script type="application/json" id="{name}"[^>]*>(.*?)</script>', html, re.S)
    assert found is not None
    return found[1]


def columns(text: str) -> tuple[list[str], dict[str, np.ndarray]]:
    head, *lines = csv.reader(io.StringIO(text))
    numbers = np.array([line[2:] for line in lines], float)
    return [line[1] for line in lines], dict(zip(head[2:], numbers.T, strict=True))


@pytest.mark.parametrize("name", ["flip-flop", "sentiment", "pocket-calculator"])
def test_numbers_are_the_cores_in_every_format(client: TestClient, name: str) -> None:
    model = gru.load(name)
    trace = gru.trace(model, model.examples[0])
    link = {"model": name, "sequence": model.examples[0]}
    files = {ending: client.get(f"/api/export/trace.{ending}", params=link) for ending in ("csv", "json", "npz")}
    for ending, response in files.items():
        assert response.headers["content-disposition"] == f'attachment; filename="gruscope-{name}.{ending}"'
    tokens, of = columns(files["csv"].text)
    assert tokens == trace.tokens
    whole = json.loads(files["json"].content)
    arrays = np.load(io.BytesIO(files["npz"].content))
    assert list(arrays["tokens"]) == whole["tokens"] == trace.tokens
    for signal in STATES:
        wanted = getattr(trace, signal)
        np.testing.assert_array_equal(arrays[f"layers.0.{signal}"], wanted)
        np.testing.assert_array_equal(np.array(whole["layers"][0][signal]), wanted)
        for unit in range(model.layers[0].units):
            np.testing.assert_array_equal(of[f"{signal}.{unit + 1}"], wanted[:, unit])
    for k, label in enumerate(model.readout.labels):
        np.testing.assert_array_equal(of[f"y.{label}"], trace.y[:, k])
    np.testing.assert_array_equal(arrays["y"], trace.y)
    np.testing.assert_array_equal(arrays["layers.0.x"], trace.layers[0].x)


def test_what_is_changed_comes_beside_the_untouched_run(stacked_client: TestClient) -> None:
    link = {"model": "stacked", "clamps": "L2.z.1@2-=0.25", "weights": "r.2.b=-1"}
    entry = next(e for e in stacked_client.get("/api/models").json() if e["id"] == "stacked")
    whole = stacked_client.post(
        "/api/trace",
        json={
            "model": "stacked",
            "sequence": entry["examples"][0],
            "clamps": [{"gate": "z", "units": [1], "from": 2, "to": None, "value": 0.25, "layer": 2}],
            "weights": [{"gate": "r", "unit": 2, "part": "b", "value": -1.0}],
        },
    ).json()
    _, of = columns(stacked_client.get("/api/export/trace.csv", params=link).text)
    arrays = np.load(io.BytesIO(stacked_client.get("/api/export/trace.npz", params=link).content))
    assert (of["L2.z.1"][1:] == 0.25).all()
    for i, layer in enumerate(whole["layers"]):
        for signal in STATES:
            for prefix in ("", "twin."):
                wanted = np.array(layer[prefix + signal])
                np.testing.assert_array_equal(arrays[f"{prefix}layers.{i}.{signal}"], wanted)
                place = f"{prefix}{'' if i == 0 else 'L2.'}{signal}"
                np.testing.assert_array_equal(of[f"{place}.2"], wanted[:, 1])


def test_a_link_is_read_as_the_page_reads_it() -> None:
    link = read_link(
        read_address("http://x.example/?model=m&clamps=z.1%2B3@4-6=0.5,L2.h_prev@1-=-1&weights=z.1.W3=1e-3")
    )
    assert [clamp.clamp() for clamp in link.clamps] == [
        Clamp("z", 0.5, [0, 2], slice(3, 6)),
        Clamp("h_prev", -1.0, None, slice(0, None), 1),
    ]
    assert [weight.edit() for weight in link.weights] == [Edit(0, "z", 0, "W", 2, 1e-3)]
    for model, questions in EXAMPLES.items():
        for question in questions:
            of = run_link({"model": model, **dict(parse_qsl(question.link))}, Settings())
            again = run_link(read_address(of.link.address(of.scenario)), Settings())
            assert again == LinkedRun(of.link, of.scenario, again.start, again.trace)


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("clamps=z at two", "clamps must look like z.1@4-6=0"),
        ("clamps=z.1@0=0", "clamps count layers, units and steps from 1"),
        ("clamps=z.9@1=0", "unit 9 is not in this layer"),
        ("weights=z.1.b", "weights must look like z.1.W3=0.5"),
        ("sequence=A Q", "step 2: 'Q' is not in this model's alphabet"),
        ("t=99", "t must be from 1 to 14"),
        ("t=0", "t must be a whole number, at least 1"),
        ("layer=2", "layer must be from 1 to 1"),
        ("unit=2", "unit must be from 1 to 1"),
        ("views=tape,nonsense", "views must be one or more of tape,words"),
        ("v=2", "another version"),
        ("model=nope", "there is no such model"),
    ],
)
def test_a_link_that_cannot_be_followed_is_refused_in_words(client: TestClient, link: str, says: str) -> None:
    for file in ("page.html", "trace.csv"):
        response = client.get(f"/api/export/{file}", params={"model": "flip-flop"} | read_address(link))
        assert response.status_code in (404, 422)
        assert says in response.json()["error"]["message"]


def test_the_page_is_one_file_that_nothing_in_it_can_break_out_of(client: TestClient) -> None:
    response = client.get("/api/export/page.html", params={"model": "flip-flop", "t": "2", "views": "tape,memory"})
    assert response.headers["content-disposition"] == 'attachment; filename="gruscope-flip-flop.html"'
    html = response.text
    # Nothing is loaded: no address in an attribute but the icon's and that of the server itself.
    loads = re.findall(
        r'<(?:link|script|img|iframe)[^>]*?(?:href|src)="([^"]*)"', re.sub(r"<script.*?</script>", "", html, flags=re.S)
    )
    assert [address[:5] for address in loads] == ["data:"]
    assert "import.meta" not in html
    for name in ("record", "boot", "plotly"):
        assert "<" not in element(html, name)
    assert json.loads(element(html, "plotly")) == assets()["plotly.min.js"].content.decode()
    record = json.loads(element(html, "record"))
    assert dict(parse_qsl(record["link"][1:])) == {
        "model": "flip-flop",
        "sequence": "A x x y B z . A y x x B . z",
        "t": "2",
        "views": "tape,memory",
        "v": "1",
    }
    assert record["live"] == "http://testserver/"
    assert 5e6 < len(html) < 6e6


def test_what_is_recorded_is_what_the_server_answers(client: TestClient) -> None:
    link = {"model": "sentiment", "sequence": "not very bad . the film", "clamps": "z.3@2=0", "unit": "3"}
    html = client.get("/api/export/page.html", params=link).text
    held, free = json.loads(element(html, "record"))["runs"]
    assert (len(held["scenario"]["clamps"]), free["scenario"]["clamps"]) == (1, [])
    for run in (held, free):
        about = run["scenario"] | {"layer": 1, "unit": 5}
        assert (
            run["trace"]
            == client.post("/api/trace", json=run["scenario"], headers={"accept": "text/event-stream"}).text
        )
        for kind in ("sums", "ledger"):
            answer = client.post(f"/api/{kind}", json=about | {"from": 1, "to": 6}).json()
            assert run["answers"][kind]["1.5"] | {"layer": 1, "unit": 5} == answer
        for t, recorded in enumerate(run["answers"]["sensitivity"]["1.5"]["at"], 1):
            answer = client.post("/api/sensitivity", json=about | {"t": t}).json()
            assert {key: answer[key] for key in recorded} == recorded


@pytest.mark.parametrize(("t", "unit"), [("1900", "7"), ("1", "1")])
def test_a_long_run_is_recorded_around_the_cursor_within_the_budget(t: str, unit: str) -> None:
    keys = {"model": "sentiment", "sequence": "good " * 2000, "t": t, "unit": unit}
    html = export.page(run_link(keys, Settings()), Settings())
    assert len(html) < 14e6
    (run,) = json.loads(element(html, "record"))["runs"]
    for kind in ("sums", "ledger", "sensitivity"):
        of = run["answers"][kind][f"1.{unit}"]
        assert of["from"] <= int(t) <= of["to"]


def test_models_whose_names_are_no_file_names_are_exported_under_others(client: TestClient) -> None:
    of = run_link({"model": "flip-flop"}, Settings())
    odd = LinkedRun(of.link, of.scenario.model_copy(update={"model": 'a"\r\nb/č'}), of.start, of.trace)
    assert odd.name == "gruscope-a-b-"


def test_a_model_of_any_name_is_a_file_of_that_name(tmp_path: Path) -> None:
    """A header holds ASCII; RFC 6266 says how another name goes along."""
    name = 'сеть № 1 "x"'
    gru.load("flip-flop").save(tmp_path / f"{name}.safetensors")
    with TestClient(create_app(Settings(models=str(tmp_path)))) as client:
        response = client.get("/api/export/model.safetensors", params={"model": name})
    assert response.status_code == 200
    form = r"attachment; filename=\"([\w.-]*)\"; filename\*=UTF-8''(\S*)"
    found = re.fullmatch(form, response.headers["content-disposition"], re.ASCII)
    assert found is not None
    plain, encoded = found.groups()
    assert plain.endswith(".safetensors")
    assert unquote(encoded) == "сеть1x.safetensors"


def test_every_key_of_a_link_is_in_the_reference() -> None:
    links = (Path(__file__).parents[2] / "docs" / "reference" / "links.md").read_text()
    for key in FOCUS:
        assert f"`{key}`" in links


def gruscope(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "app.cli", "export", *arguments], capture_output=True)


def test_the_command_writes_files_and_pipes(tmp_path: Path) -> None:
    html, npz = tmp_path / "out.html", tmp_path / "out.npz"
    done = gruscope(
        "--model", "flip-flop", "--sequence", "A x x B", "--t", "4", "--clamps", "z@4=0",
        "--html", str(html), "--npz", str(npz), "--csv", "-",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    held = gru.trace(gru.load("flip-flop"), "A x x B", clamps=[Clamp("z", 0.0, None, slice(3, 4))])
    tokens, of = columns(done.stdout.decode())
    assert tokens == ["A", "x", "x", "B"]
    np.testing.assert_array_equal(of["h.1"], held.h[:, 0])
    np.testing.assert_array_equal(np.load(npz)["layers.0.h"], held.h)
    assert json.loads(element(html.read_text("utf-8"), "record"))["live"] == ""
    said = done.stderr.decode().splitlines()
    assert len(said) == 2
    assert said[0].endswith("MB")


def test_a_key_beside_a_link_goes_before_it() -> None:
    done = gruscope("http://localhost:8000/?model=sentiment&sequence=good", "--sequence", "not bad", "--json", "-")
    assert json.loads(done.stdout)["tokens"] == ["not", "bad"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 2, "choose a file to write: --html"),
        (("--csv", "-", "--json", "-"), 2, "only one file can go to standard output"),
        (("--model", "nope", "--csv", "-"), 1, "there is no such model"),
        (("--sequence", "Q", "--csv", "-"), 1, "'Q' is not in this model's alphabet"),
        (("--csv", "/nowhere/at.csv"), 1, "/nowhere/at.csv cannot be opened or written"),
        (("--site", "out"), 2, "--site needs a TOML file"),
        (("--site", "out", "/nowhere.toml"), 1, "/nowhere.toml cannot be opened"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...], status: int, says: str) -> None:
    done = gruscope(*arguments)
    assert done.returncode == status
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_pictures_name_the_extra_that_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    from app.exports.files import as_picture

    with pytest.raises(ImportError, match=r"pip install 'gruscope\[pictures\]'"):
        as_picture(gru.trace(gru.load("flip-flop"), "A x"), -1, "title", "svg")


SCENARIOS = """
[holds]
title = "It holds <the> letter"
text = "z is near 0 & keeps."
model = "flip-flop"
sequence = "A x x B x"
t = 4

[forgets]
model = "flip-flop"
sequence = "A x x B x"
clamps = "z@2-=0.5"
"""


def test_a_site_is_a_folder_of_pages_that_share_one_plotly(tmp_path: Path) -> None:
    file, folder = tmp_path / "scenarios.toml", tmp_path / "out" / "site"
    file.write_text(SCENARIOS)
    done = gruscope("--site", str(folder), str(file), "--live", "https://scope.example")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "forgets.html",
        "holds.html",
        "index.html",
        "plotly.min.js",
    ]
    assert (folder / "plotly.min.js").read_bytes() == assets()["plotly.min.js"].content
    for page in ("holds", "forgets"):
        html = (folder / f"{page}.html").read_text("utf-8")
        assert len(html) < 1e6
        assert 'data-src="plotly.min.js"' in html
        assert json.loads(element(html, "record"))["live"] == "https://scope.example/"
    index = (folder / "index.html").read_text("utf-8")
    assert re.findall(r'<a href="([^"]*)">(.*?)</a>', index) == [
        ("holds.html", "It holds &lt;the&gt; letter"),
        ("forgets.html", "forgets"),
    ]
    assert "z is near 0 & keeps." in unescape(index)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no scenarios"),
        ("[a]\nmodle = 'flip-flop'", "[a] has the unknown key modle"),
        ("[a]\nsequence = 'Q'", "[a]: step 1: 'Q' is not"),
        ("a = 1", "a is not a table"),
        ("['../a']\n", "cannot be a page"),
        ("[index]\n", "cannot be a page"),
        ("[a", "scenarios.toml is not TOML: Expected"),
    ],
)
def test_a_bad_scenario_is_named_before_anything_is_written(tmp_path: Path, text: str, says: str) -> None:
    file, folder = tmp_path / "scenarios.toml", tmp_path / "site"
    file.write_text(text)
    done = gruscope("--site", str(folder), str(file))
    assert done.returncode == 1
    assert says in done.stderr.decode()
    assert not folder.exists()


def test_links_that_are_not_followed_raise_before_anything_is_run() -> None:
    with pytest.raises(Refused, match="zoom must be"):
        run_link({"zoom": "huge"}, Settings())
