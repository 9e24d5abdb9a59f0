"""Ambiguous files: the import asks a question or refuses with advice, and never guesses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

import gru_core as gru
from gru_core import formats
from gru_core.formats import FormatError, Unanswered
from tests.support.files import FIXTURES, npz, question_of, reference, torch_layer

RNG = np.random.default_rng(24)
I, H = 3, 4


def normal(*shape: int) -> Any:
    return RNG.normal(0, 0.6, shape).astype("f4")


def question(data: bytes, answers: dict[str, str] | None = None) -> tuple[str, list[str]]:
    with pytest.raises(Unanswered) as error:
        formats.read(data, "net", answers)
    return question_of(error.value)


NORM = {"weight": normal(3 * H), "bias": normal(3 * H)}


@pytest.mark.parametrize(
    "inside",
    [
        {f"cell.ln_ih.{name}": array for name, array in NORM.items()},
        {"cell.weight_ci": normal(H)},  # peepholes of an LSTM
        {"cell.weight_hh_l0_scale": normal(3 * H)},
        {"scaled.weight_hh_l0_scale": normal(3 * H)},
    ],
)
def test_unknown_arrays_among_a_cells_arrays_need_an_answer(inside: dict[str, Any]) -> None:
    data = save(torch_layer(RNG, I, H, prefix="cell.") | inside)
    assert question(data) == ("cell", ["without", "with"])
    assert formats.read(data, "net", {"cell": "without"}).model.layers[0].units == H
    with pytest.raises(FormatError, match=r"cannot be shown\. Only the usual GRU"):
        formats.read(data, "net", {"cell": "with"})


def test_a_cell_without_a_prefix_needs_an_answer_about_a_layer_norm_only() -> None:
    cell = torch_layer(RNG, I, H, suffix="")
    norm = {f"ln.{name}": array for name, array in NORM.items()}
    assert question(save(cell | norm))[0] == "cell"
    readout = {"out.weight": normal(2, H), "out.bias": normal(2)}
    assert len(formats.read(save(cell | readout), "net").model.readout.labels) == 2


@pytest.mark.parametrize("both", [True, False])
def test_the_raw_weights_of_weight_dropping_are_used(both: bool) -> None:
    layer = torch_layer(RNG, I, H, prefix="rnn.module.")
    raw = layer["rnn.module.weight_hh_l0"]
    arrays = layer | {"rnn.weight_hh_l0_raw": raw, "rnn.module.weight_hh_l0": raw * (raw > 0)}
    if not both:
        del arrays["rnn.module.weight_hh_l0"]
    network = formats.read(save(arrays), "net")
    np.testing.assert_array_equal(network.cells[0].U, raw)
    assert any("weight_hh_l0_raw" in sentence for sentence in network.report)


def test_an_encoder_and_a_decoder_without_library_names_are_two_networks() -> None:
    def layer(name: str) -> dict[str, Any]:
        shapes = {"w_ih": (3 * H, H), "w_hh": (3 * H, H), "b_ih": (3 * H,), "b_hh": (3 * H,)}
        return {f"{name}_{part}": normal(*shape) for part, shape in shapes.items()}

    tables = {"enc_emb": normal(6, H), "dec_emb": normal(5, H)}
    arrays = tables | layer("enc") | layer("dec") | {"fc_w": normal(5, H), "fc_b": normal(5)}
    for data in (npz(**arrays), save(arrays)):  # npz keeps this order, safetensors sorts by name
        key, options = question(data)
        assert key == "network"
        assert {"enc", "dec"} < set(options)
        network = formats.read(data, "net", {"network": "dec"})
        np.testing.assert_array_equal(network.cells[0].W, arrays["dec_w_ih"])
        np.testing.assert_array_equal(network.cells[0].b_recurrent, arrays["dec_b_hh"])


def test_two_layers_without_names_are_stacked_only_by_an_answer() -> None:
    shapes = [(I, 3 * H), (H, 3 * H), (2, 3 * H), (H, 3 * H), (H, 3 * H), (2, 3 * H)]
    data = npz(**{f"arr_{i}": normal(*shape) for i, shape in enumerate(shapes)})
    assert question(data) == ("network", ["arr_0", "arr_3", "stacked"])
    assert len(formats.read(data, "net", {"network": "stacked"}).model.layers) == 2


def test_two_matrices_of_the_same_shape_need_names() -> None:
    with pytest.raises(FormatError, match="Name them weight_ih_l0 and weight_hh_l0"):
        formats.read(npz(first=normal(3 * H, H), second=normal(3 * H, H)), "net")
    named = npz(h2h=normal(3 * H, H), i2h=normal(3 * H, H))
    assert question(named) == ("library", ["PyTorch"])  # cells with different equations also use these names
    assert formats.read(named, "net", {"library": "PyTorch"}).source.endswith("PyTorch")


def test_linear_layers_whose_shapes_fit_a_gru_are_not_read_as_one_unasked() -> None:
    shapes = {"0.weight": (3 * H, I), "1.weight": (3 * H, H), "2.weight": (H, 3 * H)}
    assert question(npz(**{name: normal(*shape) for name, shape in shapes.items()}))[0] == "library"


SINGLE_GATES = {
    "Dive into Deep Learning": [f"W_{source}{gate}" for gate in "zrh" for source in "xh"],
    "Chainer": [f"gru/{matrix}{gate}/W" for gate in ("_r", "_z", "") for matrix in "WU"],
    "linear layers": [f"cell.{gate}_gate.{part}.weight" for gate in ("reset", "update", "new") for part in "ih"],
    "an LSTM in NumPy": [f"{matrix}{gate}" for gate in "ifco" for matrix in "WU"],
}


@pytest.mark.parametrize("names", SINGLE_GATES.values(), ids=SINGLE_GATES)
def test_matrices_of_single_gates_are_refused_with_the_lines_that_join_them(names: list[str]) -> None:
    with pytest.raises(FormatError, match=r"single gates(?s:.*)np\.concatenate\(\[W_r, W_z, W_h\]\)"):
        formats.read(npz(**{name: normal(H, (I, H)[i % 2]) for i, name in enumerate(names)}), "net")


def test_the_lines_for_single_gates_and_a_tensorflow_checkpoint_write_a_file_that_is_read() -> None:
    W, U, b = ([normal(H, size) for _ in range(3)] for size in (I, H, 1))
    joined = npz(
        weight_ih=np.concatenate(W), weight_hh=np.concatenate(U), bias_ih=np.concatenate(b)[:, 0],
        bias_hh=np.zeros(3 * H),
    )  # fmt: skip
    network = formats.read(joined, "net", {"reset": "before", "z": "take"})
    np.testing.assert_array_equal(network.model.layers[0].U, np.concatenate(U))
    assert network.convention == formats.Convention("rzh", "before", "take")

    cell = {"kernel": normal(I, 3 * H), "recurrent_kernel": normal(H, 3 * H), "bias": normal(2, 3 * H)}
    end = "/.ATTRIBUTES/VARIABLE_VALUE"
    arrays = {f"layer_with_weights-0/cell/{name}{end}": array for name, array in cell.items()}
    arrays |= {f"layer_with_weights-0/cell/{name}/.OPTIMIZER_SLOT/optimizer/m{end}": a for name, a in cell.items()}
    arrays |= {"_CHECKPOINTABLE_OBJECT_GRAPH": np.array(b"graph"), f"save_counter{end}": np.array(1)}
    network = formats.read(npz(**arrays), "net")
    np.testing.assert_array_equal(network.cells[0].U, cell["recurrent_kernel"].T)


@pytest.mark.parametrize(("kind", "rows"), [("LSTM", 4 * H), ("RNN", H)])
def test_an_lstm_or_rnn_without_names_needs_a_chosen_library(kind: str, rows: int) -> None:
    arrays = [normal(I, rows), normal(H, rows), normal(rows)]
    data = npz(**{f"arr_{i}": array for i, array in enumerate(arrays)})
    assert question(data) == ("library", ["Keras"])
    network = formats.read(data, "net", {"library": "Keras"})
    assert network.model.layers[0].title == kind
    np.testing.assert_array_equal(network.cells[0].W, arrays[0].T)


def test_an_array_after_a_layer_without_names_needs_an_answer() -> None:
    data = npz(arr_0=normal(I, 3 * H), arr_1=normal(H, 3 * H), arr_2=normal(2, 3 * H), arr_3=normal(H))
    assert question(data)[0] == "cell"


MIDDLES: list[dict[str, Any]] = [
    {"combine.weight": normal(H, H), "combine.bias": normal(H)},
    {"a.weight": normal(7, H), "a.bias": normal(7), "b.weight": normal(H, 7), "b.bias": normal(H)},
    {"norm.weight": normal(H), "norm.bias": normal(H)},
    {"conv.weight": normal(H, H, 3)},
    {"positions": normal(20, H)},
]


@pytest.mark.parametrize("middle", MIDDLES)
def test_an_embedding_needs_an_answer_if_a_layer_may_be_between(middle: dict[str, Any]) -> None:
    arrays = torch_layer(RNG, H, 5, prefix="gru.") | {"embedding.weight": normal(9, H)}
    assert formats.read(save(arrays), "net").model.encoder.inputs == 9
    data = save(arrays | middle)
    assert question(data) == ("embedding", ["embedding", "none"])
    assert formats.read(data, "net", {"embedding": "none", "dense": "none"}).model.encoder == gru.Vectors(H)


def test_a_linear_layer_that_may_come_before_the_network_needs_an_answer() -> None:
    arrays = torch_layer(RNG, H, H, prefix="gru.")
    for name, sure in (("proj", False), ("fc_out", True), ("head", True)):
        data = save(arrays | {f"{name}.weight": normal(H, H), f"{name}.bias": normal(H)})
        if sure:
            assert formats.read(data, "net").model.readout.labels[0] == "y 1"
        else:
            assert question(data) == ("dense", [name, "none"])


def test_the_report_does_not_claim_that_a_readout_reads_every_state() -> None:
    data = save(torch_layer(RNG, I, H, prefix="gru.") | {"fc.weight": normal(2, H), "fc.bias": normal(2)})
    assert any("pools the states or takes only the last" in sentence for sentence in formats.read(data, "net").report)


@pytest.mark.parametrize(("back", "ahead"), [("rnn_bw", "rnn_fw"), ("gru.backward", "gru.forward"), ("bwd", "fwd")])
def test_a_network_with_a_backward_name_reads_backward(back: str, ahead: str) -> None:
    two = torch_layer(RNG, I, H, prefix=f"{ahead}.") | torch_layer(RNG, I, H, prefix=f"{back}.")
    assert question(save(two)) == ("direction", ["forward", "backward", "both"])
    network = formats.read(save(two), "net", direction="backward")
    np.testing.assert_array_equal(network.cells[0].U, two[f"{back}.weight_hh_l0"])
    assert network.both
    alone = formats.read(save(torch_layer(RNG, I, H, prefix=f"{back}.")), "net")
    assert alone.direction == "backward"


@pytest.mark.parametrize("version", [2, 3])
def test_the_configuration_in_an_h5_file_is_used(version: int) -> None:
    with pytest.raises(FormatError, match=r"'hard_sigmoid'; only sigmoid can be shown\. To see this network, train it"):
        formats.read_file(FIXTURES / "refused" / f"keras{version}-hard.h5")
    with pytest.raises(FormatError, match=r"'relu'; only tanh can be shown\. To see this network, train it"):
        formats.read_file(FIXTURES / "refused" / f"keras{version}-relu.h5")
    network = formats.read_file(FIXTURES / f"keras{version}-masking.h5")
    assert network.direction == "backward"
    assert gru.check(network, reference(f"keras{version}-masking")).passed


def test_keras_masks_are_in_the_model_and_in_the_trace() -> None:
    network = formats.read_file(FIXTURES / "keras3-masked.keras")
    assert network.model.encoder == gru.Symbols(tuple("012345"), padding="0")
    trace = gru.trace(network.model, "0 3 0 1")
    assert trace.mask is not None
    np.testing.assert_array_equal(trace.mask, [False, True, False, True])
    np.testing.assert_array_equal(trace.h[2], trace.h[1])
    assert any("mask" in sentence for sentence in network.report)


def test_the_words_of_a_vocabulary_name_the_symbols() -> None:
    network = formats.read_file(FIXTURES / "keras3-words.keras")
    words = ("[PAD]", "[UNK]", "was", "the", "good", "film", "very", "not", "bad", "9", "10", "11")
    assert network.model.encoder == gru.Symbols(words)
    assert gru.trace(network.model, "the film was good").y.shape == (4, 1)


def test_an_lstm_of_tensorflow_1_is_refused_with_a_remedy() -> None:
    data = npz(**{"rnn/basic_lstm_cell/kernel": normal(I + H, 4 * H), "rnn/basic_lstm_cell/bias": normal(4 * H)})
    with pytest.raises(FormatError, match=r"forget_bias.*Load the weights into Keras's LSTM"):
        formats.read(data, "net")
    plain = npz(**{"rnn/basic_rnn_cell/kernel": normal(I + H, H), "rnn/basic_rnn_cell/bias": normal(H)})
    assert formats.read(plain, "net").source == "TensorFlow 1's BasicRNNCell"


def tagger(prefix: str) -> dict[str, Any]:
    """Return the arrays of an embedding, a GRU and a linear layer, with `prefix` before each name."""
    others = {"embedding.weight": normal(6, I), "fc.weight": normal(2, H), "fc.bias": normal(2)}
    return torch_layer(RNG, I, H, prefix=f"{prefix}gru.") | {f"{prefix}{name}": a for name, a in others.items()}


@pytest.mark.parametrize(
    ("own", "copy"), [("model.", "ema."), ("", "ema."), ("state_dict.net.", "state_dict_ema.net.")]
)
def test_a_network_that_is_in_the_file_twice_keeps_its_own_embedding_and_readout(own: str, copy: str) -> None:
    arrays = tagger(own) | tagger(copy)
    places = {f"{prefix}gru".replace(".", "/"): prefix for prefix in (own, copy)}
    key, options = question(save(arrays))
    assert (key, set(options)) == ("network", set(places))
    for place, prefix in places.items():
        answers = {"network": place, "dense": f"{prefix}fc".replace(".", "/")}
        network = formats.read(save(arrays), "net", answers)
        mine = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        alone = formats.read(save(mine if prefix else {n: arrays[n] for n in tagger("")}), "net")
        parameters = alone.model.parameters
        for name, array in network.model.parameters.items():
            np.testing.assert_array_equal(array, parameters[name])


def test_the_state_of_an_optimizer_is_no_network() -> None:
    for slots in ("opt_state/0/mu/", "1/0/nu/", "optimizer/"):
        arrays = tagger("params/") | {name.replace(".", "/"): a for name, a in tagger(slots).items()}
        network = formats.read(save(arrays), "state")
        np.testing.assert_array_equal(network.cells[0].U, arrays["params/gru.weight_hh_l0"])
        assert any("optimizer" in sentence for sentence in network.report)


def test_counters_positions_and_random_keys_raise_no_question() -> None:
    beside = {"n_averaged": np.array(3), "position_ids": np.arange(I)[None], "rngs.key": np.array([1, 2], np.uint32)}
    beside |= {"mask": np.ones((H, I), bool)}
    network = formats.read(npz(**tagger("net."), **beside), "net")
    assert network.model.readout.labels == ("y 1", "y 2")
    assert any("n_averaged" in sentence for sentence in network.report)


@pytest.mark.parametrize("name", ["h0", "init_hidden", "net.initial_state", "net.h_0"])
def test_a_learned_initial_state_is_named(name: str) -> None:
    data = npz(**torch_layer(RNG, I, H, prefix="net.gru."), **{name: normal(1, 1, H)})
    path = name.replace(".", "/")
    assert any(f"'{path}'" in s and "starts from zero" in s for s in formats.read(data, "net").report)
