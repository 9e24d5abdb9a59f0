"""GRU Scope in Jupyter: a server through jupyter-server-proxy, and figures in JupyterLab, Notebook and nbconvert."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from ipywidgets.embed import embed_data
from nbconvert import HTMLExporter
from nbformat import NotebookNode, v4
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

import gru_core as gru
from app.embed import jupyter, notebook
from tests.support.jupyter import BASE, TOKEN, jupyter_server
from tests.support.npm import packages
from tests.support.sites import ROOT

FIGURE = """import gru_core as gru
gru.notebook.FIGURES = "app.embed.notebook"  # the installed package has another name
figure = gru.show(gru.load("flip-flop"), "A m m B m", t=4, views="tape,words")
figure"""
CHANGE = 'figure.t, figure.sequence = 2, "B m A m"'
READ = "print(figure.t, figure.sequence)"


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for the notebooks."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def port(notebooks: Path) -> Iterator[int]:
    """Run one Jupyter server for all tests, and yield its port."""
    with jupyter_server(notebooks) as port:
        yield port


def test_a_jupyter_server_starts_gruscope_and_serves_it_below_its_own_address(port: int) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["jupyter_serverproxy_servers"]
    assert points == {jupyter.NAME: f"gruscope.embed.jupyter:{jupyter.server.__name__}"}

    def request(method: str, path: str, body: str = "", **headers: str) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        shared = {"Host": "hub.example", "Authorization": f"token {TOKEN}"}
        connection.request(method, f"{BASE}gruscope/{path}", body or None, shared | headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response, text

    response, page = request("GET", "?model=flip-flop&sequence=A+m+B&t=2")
    assert response.status == 200
    scripts = re.findall(rf'src="{BASE}gruscope/(static/[^"]+\.js)"', page)
    assert scripts
    assert {request("GET", script)[0].status for script in scripts} == {200}
    # A browser sends the origin that it sees.
    scenario = json.dumps({"model": "flip-flop", "sequence": "A m B"})
    origin = {"Content-Type": "application/json", "Origin": "http://hub.example"}
    response, answer = request("POST", "api/trace", scenario, **origin)
    assert (response.status, json.loads(answer)["T"]) == (200, 3)
    assert request("POST", "api/trace", scenario, **origin, **{"Sec-Fetch-Site": "cross-site"})[0].status == 403
    assert request("GET", "", Authorization="token wrong")[0].status in (302, 403)


def test_in_jupyterlab_and_in_notebook_python_and_the_figure_follow_each_other(
    visitor: BrowserContext, notebooks: Path, port: int
) -> None:
    (notebooks / "figure.ipynb").write_text(json.dumps(of_cells(FIGURE, CHANGE, READ)))
    origin = f"http://127.0.0.1:{port}"
    foreign: list[str] = []
    page = visitor.new_page()
    page.on("request", lambda sent: sent.url.startswith((origin, "data:", "blob:")) or foreign.append(sent.url))
    cells = page.locator(".jp-CodeCell")

    def run(cell: int) -> None:
        # Without a kernel, which Jupyter also shows as idle, it does not run the cell.
        expect(page.locator(".jp-KernelName")).to_contain_text("Python 3")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        cells.nth(cell).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")

    page.goto(f"{origin}{BASE}lab/tree/figure.ipynb?token={TOKEN}")
    run(0)
    frame, heading, sequence = parts(page)
    expect(heading).to_contain_text("t = 4")
    run(1)
    expect(sequence).to_have_value("B m A m")
    expect(heading).to_contain_text("t = 2")
    type_and_move(frame, sequence)
    run(2)
    expect(cells.nth(2).locator(".jp-OutputArea-output")).to_have_text("3 A m B B m\n")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => document.title.includes('figure') && !document.querySelector('.jp-mod-dirty')")

    # Notebook 7 opens the file with the same kernel.
    page.goto(f"{origin}{BASE}notebooks/figure.ipynb")
    frame, heading, sequence = parts(page)
    expect(heading).to_contain_text("t = 3")
    expect(sequence).to_have_value("A m B B m")
    run(1)
    expect(sequence).to_have_value("B m A m")
    expect(heading).to_contain_text("t = 2")
    type_and_move(frame, sequence)
    run(2)
    expect(cells.nth(2).locator(".jp-OutputArea-output")).to_have_text("3 A m B B m\n")
    page.close()
    assert not foreign


def test_a_notebook_as_a_static_page_has_a_living_figure_without_a_kernel(
    visitor: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require, manager = packages(tmp_path, "requirejs@2.3.8", "@jupyter-widgets/html-manager@1.0.15")
    scripts = {  # nbconvert's page loads these scripts from other hosts; the test responds instead
        "require.min.js": require / "require.js",
        "embed-amd.js": manager / "dist" / "embed-amd.js",
        "index.js": Path(sys.prefix) / "share" / "jupyter" / "nbextensions" / "anywidget" / "index.js",
    }
    monkeypatch.setattr("gru_core.notebook.FIGURES", notebook.__name__)
    figure = gru.show(gru.load("flip-flop"), "A m m B m", t=4, views="tape,words")
    saved = of_cells("figure")
    bundle = figure._repr_mimebundle_()
    assert bundle is not None
    saved.cells[0].outputs = [v4.new_output("execute_result", bundle[0], metadata=bundle[1])]
    state = embed_data(figure, drop_defaults=False)["manager_state"]
    saved.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    html, _ = HTMLExporter(mathjax_url="").from_notebook_node(saved)
    (tmp_path / "figure.html").write_text(html)
    page = visitor.new_page()
    page.route(re.compile("^https:"), lambda route: route.fulfill(path=scripts[route.request.url.rpartition("/")[2]]))
    page.goto((tmp_path / "figure.html").as_uri())
    frame, heading, sequence = parts(page)
    expect(heading).to_contain_text("t = 4")
    type_and_move(frame, sequence)
    expect(heading).to_contain_text("t = 5")
    page.close()


def of_cells(*sources: str) -> NotebookNode:
    """Return a notebook with a code cell for each of `sources`."""
    cells = [v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def parts(page: Page) -> tuple[FrameLocator, Locator, Locator]:
    """Return the frame of a page's figure, the figure's heading with the timestep, and the figure's Sequence field."""
    frame = page.locator("gru-scope iframe").content_frame
    field = frame.get_by_role("textbox", name="Sequence", exact=True)
    return frame, frame.get_by_role("heading", level=2).first, field


def type_and_move(frame: FrameLocator, sequence: Locator) -> None:
    """Move the cursor forward by one timestep, and type a sequence."""
    frame.get_by_role("slider", name="Timestep").press("ArrowRight")
    sequence.fill("A m B B m")
    expect(frame.get_by_role("list", name="Answers")).to_be_attached()
