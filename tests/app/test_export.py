"""A link exported as files: by the server, by the command, and as a folder of pages."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
import subprocess
import sys
import zlib
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.assets import assets
from app.cli import main
from app.errors import Refused
from app.exports import page as export
from app.exports.models import MOST_WEIGHTS
from app.link import CHANGES, FOCUS, read_address, read_link
from app.main import create_app
from app.pages.examples import EXAMPLES
from app.runs.linked import LinkedRun, run_link
from app.settings import Settings
from gru_core import Clamp, Edit, presets
from tests.support.chromium import installed
from tests.support.commands import exit_code
from tests.support.events import unpacked_answer
from tests.support.files import npz, torch_layer
from tests.support.networks import network_of

STATES = ("r", "z", "h_tilde", "h")


def element(html: str, name: str) -> str:
    """Return the text in the script element with the id `name`."""
    match = re.search(rf'<script type="(?:application/json|text/plain)" id="{name}"[^>]*>(.*?)</script>', html, re.S)
    assert match is not None
    return match[1]


def columns(text: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """Parse the CSV data in `text`. Return the tokens, and the columns of numbers by name."""
    head, *lines = csv.reader(io.StringIO(text))
    numbers = np.array([line[2:] for line in lines], float)
    return [line[1] for line in lines], dict(zip(head[2:], numbers.T, strict=True))


@pytest.mark.parametrize("name", ["flip-flop", "sentiment", "pocket-calculator"])
def test_csv_json_and_npz_contain_the_numbers_of_the_core(client: TestClient, name: str) -> None:
    model = gru.load(name)
    trace = gru.trace(model, model.examples[0])
    link = {"model": name, "sequence": model.examples[0]}
    files = {ending: client.get(f"/api/export/trace.{ending}", params=link) for ending in ("csv", "json", "npz")}
    for ending, response in files.items():
        assert response.headers["content-disposition"] == f'attachment; filename="gruscope-{name}.{ending}"'
    tokens, csv_columns = columns(files["csv"].text)
    assert tokens == trace.tokens
    whole = json.loads(files["json"].content)
    arrays = np.load(io.BytesIO(files["npz"].content))
    assert list(arrays["tokens"]) == whole["tokens"] == trace.tokens
    for signal in STATES:
        expected = getattr(trace, signal)
        np.testing.assert_array_equal(arrays[f"layers.0.{signal}"], expected)
        np.testing.assert_array_equal(np.array(whole["layers"][0][signal]), expected)
        for unit in range(model.layers[0].units):
            np.testing.assert_array_equal(csv_columns[f"{signal}.{unit + 1}"], expected[:, unit])
    for k, label in enumerate(model.readout.labels):
        np.testing.assert_array_equal(csv_columns[f"y.{label}"], trace.y[:, k])
    np.testing.assert_array_equal(arrays["y"], trace.y)
    np.testing.assert_array_equal(arrays["layers.0.x"], trace.layers[0].x)


def test_a_changed_run_is_exported_together_with_the_original_run(stacked_client: TestClient) -> None:
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
    _, csv_columns = columns(stacked_client.get("/api/export/trace.csv", params=link).text)
    arrays = np.load(io.BytesIO(stacked_client.get("/api/export/trace.npz", params=link).content))
    assert (csv_columns["L2.z.1"][1:] == 0.25).all()
    for i, layer in enumerate(whole["layers"]):
        for signal in STATES:
            for prefix in ("", "twin."):
                expected = np.array(layer[prefix + signal])
                np.testing.assert_array_equal(arrays[f"{prefix}layers.{i}.{signal}"], expected)
                column = f"{prefix}{'' if i == 0 else 'L2.'}{signal}"
                np.testing.assert_array_equal(csv_columns[f"{column}.2"], expected[:, 1])


def test_a_link_is_parsed_into_clamps_and_weights_and_written_back() -> None:
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
            first = run_link({"model": model, **dict(parse_qsl(question.link))}, Settings())
            again = run_link(read_address(first.link.address(first.scenario)), Settings())
            assert again == LinkedRun(first.link, first.scenario, again.start, again.trace)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("clamps=z at two", "clamps must look like z.1@4-6=0"),
        ("clamps=z.1@0=0", "clamps count layers, units and timesteps from 1"),
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
def test_a_bad_link_is_refused_with_a_message(client: TestClient, link: str, message: str) -> None:
    for file in ("page.html", "trace.csv"):
        response = client.get(f"/api/export/{file}", params={"model": "flip-flop"} | read_address(link))
        assert response.status_code in (404, 422)
        assert message in response.json()["error"]["message"]


def test_the_exported_page_loads_no_file_and_escapes_its_data(client: TestClient) -> None:
    response = client.get("/api/export/page.html", params={"model": "flip-flop", "t": "2", "views": "tape,memory"})
    assert response.headers["content-disposition"] == 'attachment; filename="gruscope-flip-flop.html"'
    html = response.text
    # The page loads nothing: the only address in an element that loads a file is the icon's data URL.
    loads = re.findall(
        r'<(?:link|script|img|iframe)[^>]*?(?:href|src)="([^"]*)"', re.sub(r"<script.*?</script>", "", html, flags=re.S)
    )
    assert [address[:5] for address in loads] == ["data:"]
    assert "import.meta" not in html
    for name in ("record", "boot", "plotly"):
        assert "<" not in element(html, name)
    assert gzip.decompress(base64.b64decode(element(html, "plotly"))) == assets()["plotly.min.js"].content
    record = json.loads(element(html, "record"))
    assert dict(parse_qsl(record["link"][1:])) == {
        "model": "flip-flop",
        "sequence": "A m m p B s . A p m m B . s",
        "t": "2",
        "views": "tape,memory",
        "v": "1",
    }
    assert record["live"] == "http://testserver/"
    assert len(html) < 1.1 * len(assets()["plotly.min.js"].content) + 0.8e6


@pytest.mark.parametrize("runs_itself", [True, False])
def test_the_recorded_responses_equal_those_of_the_server(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, runs_itself: bool
) -> None:
    """A page that includes its network records only gradients. Other pages also record equations, sums and ledgers."""
    if not runs_itself:
        monkeypatch.setattr("app.exports.models.MOST_WEIGHTS", 0)
    link = {"model": "sentiment", "sequence": "not very bad . the film", "clamps": "z.3@2=0", "unit": "3"}
    html = client.get("/api/export/page.html", params=link).text
    record = json.loads(element(html, "record"))
    assert list(record["models"]) == (["sentiment"] if runs_itself else [])
    clamped, original = record["runs"]
    assert (len(clamped["scenario"]["clamps"]), original["scenario"]["clamps"]) == (1, [])
    for run in (clamped, original):
        request = run["scenario"] | {"layer": 1, "unit": 5}
        assert (
            run["trace"]
            == client.post("/api/trace", json=run["scenario"], headers={"accept": "text/event-stream"}).text
        )
        computed = ("equations", "sums", "ledger")
        assert set(run["answers"]) == {"sensitivity", *(() if runs_itself else computed)}
        for kind in () if runs_itself else computed:
            response = client.post(f"/api/{kind}", json=request | {"from": 1, "to": 6}).json()
            assert run["answers"][kind]["1.5"] | {"layer": 1, "unit": 5} == response
        for t, recorded in enumerate(run["answers"]["sensitivity"]["1.5"]["at"], 1):
            response = client.post("/api/sensitivity", json=request | {"t": t}).json()
            assert {key: response[key] for key in recorded} == unpacked_answer(recorded)


@pytest.mark.parametrize(("t", "unit"), [("1900", "7"), ("1", "1")])
def test_a_long_run_is_recorded_near_the_cursor_within_the_size_limit(t: str, unit: str) -> None:
    keys = {"model": "sentiment", "sequence": "good " * 2000, "t": t, "unit": unit}
    html = export.page(run_link(keys, Settings()), Settings())
    assert len(html) < 14.2e6
    (run,) = json.loads(element(html, "record"))["runs"]
    steps = run["answers"]["sensitivity"][f"1.{unit}"]
    assert steps["from"] <= int(t) <= steps["to"]


def test_the_page_of_a_preset_has_at_most_2_mb_with_a_clamp_and_the_small_plotly() -> None:
    plotly, settings = 665_000, Settings()  # size of the cartesian Plotly bundle, which is not on every machine
    scripts = sum(len(content) for name, content in export.shared_files().items() if name != export.PLOTLY)
    sizes = {}
    for name in presets.SHIPPED:
        clamp = f"{next(iter(gru.load(name).layers[0].holdable))}@2=0"
        run = run_link({"model": name, "clamps": clamp}, settings)
        sizes[name] = len(export.page(run, settings, shared=True).encode()) + plotly + scripts
    assert max(sizes.values()) <= 2_000_000, max(sizes, key=lambda name: sizes[name])


def test_file_names_have_no_special_characters_of_the_models_name(client: TestClient) -> None:
    run = run_link({"model": "flip-flop"}, Settings())
    odd = LinkedRun(run.link, run.scenario.model_copy(update={"model": 'a"\r\nb/č'}), run.start, run.trace)
    assert odd.name == "gruscope-a-b-"


def test_a_download_has_the_models_name_in_unicode_and_in_ascii(tmp_path: Path) -> None:
    """A header can contain only ASCII. RFC 6266 defines how a header encodes other file names."""
    name = 'сеть № 1 "x"'
    gru.load("flip-flop").save(tmp_path / f"{name}.safetensors")
    with TestClient(create_app(Settings(models=str(tmp_path)))) as client:
        response = client.get("/api/export/model.safetensors", params={"model": name})
    assert response.status_code == 200
    form = r"attachment; filename=\"([\w.-]*)\"; filename\*=UTF-8''(\S*)"
    match = re.fullmatch(form, response.headers["content-disposition"], re.ASCII)
    assert match is not None
    plain, encoded = match.groups()
    assert plain.endswith(".safetensors")
    assert unquote(encoded) == "сеть1x.safetensors"


def test_the_docs_list_every_key_of_a_link() -> None:
    links = (Path(__file__).parents[2] / "docs" / "reference" / "links.md").read_text()
    for key in (*CHANGES, *FOCUS):
        assert f"`{key}`" in links


def gruscope(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `gruscope export` in its own process."""
    return subprocess.run([sys.executable, "-m", "app.cli", "export", *arguments], capture_output=True)


def test_the_export_command_writes_files_and_standard_output(tmp_path: Path) -> None:
    html, npz = tmp_path / "out.html", tmp_path / "out.npz"
    process = gruscope(
        "--model", "flip-flop", "--sequence", "A m m B", "--t", "4", "--clamps", "z@4=0",
        "--html", str(html), "--npz", str(npz), "--csv", "-",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    clamped = gru.trace(gru.load("flip-flop"), "A m m B", clamps=[Clamp("z", 0.0, None, slice(3, 4))])
    tokens, csv_columns = columns(process.stdout.decode())
    assert tokens == ["A", "m", "m", "B"]
    np.testing.assert_array_equal(csv_columns["h.1"], clamped.h[:, 0])
    np.testing.assert_array_equal(np.load(npz)["layers.0.h"], clamped.h)
    assert json.loads(element(html.read_text("utf-8"), "record"))["live"] == ""
    lines = process.stderr.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("MB")


def test_the_command_says_up_to_which_size_a_network_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.html"
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    assert f"{MOST_WEIGHTS:,} weights" in capsys.readouterr().out.replace("\n", " ").replace("  ", "")
    monkeypatch.setattr("app.exports.models.MOST_WEIGHTS", 20)
    assert main(["export", "--model", "flip-flop", "--html", str(file)]) == 0
    assert "at most 20" in capsys.readouterr().err
    assert not json.loads(element(file.read_text("utf-8"), "record"))["models"]


def test_the_command_exports_a_model_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, page, text = network_of("lstm"), tmp_path / "page.html", "1,0,0 0,1,0"
    model.save(tmp_path / "net.safetensors")
    (tmp_path / "state.npz").write_bytes(npz(**torch_layer(np.random.default_rng(0), 3, 4)))
    for file, run in (("net.safetensors", gru.trace(model, text)), ("state.npz", None)):
        arguments = ["--model", str(tmp_path / file), "--sequence", text, "--csv", "-", "--html", str(page)]
        assert main(["export", *arguments]) == 0
        _, csv_columns = columns(capsys.readouterr().out)
        run = run or gru.trace(gru.load(tmp_path / file), text)
        np.testing.assert_array_equal(csv_columns["h.1"], run.layers[0].h[:, 0])
        assert list(json.loads(element(page.read_text("utf-8"), "record"))["models"]) == [Path(file).stem]


def test_the_scenarios_of_a_site_can_name_files_of_models_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "scenarios.toml", tmp_path / "site"
    (tmp_path / "other").mkdir()
    for path in ("net.safetensors", "other/net.safetensors"):
        network_of("gru").save(tmp_path / path)
    pages = "[a]\nmodel = 'net.safetensors'\nsequence = '1,0,0'\n[b]\nmodel = 'net.safetensors'\nsequence = '0,1,0'\n"
    file.write_text(pages)
    assert main(["export", "--site", str(folder), str(file)]) == 0
    for page in ("a", "b"):
        assert list(json.loads(element((folder / f"{page}.html").read_text("utf-8"), "record"))["models"]) == ["net"]
    file.write_text(f"{pages}[c]\nmodel = 'other/net.safetensors'\n")
    assert main(["export", "--site", str(tmp_path / "again"), str(file)]) == 1
    assert "rename" in capsys.readouterr().err
    assert main(["export", "--model", "net", "--csv", "-"]) == 1  # this command does not know the file


def test_an_option_of_the_command_overrides_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    link = "http://localhost:8000/?model=sentiment&sequence=good"
    assert main(["export", link, "--sequence", "not bad", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == ["not", "bad"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "choose a file to write: --html"),
        (("--csv", "-", "--json", "-"), 2, "only one file can go to standard output"),
        (("--model", "nope", "--csv", "-"), 1, "there is no such model"),
        (("--model", "nope.safetensors", "--csv", "-"), 1, "nope.safetensors"),
        (("--sequence", "Q", "--csv", "-"), 1, "'Q' is not in this model's alphabet"),
        (("--csv", "/nowhere/at.csv"), 1, "/nowhere/at.csv cannot be opened or written"),
        (("--site", "out"), 2, "--site needs a TOML file"),
        (("--site", "out", "/nowhere.toml"), 1, "/nowhere.toml cannot be opened"),
    ],
)
def test_the_export_command_reports_errors(
    arguments: tuple[str, ...], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("export", *arguments) == status
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""


def test_the_error_without_kaleido_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    from app.exports.files import as_picture

    with pytest.raises(ImportError, match=r"pip install 'gruscope\[pictures\]'"):
        as_picture(gru.trace(gru.load("flip-flop"), "A m"), -1, "title", "svg")


def test_the_export_command_writes_a_pdf_of_one_page_with_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kaleido", reason="the extra pictures is not installed")
    monkeypatch.setenv("BROWSER_PATH", installed() or "")
    file = tmp_path / "signals.pdf"
    assert exit_code("export", "--model", "flip-flop", "--sequence", "A m m B", "--pdf", str(file)) == 0
    pdf = file.read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert b"/Type /Font" in pdf


SCENARIOS = """
[holds]
title = "It holds <the> letter"
text = "z is near 0 & keeps."
model = "flip-flop"
sequence = "A m m B m"
t = 4

[gate]
page = "start"

[forgets]
model = "flip-flop"
sequence = "A m m B m"
clamps = "z@2-=0.5"
"""


def test_a_site_is_a_folder_of_pages_with_one_file_of_plotly(tmp_path: Path) -> None:
    file, folder = tmp_path / "scenarios.toml", tmp_path / "out" / "site"
    file.write_text(SCENARIOS)
    process = gruscope("--site", str(folder), str(file), "--live", "https://scope.example")
    assert process.returncode == 0, process.stderr
    weights = sum(array.size for array in gru.load("flip-flop").parameters.values())
    written = {Path(line.partition(": ")[0]).name: line for line in process.stderr.decode().splitlines()}
    for page in ("forgets", "gate", "holds"):
        assert f"{weights} weights" in written[f"{page}.html"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "engine.js",
        "forgets.html",
        "gate.html",
        "gruscope.js",
        "holds.html",
        "index.html",
        "lab.js",
        "plotly.min.js",
    ]
    assert (folder / "plotly.min.js").read_bytes() == assets()["plotly.min.js"].content
    for page in ("holds", "forgets"):
        html = (folder / f"{page}.html").read_text("utf-8")
        assert len(html) < 0.3e6
        assert 'data-src="plotly.min.js"' in html
        assert json.loads(element(html, "record"))["live"] == "https://scope.example/"
    gate = (folder / "gate.html").read_text("utf-8")
    assert "plotly.min.js" not in gate
    assert 'href="https://scope.example/?model=flip-flop&amp;' in gate
    index = (folder / "index.html").read_text("utf-8")
    assert re.findall(r'<a href="([^"]*)">(.*?)</a>', index) == [
        ("holds.html", "It holds &lt;the&gt; letter"),
        ("gate.html", "gate"),
        ("forgets.html", "forgets"),
    ]
    assert "z is near 0 & keeps." in unescape(index)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no scenarios"),
        ("[a]\nmodle = 'flip-flop'", "[a] has the unknown key modle"),
        ("[a]\npage = 'start'\nt = 3", "[a] has the unknown key t"),
        ("[a]\npage = 'train'", "[a] has another page"),
        ("[a]\nsequence = 'Q'", "[a]: step 1: 'Q' is not"),
        ("a = 1", "a is not a table"),
        ("['../a']\n", "cannot be a page"),
        ("[index]\n", "cannot be a page"),
        ("[a", "scenarios.toml is not TOML: Expected"),
    ],
)
def test_a_bad_scenario_is_reported_before_anything_is_written(
    tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "scenarios.toml", tmp_path / "site"
    file.write_text(text)
    assert main(["export", "--site", str(folder), str(file)]) == 1
    assert message in capsys.readouterr().err
    assert not folder.exists()


def test_a_link_has_the_initial_state_of_each_layer() -> None:
    name = "sentiment-two-layers"
    model = gru.load(name)
    states = [np.linspace(-1, 1, layer.units).tolist() for layer in model.layers]
    keys = {"model": name, "h0": ";".join(",".join(map(str, state)) for state in states)}
    linked = run_link(keys, Settings())
    np.testing.assert_array_equal(linked.trace.y, gru.trace(model, str(linked.scenario.sequence), states).y)
    assert read_address(linked.link.address(linked.scenario))["h0"] == keys["h0"]
    for text in ("0.5,", ";", "0.5;x", "1e999", "nan"):
        with pytest.raises(Refused, match="h0"):
            read_link({"h0": text})


def test_an_unknown_value_in_a_link_is_refused_before_the_run() -> None:
    with pytest.raises(Refused, match="zoom must be"):
        run_link({"zoom": "huge"}, Settings())


def test_a_link_with_its_long_values_after_the_hash_is_exported_as_the_whole_link(client: TestClient) -> None:
    query = "?model=flip-flop&sequence=A+m+m+B&clamps=z.1@2=0"
    packed = base64.urlsafe_b64encode(zlib.compress(b"sequence=A+m+m+B&clamps=z.1@2=0")).decode().rstrip("=")
    compact = f"?model=flip-flop#more={packed}"
    assert read_address(compact) == read_address(query)
    for ending in ("csv", "json", "npz"):
        whole = client.get(f"/api/export/trace.{ending}{query}")
        posted = client.post(f"/api/export/trace.{ending}", json={"link": compact})
        assert posted.content == whole.content
        assert posted.headers["content-disposition"] == whole.headers["content-disposition"]
    assert (
        client.post("/api/export/sizes", json={"link": compact}).json()
        == client.get(f"/api/export/sizes{query}").json()
    )
    assert client.post("/api/export/compare.html", json={"link": "?task=flip-flop#more=" + packed}).text == (
        client.get("/api/export/compare.html?task=flip-flop&sequence=A+m+m+B&clamps=z.1@2=0").text
    )
    for damaged in (f"?model=flip-flop#more={packed[:-4]}", "?#more=é"):
        assert client.post("/api/export/trace.csv", json={"link": damaged}).json()["error"]["code"] == "link"
