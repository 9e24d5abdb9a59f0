"""Models from a directory, served together with the presets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from app.models import model_entry
from gru_core import LSTM, Card, Model, Numbers, Operator, Symbols, presets
from tests.support.clients import client_of
from tests.support.networks import deep, network_of, random_sequences


def test_a_model_from_the_directory_is_listed_and_can_be_run_and_shown(tmp_path: Path) -> None:
    model = deep()
    model.save(tmp_path / "deep.one.safetensors")
    (tmp_path / "notes.txt").write_text("not looked at")
    with client_of(tmp_path) as client:
        entries = client.get("/api/models").json()
        assert [entry["id"] for entry in entries] == [*presets.SHIPPED, "deep.one"]
        assert entries[-1]["layers"] == [{"cell": "gru", "units": 64, "backward_units": 0, "reset": "after"}] * 4
        assert entries[-1]["examples"] == ["a b c d e f g h"]
        body = client.post("/api/trace", json={"model": "deep.one", "sequence": "abcl"}).json()
        for layer, layer_body in zip(gru.trace(model, "abcl").layers, body["layers"], strict=True):
            np.testing.assert_array_equal(layer_body["h"], layer.h)
        page = client.get("/", params={"model": "deep.one"})
        assert page.status_code == 200
        assert 'value="a b c d e f g h"' in page.text
        assert "What do random gates do?" in page.text
        drawn = client.get("/api/models/deep.one/draw?seed=1")
        assert drawn.status_code == 404
        assert drawn.json()["error"]["message"].startswith("this model has no built-in task")


def test_a_model_above_the_limits_is_not_listed_and_not_run_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep().save(tmp_path / "deep.safetensors")
    client = client_of(tmp_path, max_layers=3)
    assert "deep is not offered: this model has 4 layers; at most 3" in caplog.text
    assert "deep" not in [entry["id"] for entry in client.get("/api/models").json()]
    refused = client.post("/api/trace", json={"model": "deep", "sequence": "a"})
    assert refused.status_code == 422
    assert "4 layers; at most 3" in refused.json()["error"]["message"]


def test_a_model_with_numeric_input_and_no_example_gets_one(tmp_path: Path) -> None:
    deep(Numbers((Operator("=", "set it", (1,)), Operator("", "leave it", (0,))))).save(tmp_path / "n.safetensors")
    assert 'value="=0 0"' in client_of(tmp_path).get("/", params={"model": "n"}).text


@pytest.mark.parametrize("name", ["../secret", "..%2fsecret", "secret.safetensors", "%00", "/", ""])
def test_only_models_in_the_directory_are_served(tmp_path: Path, name: str) -> None:
    (tmp_path / "models").mkdir()
    deep().save(tmp_path / "secret.safetensors")
    client = client_of(tmp_path / "models")
    assert client.post("/api/trace", json={"model": name, "sequence": "a"}).status_code == 404
    assert client.get(f"/api/models/{name}/draw?seed=1").status_code == 404


def test_a_bad_model_file_stops_the_server_from_starting(tmp_path: Path) -> None:
    def refuse(message: str) -> None:
        with pytest.raises(ValueError, match=message):
            client_of(tmp_path)

    file = tmp_path / "odd.safetensors"
    file.write_bytes(b"not a model")
    refuse(r"odd\.safetensors is not a model that can be served: odd\.safetensors is not a GRU Scope model")
    model = deep()
    mismatched = Model(model.encoder, model.layers[1:], model.readout, model.card)
    for broken in (mismatched, deep(V=np.nan), deep(Symbols(("a b", "c")))):
        broken.save(file)
        refuse(r"odd\.safetensors is not a model that can be served: ")
    model.save(file)
    file.rename(tmp_path / "sentiment.safetensors")
    refuse(r"sentiment\.safetensors has the name of a preset")


def test_a_model_with_two_kinds_of_cells_is_refused(tmp_path: Path) -> None:
    layer, flip_flop = LSTM(np.zeros((8, 1)), np.zeros((8, 2)), np.zeros(8)), gru.load("flip-flop")
    layers, readout = (*flip_flop.layers, layer), replace(flip_flop.readout, V=np.zeros((2, 2)))
    replace(flip_flop, layers=layers, readout=readout).save(tmp_path / "mixed.safetensors")
    with client_of(tmp_path) as client:
        assert "mixed" not in [entry["id"] for entry in client.get("/api/models").json()]
        response = client.post("/api/trace", json={"model": "mixed", "sequence": "A m"})
        assert response.status_code == 422
        assert "this model has layers of GRU and LSTM; pages show" in response.json()["error"]["message"]


def test_a_file_of_vectors_becomes_the_text_of_a_sequence(tmp_path: Path) -> None:
    network_of("gru", inputs=6).save(tmp_path / "six.safetensors")
    [x] = random_sequences([7], inputs=6)
    np.save(tmp_path / "x.npy", x)
    with client_of(tmp_path, max_steps=7) as client:
        assert client.get("/api/models/six").json()["vectors"] == 6
        assert client.get("/api/models/flip-flop").json()["vectors"] == 0
        url = "/api/models/six/sequence?name=x.npy"
        text = client.post(url, content=(tmp_path / "x.npy").read_bytes()).json()["sequence"]
        np.testing.assert_array_equal([[float(v) for v in token.split(",")] for token in text.split()], x)
        np.savez(tmp_path / "x.npz", x=x, lengths=4)
        padded = client.post("/api/models/six/sequence?name=x.npz", content=(tmp_path / "x.npz").read_bytes()).json()
        assert padded["sequence"] == " ".join(text.split()[:4])
        assert "3 of 7" in padded["note"]
        page = client.get("/", params={"model": "six", "sequence": text})
        assert page.text.count("<li>6 numbers</li>") == 7
        for name, content in (("x.csv", b"1,2\n"), ("x.csv", b"1,2,3,4,5,6\n" * 8), ("x.npy", b"\x93NUMPY")):
            refused = client.post(f"/api/models/six/sequence?name={name}", content=content)
            assert (refused.status_code, refused.json()["error"]["code"]) == (422, "file")
        assert client.post("/api/models/flip-flop/sequence?name=x.csv", content=b"1").status_code == 422


def test_a_model_without_a_task_in_its_card_has_no_unfinished_sentence() -> None:
    card = Card("Mine", "own", "", "", "random", "", reading="A high state is an A.")
    entry = model_entry("mine", replace(gru.load("flip-flop"), card=card))
    assert entry["purpose"] == card.reading
    trained = replace(card, weights="trained", about="remember a letter")
    assert model_entry("mine", replace(gru.load("flip-flop"), card=trained))["purpose"].count(".") == 2
