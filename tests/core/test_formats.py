"""Files that other libraries wrote: imported models give the libraries' results. Also import reports and questions.

The programs tests/fixtures/make_*.py wrote the files.
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
from tests.support.files import FIXTURES, REAL, npz, question_of, reference, torch_layer


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


def test_the_report_describes_in_sentences_how_a_file_was_read() -> None:
    assert formats.read_file(FIXTURES / "pytorch-tagger.safetensors").report == (
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
    report = formats.read_file(FIXTURES / "haiku.npz").report
    assert report[0].startswith(
        "Haiku's GRU: 1 layer of 4 units, with biases; blocks in the order z, r, h; the reset gate"
    )
    assert report[0].endswith("gate acts before the product; z near 1 takes the candidate, as here.")
    assert report[-1] == "There is no readout that can be shown, so the output is the state of the top layer."


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


def test_an_imported_model_can_be_saved_and_read_again(tmp_path: Path) -> None:
    for file in ("pytorch-tagger.safetensors", "pytorch-bare.npz"):
        model = formats.read_file(FIXTURES / file).model
        model.save(tmp_path / "a.safetensors")
        back = formats.read_file(tmp_path / "a.safetensors").model
        assert (back.encoder, back.readout.labels, back.card) == (model.encoder, model.readout.labels, model.card)
        for name, array in model.parameters.items():
            np.testing.assert_array_equal(back.parameters[name], array)


@pytest.mark.parametrize("name", [*presets.NAMES, "sentiment-lstm", "flip-flop-rnn"])
def test_gru_scopes_own_files_are_read_unchanged(name: str) -> None:
    model, imported = gru.load(name), formats.read_file(presets.path(name))
    assert imported.model.card == model.card
    for array, back in zip(model.parameters.values(), imported.model.parameters.values(), strict=True):
        np.testing.assert_array_equal(array, back)
    layer = imported.cells[0].core(imported.convention)
    np.testing.assert_array_equal(layer.W, model.layers[0].W)


def test_answers_for_gru_scopes_own_files_are_refused() -> None:
    with pytest.raises(FormatError, match="a GRU Scope model needs no answers, alphabet or labels"):
        formats.read_file(presets.path("flip-flop"), alphabet="abcdef")


def test_a_bidirectional_layer_needs_a_chosen_direction() -> None:
    with pytest.raises(Unanswered, match="Layer 1 is bidirectional") as error:
        formats.read_file(FIXTURES / "pytorch-both.safetensors")
    assert question_of(error.value) == ("direction", ["forward", "backward", "both"])
    imported = formats.read_file(FIXTURES / "pytorch-both.safetensors", direction="backward")
    assert "Layer 1 is bidirectional. Its backward half is shown, its forward half is not." in imported.report
    assert "This network reads a sequence from its end: write the last step first." in imported.report
    with pytest.raises(FormatError, match="there is no 'backward' direction in this file, only forward"):
        formats.read_file(FIXTURES / "pytorch-bare.npz", direction="backward")


def test_only_the_lowest_of_two_bidirectional_layers_is_shown() -> None:
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
    imported = formats.read(npz(**arrays), "both", direction="backward")
    assert len(imported.model.layers) == 1
    np.testing.assert_array_equal(imported.cells[0].W, arrays["weight_ih_l0_reverse"])
    assert any("needs both directions, so it is not used with only one" in sentence for sentence in imported.report)


def test_layers_below_a_bidirectional_layer_are_shown_with_its_forward_direction() -> None:
    file, wanted = FIXTURES / "keras-mixed.keras", reference("keras-mixed")
    forward = formats.read_file(file, direction="forward")
    runs = forward.model.forward(wanted["x"])
    np.testing.assert_allclose(runs[0].h, wanted["h_l0"], rtol=0, atol=3e-7)
    np.testing.assert_allclose(runs[1].h, wanted["h_l1"][..., :3], rtol=0, atol=3e-7)
    assert forward.model.readout.labels == ("h 1", "h 2", "h 3")
    assert "The linear layer 'layers/dense' needs both directions, so it is not used with only one." in forward.report
    backward = formats.read_file(file, direction="backward")
    assert "1 layer is left out, because only the others can be run in this direction alone." in backward.report
    (run,) = backward.model.forward(wanted["h_l0"][::-1])
    np.testing.assert_allclose(run.h[::-1], wanted["h_l1"][..., 3:], rtol=0, atol=3e-7)


def test_one_gru_of_a_network_with_branches_is_shown_alone() -> None:
    with pytest.raises(Unanswered) as error:
        formats.read_file(FIXTURES / "keras-branching.keras")
    assert question_of(error.value) == ("network", ["layers/gru", "layers/gru_1"])
    imported, wanted = (
        formats.read_file(FIXTURES / "keras-branching.keras", {"network": "layers/gru_1"}),
        reference("keras-branching"),
    )
    assert (
        imported.report[1]
        == "The layers of this network do not form a single chain, so only its recurrent layers are shown."
    )
    np.testing.assert_allclose(imported.model.forward(wanted["x"])[0].h, wanted["h"], rtol=0, atol=3e-7)


def test_a_file_with_several_grus_needs_a_chosen_network() -> None:
    rng = np.random.default_rng(0)
    data = save(torch_layer(rng, 3, 4, prefix="low.") | torch_layer(rng, 4, 5, prefix="high."))
    with pytest.raises(Unanswered) as error:
        formats.read(data, "two")
    assert question_of(error.value) == (
        "network",
        ["high", "low"],
    )  # in safetensors' order, the inputs of high do not match the units of low
    data = npz(**torch_layer(rng, 3, 4, prefix="low.") | torch_layer(rng, 4, 5, prefix="high."))
    with pytest.raises(Unanswered) as error:
        formats.read(data, "two")
    assert question_of(error.value) == ("network", ["low", "high", "stacked"])
    assert [layer.units for layer in formats.read(data, "two", {"network": "stacked"}).model.layers] == [4, 5]
    assert [layer.units for layer in formats.read(data, "two", {"network": "high"}).model.layers] == [5]


def test_equal_and_long_names_of_networks_become_different_options() -> None:
    assert apart(["a", "b", "a", "a", "x" * 100, "x" * 90]) == [
        "a",
        "b",
        "a #2",
        "a #3",
        "x" * 60 + "…",
        "x" * 60 + "… #2",
    ]


def test_arrays_without_names_need_a_chosen_library_and_options_explain_each() -> None:
    rng = np.random.default_rng(0)
    kernel, recurrent, bias = rng.normal(size=(3, 12)), rng.normal(size=(4, 12)), rng.normal(size=12)
    data = npz(arr_0=kernel, arr_1=recurrent, arr_2=bias)
    with pytest.raises(Unanswered) as error:
        formats.read(data, "x.npz")
    assert question_of(error.value) == ("library", ["Keras, reset_after=False", "Flax nnx", "Haiku"])
    assert error.value.question.options[2].means == (
        "blocks in the order z, r, h; r acts before the product; z near 1 takes the candidate"
    )
    imported = formats.read(data, "x.npz", {"library": "Haiku"})
    np.testing.assert_array_equal(imported.model.layers[0].W[:4], kernel[:, 4:8].T)
    with pytest.raises(
        FormatError, match="'numpy' is not an answer to 'library'; choose one of Keras, reset_after=False, Flax nnx"
    ):
        formats.read(data, "x.npz", {"library": "numpy"})
    after = formats.read(npz(arr_0=kernel, arr_1=recurrent, arr_2=rng.normal(size=(2, 12))), "keras.npz")
    assert after.convention == formats.Convention("zrh", "after", "keep")


def test_a_keras_layer_without_biases_needs_an_answer_about_its_reset_gate() -> None:
    rng = np.random.default_rng(0)
    data = npz(**{"gru/kernel": rng.normal(size=(3, 12)), "gru/recurrent_kernel": rng.normal(size=(4, 12))})
    with pytest.raises(Unanswered, match="Does the reset gate act before or after") as error:
        formats.read(data, "x.npz")
    assert question_of(error.value) == ("reset", ["after", "before"])
    assert formats.read(data, "x.npz", {"reset": "before"}).model.layers[0].reset == "before"


def test_a_matrix_that_may_be_an_embedding_needs_an_answer() -> None:
    rng = np.random.default_rng(0)
    arrays = torch_layer(rng, 3, 4, prefix="1.") | {"0.weight": rng.normal(size=(6, 3)).astype(np.float32)}
    with pytest.raises(Unanswered) as error:
        formats.read(npz(**arrays), "x.npz")
    assert question_of(error.value) == ("embedding", ["0", "none"])
    assert formats.read(npz(**arrays), "x.npz", {"embedding": "0"}).model.encoder.inputs == 6
    none = formats.read(npz(**arrays), "x.npz", {"embedding": "none"})
    assert none.model.encoder == Vectors(3)
    assert none.report[-1] == "Not used: '0/weight'."


def test_an_answer_can_replace_what_the_file_says_but_unknown_keys_are_refused() -> None:
    imported = formats.read_file(FIXTURES / "pytorch-bare.npz", {"order": "z,r,h", "z": "take", "reset": "before"})
    assert imported.convention == formats.Convention("zrh", "before", "take")
    assert "Your answer replaces what the file says about: order, reset, z." in imported.report
    with pytest.raises(FormatError, match="'gate' is not a question about a file; choose one of network, library"):
        formats.read_file(FIXTURES / "pytorch-bare.npz", {"gate": "z,r,h"})


def test_an_alphabet_turns_plain_inputs_into_symbols() -> None:
    imported = formats.read_file(FIXTURES / "pytorch-bare.npz", alphabet=["a", "b", "c"])
    assert imported.model.encoder == Symbols(("a", "b", "c"))
    assert "Each of the 3 inputs is read as one symbol." in imported.report


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
def test_an_alphabet_or_labels_that_do_not_fit_are_refused(alphabet: Any, labels: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        formats.read_file(FIXTURES / "pytorch-bare.npz", alphabet=alphabet, labels=labels)


def test_white_space_in_names_becomes_a_visible_character() -> None:
    imported = formats.read_file(
        FIXTURES / "pytorch-bare.npz", alphabet=[" ", "\n", "New York"], labels=[" ", "\t", "a b", "x"]
    )
    assert imported.model.encoder.alphabet == ("␣", "↵", "New␣York")
    assert imported.model.encoder.tokens("␣ New␣York ↵") == ["␣", "New␣York", "↵"]
    assert imported.model.readout.labels == ("␣", "⇥", "a b", "x")
    assert any("U+0020" in sentence and "␣" in sentence for sentence in imported.report)


def test_a_byte_order_mark_before_a_name_is_left_out() -> None:
    imported = formats.read_file(FIXTURES / "pytorch-bare.npz", alphabet=["\ufeffa", "b", "c"])
    assert imported.model.encoder == Symbols(("a", "b", "c"))


def test_an_embedding_of_many_symbols_is_looked_up_and_saved() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(20_000, 3)).astype(np.float32)
    arrays = torch_layer(rng, 3, 4)
    imported = formats.read(save(arrays | {"embed.weight": table}), "large")
    assert (imported.model.encoder.inputs, len(imported.model.encoder.alphabet)) == (3, 20_000)
    numbers = rng.integers(0, 20_000, 30)
    text = " ".join(map(str, numbers))
    plain = formats.read(save(arrays), "plain").model
    expected = gru.trace(plain, table[numbers]).h
    np.testing.assert_array_equal(gru.trace(imported.model, text).h, expected)
    again = formats.read(imported.model.to_bytes(), "again").model
    np.testing.assert_array_equal(gru.trace(again, text).h, expected)
    assert again.encoder.write(table[numbers]) == text
    report = gru.check(imported, {"x": numbers, "h": expected})
    assert report.passed, report


def test_arrays_of_other_types_beside_the_weights_are_ignored() -> None:
    arrays = torch_layer(np.random.default_rng(0), 3, 4)
    beside = {
        "norm.num_batches_tracked": np.int64(7),
        "words": np.array(["a", "bc"]),
        "mask": np.ones((3, 4), bool),
        "config": np.array([{}], object),
        "table": np.zeros(2, [("x", "f4")]),
        "bad": np.full((2, 2), np.nan),
    }
    imported = formats.read(npz(**arrays, **beside), "x", {"dense": "none"})
    np.testing.assert_array_equal(imported.cells[0].U, arrays["weight_hh_l0"])
    assert any("Not used" in sentence for sentence in imported.report)


def test_bfloat16_as_numpy_stores_it_is_read() -> None:
    arrays = torch_layer(np.random.default_rng(0), 3, 4)
    halves = {n: (np.ascontiguousarray(a).view(np.uint32) >> 16).astype("<u2") for n, a in arrays.items()}
    imported = formats.read(npz(**{name: array.view("V2") for name, array in halves.items()}), "half")
    np.testing.assert_array_equal(imported.cells[0].U.view(np.uint32), halves["weight_hh_l0"].astype(np.uint32) << 16)


def test_null_metadata_counts_as_no_metadata() -> None:
    data = (FIXTURES / "mlx.safetensors").read_bytes()
    assert b'"__metadata__":null' in data
    assert formats.read(data, "x").source == "MLX's nn.GRU"


def test_half_precision_is_read_exactly() -> None:
    rng = np.random.default_rng(0)
    half = {name: array.astype(np.float16) for name, array in torch_layer(rng, 3, 4).items()}
    imported = formats.read(save(half), "half")
    np.testing.assert_array_equal(imported.cells[0].U, half["weight_hh_l0"].astype(np.float32))
    # A bfloat16 is the upper half of a float32. NumPy has no bfloat16, so the test writes the file by hand.
    wide = {name: array.view(np.uint32) & np.uint32(0xFFFF0000) for name, array in torch_layer(rng, 3, 4).items()}
    data, header = b"", {}
    for name, array in wide.items():
        packed = (array >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": "BF16", "shape": array.shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    imported = formats.read(len(text).to_bytes(8, "little") + text + data, "bf16")
    np.testing.assert_array_equal(imported.cells[0].U, wide["weight_hh_l0"].view(np.float32))


def test_names_with_markup_are_shortened_and_stay_text() -> None:
    prefix = "<script>alert(1)</script>" + "x" * 200 + "."
    imported = formats.read(
        npz(**torch_layer(np.random.default_rng(0), 3, 4, prefix="gru."), **{prefix + "a": np.zeros(2)}), "<b>x</b>.npz"
    )
    assert max(len(sentence) for sentence in imported.report) < 300
    assert imported.model.card.title == "b>"  # the name after the last "/"
    imported = formats.read_file(FIXTURES / "pytorch-bare.npz")
    assert imported.model.card.title == "pytorch-bare"


def test_the_error_for_a_missing_library_names_the_extra_to_install() -> None:
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
    """A stand-in for a torch module, with the methods that `from_torch` uses. torch need not be installed."""

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


def test_the_embedding_of_a_torch_module_is_read_under_any_name() -> None:
    rng = np.random.default_rng(0)
    arrays = torch_layer(rng, 3, 4, prefix="1.") | {"0.weight": rng.normal(size=(6, 3)).astype(np.float32)}
    model = gru.from_torch(Part(arrays, {"0": Embedding()}), alphabet="abcdef")
    assert model.encoder == Symbols(tuple("abcdef"))
    with pytest.raises(FormatError, match="list is not a torch module"):
        gru.from_torch([])


def test_imported_torch_modules_give_the_results_of_torch() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    embed, layer, out = torch.nn.Embedding(5, 4), torch.nn.GRU(4, 4, 2), torch.nn.Linear(4, 3, bias=False)
    model = gru.from_torch(torch.nn.Sequential(embed, layer, out), alphabet="abcde")
    y = out(layer(embed(torch.tensor([0, 3, 2, 1])))[0]).detach().numpy()
    np.testing.assert_allclose(gru.trace(model, "adcb").y, y, atol=3e-7)
    cell, x = torch.nn.GRUCell(3, 4), torch.ones(1, 3)
    np.testing.assert_allclose(gru.from_torch(cell).forward(x.numpy())[0].h, cell(x).detach().numpy(), atol=3e-7)


def test_imported_keras_layers_give_the_results_of_keras() -> None:
    keras = pytest.importorskip("keras")
    layer = keras.layers.GRU(4, return_sequences=True, reset_after=False)
    x = np.random.default_rng(0).normal(size=(1, 6, 3)).astype(np.float32)
    wanted = keras.ops.convert_to_numpy(layer(x))[0]
    np.testing.assert_allclose(gru.from_keras(layer).forward(x[0])[0].h, wanted, atol=3e-7)


def test_imported_models_and_questions_can_be_pickled() -> None:
    imported = formats.read_file(FIXTURES / "equinox.npz")
    back = pickle.loads(pickle.dumps(imported))
    assert isinstance(back, Imported)
    assert back.model.to_bytes() == imported.model.to_bytes()
    with pytest.raises(Unanswered) as error:
        formats.read_file(FIXTURES / "pytorch-both.safetensors")
    again = pickle.loads(pickle.dumps(error.value))
    assert (again.question, str(again)) == (error.value.question, str(error.value))


def test_a_missing_file_raises_filenotfounderror() -> None:
    with pytest.raises(FileNotFoundError):
        formats.read_file(FIXTURES / "nowhere.npz")


def test_a_state_dict_is_read_with_the_keywords_of_a_file_and_with_a_report() -> None:
    arrays, path = dict(np.load(FIXTURES / "pytorch-bare.npz")), FIXTURES / "pytorch-bare.npz"
    models = [gru.load(path), gru.load(arrays), gru.from_torch(arrays)]
    report = formats.read_file(path).report
    for model in models:
        assert model.report == report
        np.testing.assert_array_equal(model.layers[0].U, models[0].layers[0].U)
    both = {
        f"{name}{end}": array
        for name, array in torch_layer(np.random.default_rng(0), 3, 4).items()
        for end in ("", "_reverse")
    }
    for read, call in ((gru.load, "gru.load(state_dict, direction="), (gru.from_torch, "gru.from_torch(module, dir")):
        with pytest.raises(Unanswered) as error:
            read(both)
        assert call in error.value.call
        assert "backward" in " ".join(read(both, direction="backward").report)
    assert gru.from_torch(both, {"direction": "backward"}).report == gru.load(both, direction="backward").report


def test_a_torch_module_and_its_state_dict_give_the_same_model() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.GRU(3, 4, bidirectional=True)
    for direction in ("forward", "backward"):
        direct = gru.from_torch(module, direction=direction)
        other = gru.load(module.state_dict(), direction=direction)
        np.testing.assert_array_equal(direct.layers[0].W, other.layers[0].W)
