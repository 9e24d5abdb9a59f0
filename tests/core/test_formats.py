"""Files that other libraries really wrote, against what these libraries really computed; and what is said and asked.

How the files came about is in tests/fixtures/make_*.py.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

import gru_core as gru
from gru_core import Symbols, Vectors, formats, presets
from gru_core.formats import FormatError, Imported, Unanswered
from gru_core.formats.questions import apart
from tests.support.files import FIXTURES, REAL, asked, npz, reference, torch_layer


@pytest.mark.parametrize(("file", "name", "answers"), REAL, ids=lambda value: str(value) if value else "")
def test_a_real_file_gives_the_states_and_outputs_of_the_library_that_wrote_it(
    file: str, name: str, answers: dict[str, str]
) -> None:
    model, wanted = formats.read_file(FIXTURES / file, answers).model, reference(name)
    x = np.eye(model.encoder.inputs)[wanted["x"]] if wanted["x"].dtype.kind == "i" else wanted["x"]
    backward, H = answers.get("direction") == "backward", model.layers[-1].units
    runs = model.forward(x[::-1] if backward else x)
    for k, run in enumerate(runs):
        h = wanted["h"] if "h" in wanted else wanted[f"h_l{k}"]
        h = h[::-1, ..., H:] if backward else h[..., : run.cell.units]
        assert run.h.dtype == h.dtype
        np.testing.assert_allclose(run.h, h, rtol=0, atol=3e-7 if h.dtype == np.float32 else 1e-15)
    if "y" in wanted:
        np.testing.assert_allclose(model.readout(runs[-1].h), wanted["y"], rtol=0, atol=1e-6)


def test_what_a_file_was_taken_to_be_is_said_in_sentences() -> None:
    assert formats.read_file(FIXTURES / "pytorch-tagger.safetensors").said == (
        "PyTorch's nn.GRU: 2 layers of 5 → 5 units, with biases; blocks in the order r, z, h; the reset gate acts "
        "after the product; z near 1 keeps the old state, so its weights change sign here.",
        "The weights show no activation functions and no mask for padding: "
        "sigmoid for the gates, tanh for h̃ and no mask are assumed.",
        "The embedding 'embed' is folded into W: 7 symbols instead of 3 numbers. "
        "The file has no names for the symbols, so they are numbered from 0.",
        "The linear layer 'out' is the readout, with 4 outputs; the file does not show whether a softmax follows, so y "
        "is V h + c without one. It also does not show whether the network pools the states or takes only the last one "
        "first; here y is computed at each timestep.",
    )
    said = formats.read_file(FIXTURES / "haiku.npz").said
    assert said[0].startswith(
        "Haiku's GRU: 1 layer of 4 units, with biases; blocks in the order z, r, h; the reset gate"
    )
    assert said[0].endswith("gate acts before the product; z near 1 takes the candidate, as here.")
    assert said[-1] == "There is no readout that can be shown, so the output is the state of the top layer."


def test_an_imported_model_is_traced_like_any_other() -> None:
    model = formats.read_file(FIXTURES / "pytorch-tagger.safetensors", alphabet="abcdefg", labels="NVAX").model
    assert model.encoder == Symbols(tuple("abcdefg"))
    assert model.readout.labels == tuple("NVAX")
    assert gru.trace(model, "gab").y.shape == (3, 4)
    plain = formats.read_file(FIXTURES / "pytorch-bare.npz").model
    assert plain.encoder == Vectors(3)
    run = gru.trace(plain, "0.1,-0.2,3 0,0,1")
    np.testing.assert_array_equal(run.y, run.h)
    assert plain.card.weights == "imported"


def test_an_imported_model_is_saved_and_comes_back(tmp_path: Path) -> None:
    for file in ("pytorch-tagger.safetensors", "pytorch-bare.npz"):
        model = formats.read_file(FIXTURES / file).model
        model.save(tmp_path / "a.safetensors")
        back = formats.read_file(tmp_path / "a.safetensors").model
        assert (back.encoder, back.readout.labels, back.card) == (model.encoder, model.readout.labels, model.card)
        for name, array in model.parameters.items():
            np.testing.assert_array_equal(back.parameters[name], array)


@pytest.mark.parametrize("name", [*presets.NAMES, "sentiment-lstm", "flip-flop-rnn"])
def test_gru_scopes_own_files_come_in_as_they_are(name: str) -> None:
    model, found = gru.load(name), formats.read_file(presets.path(name))
    assert found.model.card == model.card
    for array, back in zip(model.parameters.values(), found.model.parameters.values(), strict=True):
        np.testing.assert_array_equal(array, back)
    layer = found.cells[0].core(found.convention)
    np.testing.assert_array_equal(layer.W, model.layers[0].W)


def test_gru_scopes_own_files_are_not_answered_for() -> None:
    with pytest.raises(FormatError, match="a GRU Scope model needs no answers, alphabet or labels"):
        formats.read_file(presets.path("flip-flop"), alphabet="abcdef")


def test_a_layer_that_reads_both_ways_is_never_halved_without_being_asked_for() -> None:
    with pytest.raises(Unanswered, match="Layer 1 is bidirectional") as error:
        formats.read_file(FIXTURES / "pytorch-both.safetensors")
    assert asked(error.value) == ("direction", ["forward", "backward"])
    found = formats.read_file(FIXTURES / "pytorch-both.safetensors", direction="backward")
    assert "Layer 1 is bidirectional. Its backward half is shown, its forward half is not." in found.said
    assert "This network reads a sequence from its end: write the last step first." in found.said
    with pytest.raises(FormatError, match="there is no 'backward' direction in this file, only forward"):
        formats.read_file(FIXTURES / "pytorch-bare.npz", direction="backward")


def test_of_stacked_layers_that_read_both_ways_only_what_one_direction_can_run_is_shown() -> None:
    rng = np.random.default_rng(0)
    arrays = {
        n: a
        for k, i in ((0, 3), (1, 8))
        for s in ("", "_reverse")
        for n, a in torch_layer(rng, i, 4, f"_l{k}{s}").items()
    }
    arrays |= {"out.weight": rng.normal(size=(2, 8)).astype(np.float32), "out.bias": np.zeros(2, np.float32)}
    with pytest.raises(Unanswered, match="The layer above is left out, because both directions are needed there"):
        formats.read(npz(**arrays), "both")
    found = formats.read(npz(**arrays), "both", direction="backward")
    assert len(found.model.layers) == 1
    np.testing.assert_array_equal(found.cells[0].W, arrays["weight_ih_l0_reverse"])
    assert any("needs both directions, so it is not used with only one" in sentence for sentence in found.said)


def test_under_a_layer_that_reads_both_ways_lower_layers_are_shown_with_its_forward_half() -> None:
    file, wanted = FIXTURES / "keras-mixed.keras", reference("keras-mixed")
    forward = formats.read_file(file, direction="forward")
    runs = forward.model.forward(wanted["x"])
    np.testing.assert_allclose(runs[0].h, wanted["h_l0"], rtol=0, atol=3e-7)
    np.testing.assert_allclose(runs[1].h, wanted["h_l1"][..., :3], rtol=0, atol=3e-7)
    assert forward.model.readout.labels == ("h 1", "h 2", "h 3")
    assert "The linear layer 'layers/dense' needs both directions, so it is not used with only one." in forward.said
    backward = formats.read_file(file, direction="backward")
    assert "1 layer is left out, because only the others can be run in this direction alone." in backward.said
    (run,) = backward.model.forward(wanted["h_l0"][::-1])
    np.testing.assert_allclose(run.h[::-1], wanted["h_l1"][..., 3:], rtol=0, atol=3e-7)


def test_of_a_network_that_branches_a_gru_is_shown_alone() -> None:
    with pytest.raises(Unanswered) as error:
        formats.read_file(FIXTURES / "keras-branching.keras")
    assert asked(error.value) == ("network", ["layers/gru", "layers/gru_1"])
    found, wanted = (
        formats.read_file(FIXTURES / "keras-branching.keras", {"network": "layers/gru_1"}),
        reference("keras-branching"),
    )
    assert (
        found.said[1]
        == "The layers of this network do not form a single chain, so only its recurrent layers are shown."
    )
    np.testing.assert_allclose(found.model.forward(wanted["x"])[0].h, wanted["h"], rtol=0, atol=3e-7)


def test_several_grus_in_a_file_are_asked_about() -> None:
    rng = np.random.default_rng(0)
    data = save(torch_layer(rng, 3, 4, prefix="low.") | torch_layer(rng, 4, 5, prefix="high."))
    with pytest.raises(Unanswered) as error:
        formats.read(data, "two")
    assert asked(error.value) == ("network", ["high", "low"])  # safetensors' own order: high does not follow low's size
    data = npz(**torch_layer(rng, 3, 4, prefix="low.") | torch_layer(rng, 4, 5, prefix="high."))
    with pytest.raises(Unanswered) as error:
        formats.read(data, "two")
    assert asked(error.value) == ("network", ["low", "high", "stacked"])
    assert [layer.units for layer in formats.read(data, "two", {"network": "stacked"}).model.layers] == [4, 5]
    assert [layer.units for layer in formats.read(data, "two", {"network": "high"}).model.layers] == [5]


def test_networks_of_one_name_or_a_long_one_can_be_told_apart_in_an_answer() -> None:
    assert apart(["a", "b", "a", "a", "x" * 100, "x" * 90]) == [
        "a",
        "b",
        "a #2",
        "a #3",
        "x" * 60 + "…",
        "x" * 60 + "… #2",
    ]


def test_arrays_without_names_are_asked_about_with_what_follows_from_each_answer() -> None:
    rng = np.random.default_rng(0)
    kernel, recurrent, bias = rng.normal(size=(3, 12)), rng.normal(size=(4, 12)), rng.normal(size=12)
    data = npz(arr_0=kernel, arr_1=recurrent, arr_2=bias)
    with pytest.raises(Unanswered) as error:
        formats.read(data, "x.npz")
    assert asked(error.value) == ("library", ["Keras, reset_after=False", "Flax nnx", "Haiku"])
    assert error.value.question.options[2].means == (
        "blocks in the order z, r, h; r acts before the product; z near 1 takes the candidate"
    )
    found = formats.read(data, "x.npz", {"library": "Haiku"})
    np.testing.assert_array_equal(found.model.layers[0].W[:4], kernel[:, 4:8].T)
    with pytest.raises(
        FormatError, match="'numpy' is not an answer to 'library'; choose one of Keras, reset_after=False, Flax nnx"
    ):
        formats.read(data, "x.npz", {"library": "numpy"})
    after = formats.read(npz(arr_0=kernel, arr_1=recurrent, arr_2=rng.normal(size=(2, 12))), "keras.npz")
    assert after.convention == formats.Convention("zrh", "after", "keep")


def test_a_keras_layer_without_biases_leaves_the_reset_gate_to_be_asked_about() -> None:
    rng = np.random.default_rng(0)
    data = npz(**{"gru/kernel": rng.normal(size=(3, 12)), "gru/recurrent_kernel": rng.normal(size=(4, 12))})
    with pytest.raises(Unanswered, match="Does the reset gate act before or after") as error:
        formats.read(data, "x.npz")
    assert asked(error.value) == ("reset", ["after", "before"])
    assert formats.read(data, "x.npz", {"reset": "before"}).model.layers[0].reset == "before"


def test_a_matrix_that_may_be_an_embedding_or_not_is_asked_about() -> None:
    rng = np.random.default_rng(0)
    arrays = torch_layer(rng, 3, 4, prefix="1.") | {"0.weight": rng.normal(size=(6, 3)).astype(np.float32)}
    with pytest.raises(Unanswered) as error:
        formats.read(npz(**arrays), "x.npz")
    assert asked(error.value) == ("embedding", ["0", "none"])
    assert formats.read(npz(**arrays), "x.npz", {"embedding": "0"}).model.encoder.inputs == 6
    none = formats.read(npz(**arrays), "x.npz", {"embedding": "none"})
    assert none.model.encoder == Vectors(3)
    assert none.said[-1] == "Not used: '0/weight'."


def test_what_the_file_says_can_be_overruled_and_what_is_never_asked_is_refused() -> None:
    found = formats.read_file(FIXTURES / "pytorch-bare.npz", {"order": "z,r,h", "z": "take", "reset": "before"})
    assert found.convention == formats.Convention("zrh", "before", "take")
    assert "Your answer replaces what the file says about: order, reset, z." in found.said
    with pytest.raises(FormatError, match="'gate' is not a question about a file; choose one of network, library"):
        formats.read_file(FIXTURES / "pytorch-bare.npz", {"gate": "z,r,h"})


def test_a_given_alphabet_makes_symbols_of_plain_inputs() -> None:
    found = formats.read_file(FIXTURES / "pytorch-bare.npz", alphabet=["a", "b", "c"])
    assert found.model.encoder == Symbols(("a", "b", "c"))
    assert "Each of the 3 inputs is read as one symbol." in found.said


@pytest.mark.parametrize(
    ("alphabet", "labels", "message"),
    [
        ("ab", None, "2 symbols of the alphabet were given, but 3 are needed"),
        ("aab", None, "the symbols of the alphabet must differ, but 'a' is there 2 times"),
        ([" ", "␣", "d"], None, "the symbols of the alphabet must differ, but '␣' is there 2 times"),
        (["a", "", "d"], None, "symbols of the alphabet, number 2: each must be text of 1 to 64 characters"),
        (
            ["a", "\u202e", "d"],
            None,
            r"symbols of the alphabet, number 2 .* U\+202E: leave it out, or write another name",
        ),
        (
            ["a", "\u200d", "d"],
            None,
            r"symbols of the alphabet, number 2 .* U\+200D: leave it out, or write another name",
        ),
        (None, ["a", "\xadb", "c", "d"], r"labels, number 2 .* U\+00AD: leave it out, or write another name"),
        (None, ["a"], "1 labels were given, but 4 are needed"),
    ],
)
def test_names_that_do_not_fit_are_said_not_to(alphabet: Any, labels: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        formats.read_file(FIXTURES / "pytorch-bare.npz", alphabet=alphabet, labels=labels)


def test_white_space_has_a_picture_in_sequences_and_labels() -> None:
    found = formats.read_file(
        FIXTURES / "pytorch-bare.npz", alphabet=[" ", "\n", "New York"], labels=[" ", "\t", "a b", "x"]
    )
    assert found.model.encoder.alphabet == ("␣", "↵", "New␣York")
    assert found.model.encoder.tokens("␣ New␣York ↵") == ["␣", "New␣York", "↵"]
    assert found.model.readout.labels == ("␣", "⇥", "a b", "x")
    assert any("U+0020" in sentence and "␣" in sentence for sentence in found.said)


def test_a_byte_order_mark_before_a_name_is_left_out() -> None:
    found = formats.read_file(FIXTURES / "pytorch-bare.npz", alphabet=["\ufeffa", "b", "c"])
    assert found.model.encoder == Symbols(("a", "b", "c"))


def test_an_embedding_of_many_symbols_is_looked_up_and_saved() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(20_000, 3)).astype(np.float32)
    arrays = torch_layer(rng, 3, 4)
    found = formats.read(save(arrays | {"embed.weight": table}), "large")
    assert (found.model.encoder.inputs, len(found.model.encoder.alphabet)) == (3, 20_000)
    numbers = rng.integers(0, 20_000, 30)
    text = " ".join(map(str, numbers))
    plain = formats.read(save(arrays), "plain").model
    expected = gru.trace(plain, table[numbers]).h
    np.testing.assert_array_equal(gru.trace(found.model, text).h, expected)
    again = formats.read(found.model.to_bytes(), "again").model
    np.testing.assert_array_equal(gru.trace(again, text).h, expected)
    assert again.encoder.write(table[numbers]) == text
    report = gru.check(found, {"x": numbers, "h": expected})
    assert report.passed, report


def test_arrays_of_other_types_beside_the_weights_refuse_nothing() -> None:
    arrays = torch_layer(np.random.default_rng(0), 3, 4)
    beside = {
        "norm.num_batches_tracked": np.int64(7),
        "words": np.array(["a", "bc"]),
        "mask": np.ones((3, 4), bool),
        "config": np.array([{}], object),
        "table": np.zeros(2, [("x", "f4")]),
        "bad": np.full((2, 2), np.nan),
    }
    found = formats.read(npz(**arrays, **beside), "x", {"dense": "none"})
    np.testing.assert_array_equal(found.cells[0].U, arrays["weight_hh_l0"])
    assert any("Not used" in sentence for sentence in found.said)


def test_bfloat16_as_numpy_stores_it_is_read() -> None:
    arrays = torch_layer(np.random.default_rng(0), 3, 4)
    halves = {n: (np.ascontiguousarray(a).view(np.uint32) >> 16).astype("<u2") for n, a in arrays.items()}
    found = formats.read(npz(**{name: array.view("V2") for name, array in halves.items()}), "half")
    np.testing.assert_array_equal(found.cells[0].U.view(np.uint32), halves["weight_hh_l0"].astype(np.uint32) << 16)


def test_null_metadata_is_none() -> None:
    data = (FIXTURES / "mlx.safetensors").read_bytes()
    assert b'"__metadata__":null' in data
    assert formats.read(data, "x").source == "MLX's nn.GRU"


def test_half_precision_comes_in_exactly() -> None:
    rng = np.random.default_rng(0)
    half = {name: array.astype(np.float16) for name, array in torch_layer(rng, 3, 4).items()}
    found = formats.read(save(half), "half")
    np.testing.assert_array_equal(found.cells[0].U, half["weight_hh_l0"].astype(np.float32))
    # bfloat16 is the upper half of a float32; NumPy has no such type, so the file is written by hand.
    wide = {name: array.view(np.uint32) & np.uint32(0xFFFF0000) for name, array in torch_layer(rng, 3, 4).items()}
    data, header = b"", {}
    for name, array in wide.items():
        packed = (array >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": "BF16", "shape": array.shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    found = formats.read(len(text).to_bytes(8, "little") + text + data, "bf16")
    np.testing.assert_array_equal(found.cells[0].U, wide["weight_hh_l0"].view(np.float32))


def test_names_with_markup_stay_text_and_short() -> None:
    prefix = "<script>alert(1)</script>" + "x" * 200 + "."
    found = formats.read(
        npz(**torch_layer(np.random.default_rng(0), 3, 4, prefix="gru."), **{prefix + "a": np.zeros(2)}), "<b>x</b>.npz"
    )
    assert max(len(sentence) for sentence in found.said) < 300
    assert found.model.card.title == "b>"  # of a path the last part
    found = formats.read_file(FIXTURES / "pytorch-bare.npz")
    assert found.model.card.title == "pytorch-bare"


def test_a_missing_library_is_named_with_the_extra_that_brings_it() -> None:
    code = "import sys; sys.modules['h5py'] = None; from gru_core.formats import read_file; read_file(sys.argv[1])"
    command = [sys.executable, "-c", code, FIXTURES / "keras-both.keras"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr.strip().endswith("needs h5py: pip install 'gruscope[keras]'")


def test_an_onnx_file_is_read_without_onnx() -> None:
    code = "import sys; sys.modules['onnx'] = None; from gru_core.formats import read_file; read_file(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, FIXTURES / "pytorch-tagger.onnx"], check=True)


def test_importing_the_core_imports_no_foreign_library() -> None:
    code = "import sys, gru_core; print(sorted({'onnx', 'h5py', 'torch', 'keras', 'plotly'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


class Part:
    """What `from_torch` uses of a torch module, for want of torch here."""

    def __init__(self, arrays: dict[str, Any], parts: dict[str, Any]) -> None:
        self.arrays, self.parts = arrays, parts

    def state_dict(self) -> dict[str, Any]:
        class Tensor:
            dtype = "torch.float32"

            def __init__(self, array: Any) -> None:
                self.array = array

            def detach(self) -> Tensor:
                return self

            cpu = detach

            def numpy(self) -> Any:
                return self.array

        return {name: Tensor(array) for name, array in self.arrays.items()}

    def named_modules(self) -> list[tuple[str, Any]]:
        return [("", self), *self.parts.items()]


class Embedding: ...


def test_a_torch_module_in_memory_comes_in_with_its_embedding_whatever_that_is_called() -> None:
    rng = np.random.default_rng(0)
    arrays = torch_layer(rng, 3, 4, prefix="1.") | {"0.weight": rng.normal(size=(6, 3)).astype(np.float32)}
    model = gru.from_torch(Part(arrays, {"0": Embedding()}), alphabet="abcdef")
    assert model.encoder == Symbols(tuple("abcdef"))
    with pytest.raises(FormatError, match="list is not a torch module"):
        gru.from_torch([])


def test_real_torch_modules_in_memory_compute_what_torch_does() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    embed, layer, out = torch.nn.Embedding(5, 4), torch.nn.GRU(4, 4, 2), torch.nn.Linear(4, 3, bias=False)
    model = gru.from_torch(torch.nn.Sequential(embed, layer, out), alphabet="abcde")
    y = out(layer(embed(torch.tensor([0, 3, 2, 1])))[0]).detach().numpy()
    np.testing.assert_allclose(gru.trace(model, "adcb").y, y, atol=3e-7)
    cell, x = torch.nn.GRUCell(3, 4), torch.ones(1, 3)
    np.testing.assert_allclose(gru.from_torch(cell).forward(x.numpy())[0].h, cell(x).detach().numpy(), atol=3e-7)


def test_real_keras_layers_in_memory_compute_what_keras_does() -> None:
    keras = pytest.importorskip("keras")
    layer = keras.layers.GRU(4, return_sequences=True, reset_after=False)
    x = np.random.default_rng(0).normal(size=(1, 6, 3)).astype(np.float32)
    wanted = keras.ops.convert_to_numpy(layer(x))[0]
    np.testing.assert_allclose(gru.from_keras(layer).forward(x[0])[0].h, wanted, atol=3e-7)


def test_what_is_read_and_what_is_asked_can_come_from_another_process() -> None:
    found = formats.read_file(FIXTURES / "equinox.npz")
    back = pickle.loads(pickle.dumps(found))
    assert isinstance(back, Imported)
    assert back.model.to_bytes() == found.model.to_bytes()
    with pytest.raises(Unanswered) as error:
        formats.read_file(FIXTURES / "pytorch-both.safetensors")
    again = pickle.loads(pickle.dumps(error.value))
    assert (again.question, str(again)) == (error.value.question, str(error.value))


def test_a_file_that_is_not_there_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        formats.read_file(FIXTURES / "nowhere.npz")
