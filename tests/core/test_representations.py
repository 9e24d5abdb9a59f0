"""The core in interactive Python and in a notebook: saved traces, representations, HTML and figures."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gru_core as gru
from gru_core import GRU, Clamp, Model, Readout, Trace, Vectors, formats
from gru_core.cells.gru import SIGNALS
from tests.support.networks import stacked

TEXT = "A b c ? D a ?"


FIXTURES = Path(__file__).parent.parent / "fixtures"


def clamped_trace() -> Trace:
    """Return a trace of a two-layer model with z of one upper unit clamped, together with the original run."""
    return gru.twin(stacked(), TEXT, clamps=[Clamp("z", 0.5, [2], slice(1, 3), layer=1)])[0]


def wide(units: int = 256) -> Model:
    """Return the flip-flop model with a random layer of many units."""
    base = gru.load("flip-flop")
    layer = GRU.random(6, units, np.random.default_rng(0))
    return replace(base, layers=(layer,), readout=replace(base.readout, V=np.zeros((2, units))))


def test_a_saved_trace_has_every_array_by_name(tmp_path: Path) -> None:
    trace = clamped_trace()
    trace.save(tmp_path / "trace.npz")
    with np.load(tmp_path / "trace.npz", allow_pickle=False) as file:
        read = dict(file)
    assert trace.twin is not None
    for prefix, run in (("", trace), ("twin.", trace.twin)):
        np.testing.assert_array_equal(read.pop(f"{prefix}y"), run.y)
        for i, layer in enumerate(run.layers):
            for name in ("x", "h0", "h_prev", "r", "z", "h_tilde", "h"):
                array = read.pop(f"{prefix}layers.{i}.{name}")
                np.testing.assert_array_equal(array, getattr(layer, name))
                assert array.dtype == getattr(layer, name).dtype
    assert read.pop("tokens").tolist() == TEXT.split()
    assert read.pop("labels").tolist() == ["A", "B", "C", "D"]
    mask = read.pop("layers.1.held.z")
    assert [list(place) for place in np.argwhere(mask)] == [[1, 2], [2, 2]]
    assert not read


def test_a_saved_trace_satisfies_the_equations(tmp_path: Path) -> None:
    gru.trace(gru.load("sentiment"), "not very good . bad").save(tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz", allow_pickle=False) as file:
        z, h, h_tilde = (file[f"layers.0.{name}"] for name in ("z", "h", "h_tilde"))
        past = np.concatenate([file["layers.0.h0"][None], h[:-1]])
    np.testing.assert_allclose(h, (1 - z) * past + z * h_tilde, atol=1e-6)


def test_save_uses_the_exact_file_name_and_writes_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one", "other"):
        gru.trace(gru.load("flip-flop"), "A m").save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    with pytest.raises(OSError, match="nowhere"):
        gru.trace(gru.load("flip-flop"), "A m").save(tmp_path / "nowhere" / "t.npz")


def test_to_dict_can_be_written_as_json() -> None:
    trace = clamped_trace()
    read = json.loads(json.dumps(trace.to_dict(), allow_nan=False))
    assert trace.twin is not None
    assert (read["model"], read["tokens"], read["labels"]) == ("Store and recall", TEXT.split(), ["A", "B", "C", "D"])
    for lists, run in ((read, trace), (read["twin"], trace.twin)):
        np.testing.assert_array_equal(lists["y"], run.y)
        for layer_lists, layer in zip(lists["layers"], run.layers, strict=True):
            for name in ("x", "h0", "h_prev", "r", "z", "h_tilde", "h"):
                np.testing.assert_array_equal(layer_lists[name], getattr(layer, name))
    assert np.argwhere(read["layers"][1]["held"]["z"]).tolist() == [[1, 2], [2, 2]]
    without_twin = gru.trace(gru.load("pocket-calculator"), np.zeros((3, 3))).to_dict()
    assert (without_twin["tokens"], without_twin["twin"], without_twin["layers"][0]["held"]) == (None, None, {})


def test_a_trace_has_the_signals_of_its_top_layer_as_attributes() -> None:
    trace = clamped_trace()
    for name in ("r", "z", "h_tilde", "h"):
        np.testing.assert_array_equal(getattr(trace, name), getattr(trace.layers[-1], name))
    with pytest.raises(AttributeError, match="no 'c'; its signals are r, z, h_tilde, h"):
        _ = trace.c
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(trace)).z, trace.z)


def objects(model: Model) -> list[object]:
    """Return one object of each type that interactive Python may print."""
    trace, _ = gru.twin(model, "A m m B " * 100, clamps=[Clamp("z", 0.0, steps=slice(3, 4))])
    reference = {"x": np.eye(6)[:4], "h": np.zeros((4, model.layers[-1].units))}
    parity = gru.check(model, reference)
    sensitivity = trace.sensitivity(t=90)
    return [trace, model, model.layers[0], model.readout, trace.layers[0], sensitivity, parity, *parity.differences]


@pytest.mark.parametrize("units", [1, 256])
def test_repr_is_short_and_without_arrays(units: int) -> None:
    for object_ in objects(wide(units)):
        printed = repr(object_)
        assert len(printed) <= 160, printed
        assert "\n" not in printed
        assert "[" not in printed
        assert printed.startswith(type(object_).__name__)


def test_repr_has_the_sizes() -> None:
    trace, model = clamped_trace(), gru.load("flip-flop")
    assert repr(model) == "Model('Flip-flop', trained: I=6, H=1, K=2)"
    assert repr(trace) == "Trace('Store and recall' of 'A b c ? D a ?': T=7, H=4→6, K=4, with the original run)"
    assert repr(trace.layers[1]) == "Forward(T=7, I=4, H=6, reset='after', holding z)"
    assert repr(gru.forward(trace.model.layers[1], np.zeros((5, 3, 4)))) == "Forward(T=5, B=3, I=4, H=6, reset='after')"
    assert repr(trace.sensitivity(2)).endswith("at t=2 to steps 0-2; I=9, H=4, 6)")
    h = gru.trace(model, "A m").h
    tagger = formats.read_file(FIXTURES / "pytorch-tagger.safetensors")
    assert (
        repr(tagger) == "Imported(Model('pytorch-tagger', imported: I=7, H=5→5, K=4), from PyTorch's nn.GRU, forward)"
    )
    assert repr(gru.check(model, {"x": np.array([0, 2]), "h": h})).startswith("Parity(passed=True: h_l0 ")


class Parsed(HTMLParser):
    """An HTML parser that collects tags, attribute names and table rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1][-1] += data


def test_the_html_of_a_trace_is_a_table() -> None:
    trace = gru.trace(gru.load("flip-flop"), "A m m B m")
    rows = {name: cells for name, *cells in Parsed(trace._repr_html_()).rows}
    assert list(rows) == ["t", "input", "output", "r", "z", "h̃", "h"]
    assert rows["input"] == ["A", "m", "m", "B", "m"]
    assert rows["output"] == ["A", "A", "A", "B", "B"]
    for name, style in SIGNALS.items():
        np.testing.assert_allclose(np.array(rows[style.symbol], float), getattr(trace, name)[:, 0], atol=0.005)


def test_the_html_of_a_large_trace_shows_the_units_that_moved_most() -> None:
    trace = gru.trace(wide(20), "A m m B " * 30)
    html = trace._repr_html_()
    rows = {name: cells for name, *cells in Parsed(html).rows}
    assert len(rows["z of unit " + str(int(trace.layers[0].moved.argmax()) + 1)]) == 40
    assert len(rows) == 3 + 4 * 8
    assert "not shown: 80 more timesteps, 12 units that moved less" in html
    assert len(html) < 200_000


def test_the_html_of_a_clamped_trace_has_the_original_outputs() -> None:
    closed, _ = gru.twin(gru.load("flip-flop"), "A m B", clamps=[Clamp("z", 0.0, steps=slice(2, 3))])
    rows = {name: cells for name, *cells in Parsed(closed._repr_html_()).rows}
    assert (rows["output"], rows["original"]) == (["A", "A", "A"], ["A", "A", "B"])


def model_with_markup() -> Model:
    """Return a model with HTML markup in every string that it contains."""
    base, bad = gru.load("flip-flop"), '<img src="https://example.org/x" onerror=alert(1)>&amp;'
    texts = dict.fromkeys(("title", "about", "question", "summary", "reading"), bad)
    card = replace(base.card, training={bad: bad}, measured={bad: 1.0}, **texts)
    encoder = replace(base.encoder, alphabet=("<b>", "</td>", "m", "p", "s", "."))
    return replace(base, card=card, encoder=encoder, readout=replace(base.readout, labels=(bad, "'\"<script>")))


def test_markup_in_names_is_escaped() -> None:
    model = model_with_markup()
    trace = gru.twin(model, "<b> </td> m", clamps=[Clamp("z", 0.5)])[0]
    for html in (model._repr_html_(), trace._repr_html_()):
        read = Parsed(html)
        assert read.tags == {"div", "table", "caption", "tr", "th", "td"}
        assert read.attributes == {"style", "scope"}
    assert [row[1:] for row in Parsed(trace._repr_html_()).rows if row[0] == "input"] == [["<b>", "</td>", "m"]]
    figure = trace.figure()
    assert "<img" not in figure.layout.title.text
    assert figure.layout.xaxis.ticktext[0] == "&lt;b&gt;<br>1"
    assert figure.data[0].text[0][0] == "&lt;b&gt;"


def test_the_html_loads_nothing() -> None:
    for object_ in (gru.load("sentiment"), clamped_trace(), gru.trace(wide(), "A m")):
        html = object_._repr_html_()
        assert not re.search(r"(?:src|href|url|import)\s*[=(\"']|https?:|<script|<link|@", html)


def test_a_figure_saved_as_html_loads_nothing(tmp_path: Path) -> None:
    clamped_trace().figure().write_html(tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=", page)
    assert "Store and recall" in page


def pictures(trace: Trace, **options: Any) -> dict[str, Any]:
    """Return the heatmaps of a figure, by the names of their signals."""
    return {p.name: p for p in trace.figure(**options).data}


@pytest.mark.parametrize(
    ("layer", "title"), [(-1, "Store and recall · layer 2 of 2"), (0, "Store and recall · layer 1 of 2")]
)
def test_the_figure_shows_the_requested_layer(layer: int, title: str) -> None:
    trace = clamped_trace()
    assert trace.figure(layer).layout.title.text == title
    for name, picture in pictures(trace, layer=layer).items():
        np.testing.assert_array_equal(picture.z, getattr(trace.layers[layer], name).T)
        assert picture.zmin == (0 if name in ("r", "z") else -1)


def test_the_difference_figure_is_clamped_minus_original_on_one_scale() -> None:
    trace = clamped_trace()
    assert trace.twin is not None
    for name, picture in pictures(trace, difference=True).items():
        np.testing.assert_array_equal(picture.z, (getattr(trace, name) - getattr(trace.twin, name)).T)
        assert (picture.zmin, picture.zmax) == (-1, 1)
    assert trace.figure(difference=True).layout.title.text.endswith("changed − original")
    assert len(trace.figure(difference=True).data) == 4
    with pytest.raises(ValueError, match="no original run to compare with"):
        trace.twin.figure(difference=True)


def test_a_trace_of_plain_vectors_has_html_repr_and_figure() -> None:
    base = gru.load("flip-flop")
    layer = GRU.random(2, 3, np.random.default_rng(0))
    readout = Readout("linear", np.eye(3), np.zeros(3), ("a", "b", "c"))
    trace = gru.trace(Model(Vectors(2), (layer,), readout, base.card), np.ones((4, 2)))
    rows = {name: cells for name, *cells in Parsed(trace._repr_html_()).rows}
    assert "input" not in rows
    np.testing.assert_allclose(np.array(rows["output, b"], float), trace.h[:, 1], atol=0.005)
    assert repr(trace) == "Trace('Flip-flop': T=4, H=3, K=3)"
    assert trace.figure().layout.xaxis.ticktext[3] == "<br>4"
