"""The docs: examples print what they claim, snippets write readable files, and pages load nothing from other hosts."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import COMMANDS
from app.link import read_address, read_link
from app.main import create_app
from app.settings import LOCAL, Settings
from gru_core import formats
from gru_core.formats.imported import ENDINGS
from gru_core.parity import report
from tests.support import examples, notebooks
from tests.support.files import FIXTURES, reference

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CHECKED_PAGES = [
    "tutorial.md",
    *(f"explanation/{name}.md" for name in ("conventions", "memory", "gradients", "real-data")),
]
EXECUTED_PAGES = ["how-to/serve.md", "how-to/export.md", "how-to/python.md", "how-to/own-model.md"]
NOTEBOOKS = sorted(DOCS.glob("notebooks/*.ipynb"))


@pytest.mark.parametrize("name", CHECKED_PAGES + EXECUTED_PAGES)
def test_examples_print_what_they_claim_and_the_prose_has_no_other_numbers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # examples read the fixtures that other libraries wrote
    markdown = (DOCS / name).read_text()
    computed = examples.check(markdown) + "".join(examples.blocks(markdown))
    assert not {figure for figure in examples.figures(markdown) if figure not in computed}


def test_every_page_with_python_code_is_tested() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if examples.blocks(path.read_text())}
    assert pages == {*CHECKED_PAGES, *EXECUTED_PAGES}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_reproduces_its_stored_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert notebooks.run(notebook)["cells"] == notebook["cells"]
    assert path.read_text() == notebooks.write(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_numbers_in_a_notebooks_prose_are_in_its_output(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    printed = "".join("".join(o.get("text", [])) for cell in cells for o in cell.get("outputs", []))
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert examples.figures(prose)
    assert not {figure for figure in examples.figures(prose) if figure not in printed}


def test_the_claims_of_the_flip_flop_notebook_are_true() -> None:
    model = gru.load("flip-flop")
    trace = gru.trace(model, "A m m p B m m")
    capital = np.array([token in "AB" for token in trace.tokens or []])
    assert trace.z[capital].min() > 0.8
    assert trace.z[~capital].max() < 0.1  # “dark where there is a capital and pale everywhere else”
    assert np.abs(np.diff(trace.h[:, 0]))[~capital[1:]].max() < 0.01  # “where it is pale, h does not move”
    shares = trace.ledger(0)
    assert shares[3].argmax() == 1  # “most of the state is what the A put in”
    assert shares[6].argmax() == 5  # “after the seventh what the B put in”


def settings_of(page: Path) -> dict[str, str]:
    """Return the default of each setting by name. Skip rows of the page's settings tables that have no meaning."""
    return {name: default for name, default, meaning in rows_of(page) if meaning}


def rows_of(page: Path) -> list[tuple[str, str, str]]:
    """Return the rows of a page's settings tables as (name, value, meaning). A missing meaning is ""."""
    rows = re.findall(r"^\| `GRUSCOPE_(\w+)` \| *(.*?) *\|(?: *(\S.*?) *\|)?", page.read_text(), re.M)
    return [(name.lower(), value.strip("`"), meaning) for name, value, meaning in rows]


DEFAULTS = {
    field.name: str(int(field.default) if isinstance(field.default, bool) else field.default)
    for field in dataclasses.fields(Settings)
}


@pytest.mark.parametrize("name", ["serve", "host", "rooms"])
def test_guides_have_the_defaults_of_the_settings(name: str) -> None:
    rows = settings_of(DOCS / "how-to" / f"{name}.md")
    assert rows
    assert rows.items() <= DEFAULTS.items()


def test_the_reference_lists_every_setting_with_its_default() -> None:
    page = DOCS / "reference" / "settings.md"
    assert settings_of(page) == DEFAULTS
    assert {name: int(value) for name, value, meaning in rows_of(page) if not meaning} == LOCAL


# The snippets that export a network, tested with the files that the libraries wrote.

WEIGHTS = (DOCS / "how-to" / "weights.md").read_text()
SNIPPETS = dict(re.findall(r'^```python title="(.*?)"\n(.*?)^```$', WEIGHTS, re.S | re.M))
FILES = {
    "PyTorch": ("pytorch-tagger.safetensors", "pytorch-tagger"),
    "Keras": ("keras-before.keras", "keras-before"),
    "ONNX": ("pytorch-tagger.onnx", "pytorch-tagger"),
    "Flax linen": ("flax-linen.npz", "flax-linen"),
    "Flax nnx": ("flax-nnx.npz", "flax-nnx"),
    "Equinox": ("equinox.npz", "equinox"),
    "Haiku": ("haiku.npz", "haiku"),
    "MLX": ("mlx.safetensors", "mlx"),
}


def test_every_ending_of_a_file_that_is_read_is_listed() -> None:
    assert [ending for ending in ENDINGS if f"`{ending}`" not in WEIGHTS] == []


def test_there_is_a_snippet_for_every_library() -> None:
    assert SNIPPETS.keys() == {"Check", *FILES}


@pytest.mark.parametrize("library", FILES)
def test_the_files_of_a_snippet_pass_the_parity_check(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The library need not be installed: a stored file that the library wrote replaces the snippet's output."""
    file, name = FILES[library]
    calls = [node for node in ast.walk(ast.parse(SNIPPETS[library])) if isinstance(node, ast.Call)]
    (arrays,) = ([k.arg for k in c.keywords] for c in calls if ast.unparse(c).startswith("np.savez('reference.npz'"))
    (weights,) = set(re.findall(r'"(model\.[\w.]+)"', SNIPPETS[library]))
    assert "".join(Path(weights).suffixes) == Path(file).suffix
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURES / file, weights)
    arrays_of_reference = reference(name)
    arrays_of_reference["h"] = arrays_of_reference.get("h", arrays_of_reference.get("h_l1"))
    np.savez("reference.npz", **{str(array): arrays_of_reference[str(array)] for array in arrays})
    exec(compile(SNIPPETS["Check"].replace("model.safetensors", weights), "check", "exec"), {})
    *lines, verdict = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Keras" if library == "Keras" else library.split()[0])
    assert verdict.startswith("parity check passed: ")


def test_the_snippet_for_onnx_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURES / "pytorch-tagger.onnx", "model.onnx")
    exec(compile(SNIPPETS["ONNX"], "onnx", "exec"), {"x": reference("pytorch-tagger")["x"]})
    assert gru.check(formats.read_file("model.onnx"), "reference.npz").passed


# The demos, and the links to them.

DEMOS = tomllib.loads((DOCS / "demos.toml").read_text())


def link_keys() -> set[str]:
    """Return the keys that the table in docs/reference/links.md lists."""
    table = (DOCS / "reference" / "links.md").read_text().partition("| key | value |")[2].partition("\n\n")[0]
    return {key for line in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", line.split("|")[1])}


@pytest.mark.parametrize("name", [name for name in DEMOS if "page" not in DEMOS[name]])
def test_a_demo_has_a_valid_link(name: str) -> None:
    demo = DEMOS[name]
    assert {"title", "model", "sequence"} <= demo.keys() <= {"title", "text", *link_keys()}
    model = gru.load(demo["model"])
    clamps = [body.clamp() for body in read_link({"clamps": demo.get("clamps", "")}).clamps]
    trace = gru.trace(model, demo["sequence"], clamps=clamps)
    assert 1 <= demo["t"] <= len(trace.y)
    assert 1 <= demo["unit"] <= model.layers[-1].units


def test_every_demo_is_on_a_page_and_every_frame_has_a_demo() -> None:
    frames = [
        (path, src) for path in DOCS.rglob("*.md") for src in re.findall(r'<iframe src="([^"]*)"', path.read_text())
    ]
    frames = [(path, src) for path, src in frames if path.name not in ("export.md", "embed.md")]  # examples
    places = {(path.parent / src).resolve() for path, src in frames}
    assert places == {DOCS / "demos" / f"{name}.html" for name in DEMOS}


# The links into a running server.

LIVE = sorted({
    (path.relative_to(DOCS).as_posix(), address)
    for path in DOCS.rglob("*.md")
    for address in re.findall(r"\]\(http://localhost:8000([^)]*)\)", path.read_text())
})  # fmt: skip


def test_links_to_a_running_server_are_valid() -> None:
    client = TestClient(create_app(), base_url="http://localhost:8000")
    assert LIVE
    for page, address in LIVE:
        response = client.get(address)
        assert response.status_code == 200, (page, address)
        if address.startswith("/?"):
            read_link(read_address(address))  # raises an error for a bad value


def test_every_glossary_term_has_a_definition_and_a_link() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (DOCS / "reference" / "glossary.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| term")
    ]
    assert len(rows) > 50
    for row in rows:
        assert len(row) in (3, 6), row
        assert row[1].endswith("."), row
        assert re.fullmatch(r"\[.+\]\(.+\)", row[-1]), row


# How to cite.


def test_the_citation_has_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.M) == [version]
    assert re.findall(r"version = \{(.*?)\}", (DOCS / "faq.md").read_text()) == [version]


# The built pages.


class Loads(HTMLParser):
    """An HTML parser that collects the files that a page loads, its links, its element ids, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {values.get("id") or "", values.get("name") or ""}
        if tag == "a":
            self.links.add(values.get("href") or "")
        else:
            self.loaded |= {value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_built_pages_load_nothing_from_other_hosts(docs_site: Path) -> None:
    pages = list(docs_site.rglob("*.html"))
    assert len(pages) > 12
    for page in pages:
        loaded = Loads(page.read_text()).loaded
        assert loaded
        assert not {url for url in loaded if re.match(r"\w+:|//", url)}, page
    for sheet in docs_site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", sheet.read_text()), sheet


def test_files_that_built_pages_load_exist(docs_site: Path) -> None:
    for page in docs_site.rglob("*.html"):
        if page.name == "404.html":  # served at any address
            continue
        for url in Loads(page.read_text()).loaded:
            place = (page.parent / url.partition("?")[0].partition("#")[0]).resolve()
            assert place.is_file() or place.parent.name == "demos", (page, url)  # `make docs` exports the demos later


def test_links_between_built_pages_lead_to_pages_and_to_their_parts(docs_site: Path) -> None:
    pages = {page: Loads(page.read_text()) for page in docs_site.rglob("*.html") if page.name != "404.html"}
    checked, broken = 0, []
    for page, content in pages.items():
        for link in content.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            place = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            ids = pages[place].ids if place in pages else set()
            if not place.is_file() or (parts.fragment and unquote(parts.fragment) not in ids):
                broken.append((page.relative_to(docs_site), link))
            checked += 1
    assert checked > 1000
    assert broken == []


def test_the_menu_of_themes_finds_its_style_sheets_and_keys_scroll_code(docs_site: Path) -> None:
    ids = re.findall(r"getElementById\(['\"]([\w-]+)", (docs_site / "js" / "darkmode.js").read_text())
    assert ids
    for page in docs_site.rglob("*.html"):
        html = page.read_text()
        assert all(f'id="{name}"' in html for name in ids), page
        assert "<pre>" not in html, page


def test_the_reference_documents_every_public_name(docs_site: Path) -> None:
    for page, module in (("core", gru), ("formats", formats), ("parity", report)):
        ids = set(re.findall(r'id="gru_core\.([\w.]+)"', (docs_site / "reference" / f"{page}.html").read_text()))
        documented = {name.rpartition(".")[2] for name in ids}
        public = getattr(module, "__all__", ["Difference", "Parity", "check"])
        elsewhere = {"Parity", "check", "formats", "presets", "__version__"} if page == "core" else set()
        assert set(public) - elsewhere <= documented
    page = (docs_site / "reference" / "python.html").read_text()
    assert set(gru.__all__) - {"formats", "presets", "__version__"} <= set(re.findall(r'id="gru_core\.(\w+)"', page))


def test_a_search_finds_what_people_ask_for(docs_site: Path) -> None:
    pages = json.loads((docs_site / "search" / "search_index.json").read_text())["docs"]
    for word in ("h0", "CSP", "cite", "license", "limits", "hidden_size", "gru.trace"):
        assert any(re.search(rf"\b{re.escape(word)}\b", f"{page['title']} {page['text']}") for page in pages), word


def test_the_reference_documents_every_command_and_route(docs_site: Path) -> None:
    help = Loads((docs_site / "reference" / "cli.html").read_text()).text
    for name in COMMANDS:
        assert f"usage: gruscope {name}" in help
    routes = Loads((docs_site / "reference" / "http.html").read_text()).text
    for path, methods in create_app().openapi()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in routes
    assert "{{" not in help + routes


def test_a_built_notebook_page_has_its_outputs(docs_site: Path) -> None:
    page = (docs_site / "notebooks" / "flip_flop.html").read_text()
    assert "Inside a flip-flop" in page
    assert "background: rgb(" in page
    assert "[0.91 0.02 0.02 0.04 0.89 0.01 0.01]" in Loads(page).text
