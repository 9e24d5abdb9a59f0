"""Uploads through the API: a file becomes a model or raises a question, and its link works while the file is stored."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.intake import child, reading
from app.main import create_app
from app.settings import Settings
from benchmarks import fuzz
from gru_core import Numbers, Operator, formats, presets
from gru_core.formats import KINDS
from gru_core.formats.imported import ENDINGS
from tests.support.clients import client_with_uploads
from tests.support.files import FIXTURES, npz, torch_layer
from tests.support.networks import deep

GONE = "this server does not store this uploaded model; upload the file again"


@pytest.fixture(autouse=True, scope="module")
def in_this_process() -> Iterator[None]:
    """Read files in this process, because starting a process for each of hundreds of files would be slow.

    `test_reading.py` tests the child process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_run", lambda request, *_: (0, child.answer(request)))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with client_with_uploads(folder) as client:
        yield client


def upload(client: TestClient, file: str, **answers: Any) -> dict[str, Any]:
    """Upload a fixture, answer its questions, and return the body of the last response."""
    response = client.post("/api/models", params={"name": file}, content=(FIXTURES / file).read_bytes())
    body: dict[str, Any] = response.json()
    assert response.status_code == (201 if "model" in body else 200), body
    if answers:
        response = client.post(f"/api/models/{body['upload']}/answers", json=answers)
        assert response.status_code == 201, response.text
        body = response.json()
    return body


REAL = (
    "pytorch-tagger.safetensors", "pytorch-tagger.onnx", "keras-tagger.keras", "pytorch-lstm.safetensors",
    "keras-rnn.keras",
)  # fmt: skip


@pytest.mark.parametrize("file", REAL)
def test_a_real_file_is_uploaded_run_shown_and_passes_its_check(client: TestClient, file: str) -> None:
    imported = formats.read_file(FIXTURES / file)
    entry = upload(client, file)["model"]
    assert re.fullmatch("u-[0-9a-f]{32}", entry["id"])
    assert entry["report"] == list(imported.report)
    assert entry["card"]["weights"] == "imported"
    assert entry["card"]["title"] == file.split(".")[0]
    assert client.get(f"/api/models/{entry['id']}").json() == entry
    sequence = entry["examples"][0]
    scenario = {"model": entry["id"], "sequence": sequence}
    run = client.post("/api/trace", json=scenario).json()
    for layer, sent in zip(gru.trace(imported.model, sequence).layers, run["layers"], strict=True):
        np.testing.assert_allclose(sent["h"], layer.h, atol=1e-6)
    for path, more in (("sums", {"from": 1, "to": 2}), ("ledger", {"from": 1, "to": 2}), ("sensitivity", {"t": 2})):
        answer = client.post(f"/api/{path}", json=scenario | {"layer": 1, "unit": 1} | more)
        has_none = path == "ledger" and "rnn" in file
        assert answer.status_code == (422 if has_none else 200)
        assert not has_none or "no contributions" in answer.json()["error"]["message"]
    reference = (FIXTURES / f"{file.split('.')[0]}-reference.npz").read_bytes()
    proof = client.post(f"/api/models/{entry['id']}/check", content=reference).json()
    assert proof["passed"]
    assert proof["cause"] is None
    assert proof["text"] == str(gru.check(imported, reference))
    assert [d["name"] for d in proof["differences"]] == ["h_l0", "h_l1", "y"]
    assert set(proof["differences"][0]) == {"name", "title", "largest", "relative", "step", "unit", "first", "by_step"}
    for page in ("/", "/embed"):
        html = client.get(page, params={"model": entry["id"]}).text
        assert f'<optgroup label="Uploaded models">\n        <option value="{entry["id"]}" selected' in html
        boot = json.loads(re.findall(r'<script[^>]*id="boot"[^>]*>(.*?)</script>', html, re.S)[0])
        assert boot["models"][-1] == entry | {"questions": []}
        assert boot["uploads"] == (page == "/")
        assert ("at most 20 MiB" in html) == (page == "/")
    url = f"http://testserver/?model={entry['id']}"
    assert client.get("/oembed", params={"url": url}).json()["title"] == f"{entry['card']['title']} · GRU Scope"
    assert entry["id"] not in client.get("/api/models").text  # only people with the link can find the model


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"x": [' + b"[]," * 1_000_000 + b"[]]}", 400),
        (b'{"answers": {"reset": "' + b"[" * 1_000 + b'"}}', 404),
        (b'{"alphabet": ["' + b"a" * 5_000_000 + b'"]}', 413),
        (b'{"answers": {', 400),
    ],
)
def test_answers_have_few_lists_and_at_most_4_mib(client: TestClient, body: bytes, status: int) -> None:
    """Parsing 20 MiB with millions of lists took 8 seconds, during which the server answered no other request."""
    response = client.post("/api/models/u-00/answers", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert set(response.json()["error"]) == {"code", "message", "where"}


def test_questions_are_answered_one_by_one_or_all_at_once(client: TestClient) -> None:
    first_response = upload(client, "pytorch-both.safetensors")
    assert first_response["question"]["key"] == "direction"
    assert [option["value"] for option in first_response["question"]["options"]] == ["forward", "backward", "both"]
    for unanswered in (
        client.post("/api/trace", json={"model": first_response["upload"], "sequence": "1"}),
        client.get(f"/api/models/{first_response['upload']}"),
        client.post(f"/api/models/{first_response['upload']}/check", content=b"x"),
    ):
        assert (unanswered.status_code, unanswered.json()["error"]["code"]) == (409, "question")
    forward = upload(client, "pytorch-both.safetensors", answers={"direction": "forward"})["model"]
    backward = upload(client, "pytorch-both.safetensors", answers={"direction": "backward"})["model"]
    both = upload(client, "pytorch-both.safetensors", answers={"direction": "both"})["model"]
    assert len({forward["id"], backward["id"], both["id"], first_response["upload"]}) == 4
    reference = (FIXTURES / "pytorch-both-reference.npz").read_bytes()
    for model in (backward, both):
        assert client.post(f"/api/models/{model['id']}/check", content=reference).json()["passed"]
    assert [(layer["units"], layer["backward_units"]) for layer in both["layers"]] == [(8, 4)]

    layers = (("gru", 3), ("gru_1", 4))
    shapes = {f"{gru}/kernel": (inputs, 12) for gru, inputs in layers} | {
        f"{g}/recurrent_kernel": (4, 12) for g, _ in layers
    }
    bare = npz(**{name: np.ones(shape, np.float32) for name, shape in shapes.items()})
    body = client.post("/api/models", content=bare).json()
    answers: dict[str, str] = {}
    while "question" in body:
        question = body["question"]
        answers[question["key"]] = question["options"][0]["value"]
        single = {question["key"]: question["options"][0]["value"]}
        body = client.post(f"/api/models/{body['upload']}/answers", json={"answers": single}).json()
    assert list(answers) == ["network", "reset"]
    first = client.post("/api/models", content=bare).json()["upload"]
    assert client.post(f"/api/models/{first}/answers", json={"answers": answers}).json() == body


def test_symbols_and_outputs_can_be_named_after_the_upload(client: TestClient) -> None:
    entry = upload(client, "pytorch-tagger.safetensors")["model"]
    alphabet = [f"w{i}" for i in range(len(entry["alphabet"]))]
    path = f"/api/models/{entry['id']}/answers"
    named = client.post(path, json={"answers": {}, "alphabet": alphabet, "labels": None}).json()["model"]
    assert named["alphabet"] == alphabet
    assert named["id"] != entry["id"]
    softmax = client.post(f"/api/models/{named['id']}/answers", json={"answers": {"readout": "softmax"}}).json()
    assert softmax["model"]["alphabet"] == alphabet  # as in the earlier request
    for wrong, message in (
        ({"alphabet": ["a"]}, "1 symbols of the alphabet were given, but"),
        ({"alphabet": ["\ud800"] * len(alphabet)}, "the invisible character U+D800"),
        ({"answers": {"readout": "<script>"}}, "'<script>' is not an answer to 'readout'"),
        ({"answers": {"nope": "x"}}, "'nope' is not a question about a file"),
        ({"answers": {"readout": 1}}, "answers.readout: input should be a valid string"),
        ({"alphabet": ["a"] * 2000}, "2,000 symbols of the alphabet were given, but"),
    ):
        content = json.dumps(wrong)
        response = client.post(path, content=content, headers={"content-type": "application/json"})
        assert (response.status_code, message in response.json()["error"]["message"]) == (422, True), response.text


def test_the_same_file_and_answers_have_the_same_id_on_any_server(client: TestClient, tmp_path: Path) -> None:
    entry = upload(client, "pytorch-bare.npz")
    assert upload(client_with_uploads(tmp_path), "pytorch-bare.npz") == entry
    assert upload(client, "pytorch-bare.npz") == entry
    other = client.post("/api/models", params={"name": "b"}, content=(FIXTURES / "pytorch-bare.npz").read_bytes())
    assert other.json()["model"]["id"] != entry["model"]["id"]  # because its title differs


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("<img src=x onerror=alert(1)>.npz", "<img src=x onerror=alert(1)>"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\net.npz", "net"),
        ("a\0b\r\nc\u202e", "abc"),
    ],
)
def test_a_file_name_is_only_used_as_a_title(client: TestClient, name: str, title: str) -> None:
    content = (FIXTURES / "pytorch-bare.npz").read_bytes()
    entry = client.post("/api/models", params={"name": name}, content=content).json()["model"]
    assert entry["card"]["title"] == title
    html = client.get("/", params={"model": entry["id"]}).text
    assert "<img src=x" not in html
    assert title in unescape(html)


def test_an_uploaded_gru_scope_file_is_marked_as_imported(client: TestClient) -> None:
    content = presets.path("flip-flop").read_bytes()
    entry = client.post("/api/models", content=content).json()["model"]
    assert (entry["card"]["title"], entry["card"]["weights"]) == ("Flip-flop", "imported")
    assert entry["report"][0].startswith("A GRU Scope model, trained")


def test_a_parity_check_names_the_cause_and_refuses_a_bad_reference(client: TestClient) -> None:
    entry = upload(client, "pytorch-tagger.safetensors")["model"]
    reference = (FIXTURES / "pytorch-tagger-reference.npz").read_bytes()
    path = f"/api/models/{entry['id']}/answers"
    wrong = client.post(path, json={"answers": {"order": "z,r,h"}}).json()["model"]
    assert any("replaces what the file says about: order" in sentence for sentence in wrong["report"])
    proof = client.post(f"/api/models/{wrong['id']}/check", content=reference).json()
    assert not proof["passed"]
    assert proof["cause"].startswith("with gate order r, z, h it matches to ")
    assert "parity check failed" in proof["text"]
    refused = client.post(f"/api/models/{entry['id']}/check", content=npz(x=np.zeros((3, 2)))).json()["error"]
    assert (refused["code"], refused["where"]) == ("format", "file")
    assert "a reference for this model holds arrays called x, and h" in refused["message"]


def test_a_model_is_compared_with_a_second_file(client: TestClient) -> None:
    entry = upload(client, "pytorch-tagger.safetensors")["model"]
    path = f"/api/models/{entry['id']}/check"
    proof = client.post(path, content=(FIXTURES / "pytorch-tagger.onnx").read_bytes()).json()
    assert (proof["passed"], proof["cause"], proof["remedy"]) == (True, None, None)
    wrong = client.post(f"/api/models/{entry['id']}/answers", json={"answers": {"reset": "before"}}).json()["model"]
    wrong_path = f"/api/models/{wrong['id']}/check"
    proof = client.post(wrong_path, content=(FIXTURES / "pytorch-tagger.onnx").read_bytes()).json()
    assert (proof["passed"], proof["cause_name"]) == (False, "reset gate")
    assert "linear_before_reset" in proof["remedy"]
    assert [gate["name"] for gate in proof["gates"]][:3] == ["r_l0", "z_l0", "h_tilde_l0"]
    for content, message in (
        ((FIXTURES / "pytorch-both.safetensors").read_bytes(), "--second-answer direction=forward"),
        (b"nothing known", "this type of file cannot be read"),
    ):
        refused = client.post(path, content=content).json()["error"]
        assert (refused["code"], message in refused["message"]) == ("format", True)


def test_a_shipped_model_can_be_checked_but_takes_no_answers(client: TestClient) -> None:
    model = gru.load("flip-flop")
    run = gru.trace(model, "A m B")
    zero = npz(x=run.layers[0].x, h=np.zeros_like(run.h))
    assert client.post("/api/models/flip-flop/check", content=npz(x=run.layers[0].x, h=run.h)).json()["passed"]
    proof = client.post("/api/models/flip-flop/check", content=zero).json()
    assert (proof["passed"], proof["differences"][0]["relative"]) == (False, None)
    refused = client.post("/api/models/flip-flop/answers", json={})
    assert (refused.status_code, refused.json()["error"]["where"]) == (422, "model")


def test_a_file_damaged_on_disk_is_missing_until_it_is_uploaded_again(tmp_path: Path) -> None:
    id = upload(client_with_uploads(tmp_path), "pytorch-cell.safetensors")["model"]["id"]
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for most, at in enumerate((0, 30, 65, 200, len(whole) // 3, 2 * len(whole) // 3, len(whole) - 1), 500):
        flipped = bytearray(whole)
        flipped[at] ^= 8
        for damaged, loaded in ((whole[:at], False), (bytes(flipped), False), (whole[:at], True)):
            client = client_with_uploads(tmp_path, max_kept=2 * most + loaded)  # another server
            if loaded:
                assert client.get(f"/api/models/{id}").status_code == 200
            file.write_bytes(damaged)
            for answer in (client.get(f"/api/models/{id}"), client.post(f"/api/models/{id}/answers", json={})):
                assert answer.status_code < 300 or answer.json()["error"]["code"] == "gone"
            assert client.get("/", params={"model": id}).status_code == 200
            assert client.get("/api/export/trace.csv", params={"model": id}).status_code in (200, 404)
            assert upload(client, "pytorch-cell.safetensors")["model"]["id"] == id
            assert file.read_bytes() == whole
            assert client.get(f"/api/models/{id}").status_code == 200


def test_a_link_to_a_deleted_model_reports_this(client: TestClient, folder: Path, tmp_path: Path) -> None:
    id = upload(client, "pytorch-cell.safetensors")["model"]["id"]
    assert client.get(f"/api/models/{id}").status_code == 200
    (folder / f"{id}.upload").unlink()
    for elsewhere in (client, client_with_uploads(tmp_path), TestClient(create_app(Settings()))):
        responses = [
            elsewhere.get(f"/api/models/{id}"),
            elsewhere.get(f"/api/models/{id}/draw?seed=1"),
            elsewhere.post("/api/trace", json={"model": id, "sequence": "1"}),
        ]
        for response in responses:
            assert response.status_code == 404
            assert response.json()["error"] == {"code": "gone", "message": GONE, "where": "model"}
        page = elsewhere.get("/", params={"model": id})
        assert page.status_code == 200
        assert f"This link could not be followed: {GONE}. Here is an example instead." in unescape(page.text)
    for path in ("answers", "check"):
        assert client.post(f"/api/models/{id}/{path}", json={}).json()["error"]["code"] == "gone"
    assert client.get("/api/models/u-123").json()["error"]["code"] == "model"


def test_a_bad_sequence_in_a_link_still_shows_the_model(client: TestClient) -> None:
    id = upload(client, "pytorch-tagger.safetensors")["model"]["id"]
    html = client.get("/", params={"model": id, "sequence": "nope"}).text
    assert f'<option value="{id}" selected' in html
    assert "Here is an example instead" in html


def test_a_large_alphabet_is_shown_with_a_short_hint(client: TestClient) -> None:
    arrays = {f"gru.{name}": array for name, array in np.load(FIXTURES / "pytorch-bare.npz").items()}
    arrays["embedding.weight"] = np.ones((1000, 3), np.float32)
    entry = client.post("/api/models", content=npz(**arrays)).json()["model"]
    assert len(entry["alphabet"]) == 1000
    assert entry["hint"].endswith("38 39 … (1,000 in all)")
    assert client.get("/", params={"model": entry["id"]}).status_code == 200
    refused = client.post("/api/trace", json={"model": entry["id"], "sequence": "0 999 q"})
    assert refused.json()["error"]["message"].startswith("step 3: 'q' is not in this model's alphabet (0 1 2")
    assert len(refused.content) < 500


def test_a_model_above_the_limits_of_the_settings_is_refused(tmp_path: Path) -> None:
    client = client_with_uploads(tmp_path, max_units=4)
    content = (FIXTURES / "pytorch-tagger.safetensors").read_bytes()
    response = client.post("/api/models", content=content)
    assert response.status_code == 422
    message = response.json()["error"]["message"]
    assert re.fullmatch(
        r"this model has \d units in a layer; at most 4 are allowed: .* settings set this limit.*", message
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", [Settings(), Settings(read_only=True, uploads="unused")])
def test_a_server_without_uploads_refuses_them_with_a_reason(settings: Settings, tmp_path: Path) -> None:
    if settings.read_only:
        settings = Settings(read_only=True, uploads=str(tmp_path))
    client = TestClient(create_app(settings))
    for path in ("", "/flip-flop/answers", "/flip-flop/check"):
        response = client.post(f"/api/models{path}", content=bytes(2**20))
        assert response.status_code == 403
        assert response.json()["error"] == {"code": "read-only", "message": settings.no_uploads, "where": None}
        assert "content-security-policy" in response.headers
    assert '"uploads":false' in client.get("/").text


def test_a_read_only_server_still_shows_stored_models(client: TestClient, folder: Path) -> None:
    id = upload(client, "pytorch-bare.npz")["model"]["id"]
    assert client_with_uploads(folder, read_only=True).get(f"/api/models/{id}").status_code == 200


def test_a_file_above_the_limit_is_refused_by_its_declared_and_by_its_real_length(tmp_path: Path) -> None:
    client = client_with_uploads(tmp_path, max_upload=2**20)
    arrived = 0

    def pieces() -> Iterator[bytes]:
        nonlocal arrived
        for _ in range(100):
            arrived += 2**16
            yield bytes(2**16)

    for content in (bytes(2**20 + 1), pieces()):
        response = client.post("/api/models", content=content)
        assert response.status_code == 413
        assert response.json()["error"]["message"] == "the file is too large: at most 1 MiB"
    at_most = client.post("/api/models", content=bytes(2**20))
    assert (at_most.status_code, at_most.json()["error"]["code"]) == (422, "format")
    answers = client.post("/api/models/u-1/answers", content=bytes(2**20 + 1))
    assert answers.status_code == 413
    other = client.post("/api/trace", content=bytes(2**19))
    assert other.json()["error"]["message"] == "the request is too large: at most 256 KiB"
    assert not list(tmp_path.iterdir())


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weight.npy", bytes(300 * 2**20))
    return file.getvalue()


def members(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return file.getvalue()


def safe(header: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def tensor(shape: str, dtype: str = "F32", end: int = 4) -> bytes:
    return b'{"a":{"dtype":"%s","shape":%s,"data_offsets":[0,%d]}}' % (dtype.encode(), shape.encode(), end)


def not_finite() -> bytes:
    arrays = dict(np.load(FIXTURES / "pytorch-bare.npz"))
    return npz(**arrays | {name: array * np.nan for name, array in list(arrays.items())[:1]})


BAD = {
    "empty": (b"", "the file is empty"),
    "pickle": (b"\x80\x02}.", "this is a pickle, which can run anybody's code"),
    "npz bomb": (bomb(), "the zip unpacks to 314,572,800 bytes"),
    "object npz": (npz(a=np.array([{}], object)), "was found among the arrays 'a'"),
    "paths in a zip": (members("../../etc/passwd"), "is not an .npy array"),
    "20,000 members": (members(*map(str, range(20_000))), "too many files"),
    "cut npz": ((FIXTURES / "pytorch-bare.npz").read_bytes()[:300], "its end is missing"),
    "length of 2^63": (safe(b"{", length=2**63), "announces a header of 9,223,372,036,854,775,808 bytes"),
    "blank header": (safe(b"{" + b" " * 10**7), "at most 4,194,304 are allowed"),
    "300,000 tensors": (safe(b"{" + b'"a":{},' * 10**5 + b'"b":{}}'), "a name is in the header twice"),
    "shape of 2^60": (safe(tensor(f"[{2**60},0]"), bytes(4)), "has no valid shape or place in the header"),
    "65 dims": (safe(tensor(str([1] * 65)), bytes(4)), "has no valid shape or place in the header"),
    "integers": (safe(tensor("[1]", "I32"), bytes(4)), "was found among the arrays 'a'"),
    "nothing that is a GRU": (
        safe(tensor("[1]"), bytes(4)),
        "no GRU, LSTM or plain RNN was found among the arrays 'a'",
    ),
    "not finite": (not_finite(), "is not finite"),
    "cut onnx": ((FIXTURES / "pytorch-both.onnx").read_bytes()[:1000], "ONNX"),
    "cut keras": ((FIXTURES / "keras-both.keras").read_bytes()[:3000], "its end is missing"),
    "cut h5": ((FIXTURES / "keras-both.weights.h5").read_bytes()[:3000], "HDF5"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_a_reason_and_not_stored(client: TestClient, folder: Path, case: str) -> None:
    content, message = BAD[case]
    before = sorted(folder.iterdir())
    response = client.post("/api/models", params={"name": "zqzq<script>"}, content=content)
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["code"], error["where"]) == ("format", "file")
    assert message in error["message"]
    assert "zqzq" not in response.text
    assert len(response.content) < 1200
    assert sorted(folder.iterdir()) == before


def test_a_gru_scope_file_that_cannot_be_run_is_refused(client: TestClient) -> None:
    model = deep(units=2)
    assert client.post("/api/models", content=model.to_bytes()).status_code == 201
    broken = [replace(model, card=replace(model.card, examples=(example,))) for example in ("", "?")]
    for changed in (*broken, deep(Numbers((Operator("=", "set it", (1e300,)),)), units=2)):
        response = client.post("/api/models", content=changed.to_bytes())
        assert (response.status_code, response.json()["error"]["code"]) == (422, "format")


@pytest.mark.parametrize("kind", fuzz.ENDINGS)
def test_100_mutated_files_give_a_model_or_a_refusal(client: TestClient, tmp_path: Path, kind: str) -> None:
    originals = fuzz.files(kind)
    outcomes: Counter[int] = Counter()
    with client_with_uploads(tmp_path / "kept") as client:
        for number in range(100):
            response = client.post("/api/models", content=fuzz.mutant(kind, originals, 2, number))
            outcomes[response.status_code] += 1
            if response.status_code == 201:
                assert client.get("/", params={"model": response.json()["model"]["id"]}).status_code == 200
    assert set(outcomes) <= {200, 201, 422}
    assert outcomes[201] > 0 < outcomes[422]
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_run_of_a_masked_network_lists_the_skipped_timesteps(client: TestClient) -> None:
    model = upload(client, "keras3-masked.keras")["model"]["id"]
    run = client.post("/api/trace", json={"model": model, "sequence": "0 3 0 1"}).json()
    assert run["mask"] == [False, True, False, True]
    assert run["layers"][1]["h"][2] == run["layers"][1]["h"][1]
    assert client.post("/api/trace", json={"model": "flip-flop", "sequence": "A m"}).json()["mask"] is None


def test_a_pytorch_checkpoint_can_be_uploaded_without_conversion(client: TestClient) -> None:
    assert "PyTorch's nn.GRU" in upload(client, "pytorch-lightning.ckpt")["model"]["report"][0]
    page = client.get("/").text
    assert f'accept="{",".join(ENDINGS)}"' in page
    assert KINDS in page


def test_only_a_part_of_a_vocabulary_of_10_000_is_listed(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    arrays = torch_layer(rng, 8, 4, prefix="gru.") | {"embed.weight": rng.normal(size=(10_000, 8)).astype(np.float32)}
    entry = client.post("/api/models", content=npz(**arrays)).json()["model"]
    assert entry["hint"].endswith("39 … (10,000 in all)")
    assert len(entry["alphabet"]) == 1_024
    assert len(client.get("/", params={"model": entry["id"]}).content) < 300_000
    run = client.post("/api/trace", json={"model": entry["id"], "sequence": "9999 0"}).json()
    assert len(run["x"]["labels"]) == 8
    np.testing.assert_allclose(run["x"]["values"], arrays["embed.weight"][[9999, 0]], rtol=1e-6)
