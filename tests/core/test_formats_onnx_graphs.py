"""ONNX graphs as exporters write them: computed weights, repeated calls, partial readouts, and refused graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from gru_core import check, formats
from gru_core.formats import FormatError, Unanswered
from gru_core.formats.onnx_constants import OPERATORS, Constants
from gru_core.formats.onnx_file import graph
from tests.support.files import FIXTURES, question_of, reference

T, B, I, H = 5, 2, 3, 4


def report_of(imported: Any) -> str:
    return " ".join(imported.report)


@pytest.mark.parametrize(
    ("name", "layers", "direction"),
    [
        ("onnx-large", 1, "forward"),
        ("onnx-unfolded", 1, "forward"),
        ("onnx-shared", 2, "forward"),
        ("onnx-steps", 2, "forward"),
        ("onnx-backward", 1, "backward"),
        ("onnx-keras", 1, "backward"),
    ],
)
def test_an_exported_network_gives_the_results_of_onnxruntime(name: str, layers: int, direction: str) -> None:
    imported = formats.read_file(FIXTURES / f"{name}.onnx")
    assert len(imported.model.layers) == layers
    assert imported.direction == direction
    assert check(imported, reference(name)).passed


@pytest.mark.parametrize("name", ["onnx-last", "onnx-last-9"])
def test_a_readout_of_the_last_timestep_is_the_networks_readout(name: str) -> None:
    imported, arrays = formats.read_file(FIXTURES / f"{name}.onnx"), reference(name)
    model = imported.model
    y = model.readout(model.forward(arrays["x"])[-1].h)
    np.testing.assert_allclose(y[-1], arrays["y"], rtol=0, atol=1e-6)
    assert len(model.layers) == 2
    assert "only the last timestep" in report_of(imported)


def test_sequence_lengths_are_reported_and_unpadded_timesteps_are_correct() -> None:
    imported, arrays = formats.read_file(FIXTURES / "onnx-packed.onnx"), reference("onnx-packed")
    assert "length" in report_of(imported)
    model = imported.model
    for b, length in enumerate(arrays["lengths"]):
        y = model.readout(model.forward(arrays["x"][:length, b : b + 1])[-1].h)
        np.testing.assert_allclose(y[:, 0], arrays["y"][:length, b], rtol=0, atol=1e-6)


def test_an_encoder_and_a_decoder_are_never_stacked() -> None:
    with pytest.raises(Unanswered) as error:
        formats.read_file(FIXTURES / "onnx-translator.onnx")
    assert question_of(error.value) == ("network", ["encoder", "decoder"])
    decoder = formats.read_file(FIXTURES / "onnx-translator.onnx", {"network": "decoder"})
    assert len(decoder.model.layers) == 1
    assert len(decoder.model.readout.labels) == len(decoder.model.encoder.alphabet) == 9
    assert "the last state of 'encoder'" in report_of(decoder)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("onnx-cell", "save_file({name: array.contiguous() for name, array in model.state_dict().items()}"),
        ("onnx-rnn", "save_file({name: array.contiguous() for name, array in model.state_dict().items()}"),
        ("onnx-keras-loop", 'model.save("model.keras")'),
    ],
)
def test_a_network_exported_as_single_operators_is_refused_with_code_that_saves_it(name: str, remedy: str) -> None:
    with pytest.raises(FormatError) as error:
        formats.read_file(FIXTURES / "refused" / f"{name}.onnx")
    assert remedy in str(error.value)
    assert "Tanh" in str(error.value)


RNG = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return RNG.normal(0, 0.5, shape).astype(np.float32)


def network(*before: Any, inputs: tuple[str, ...] = ("x", "W", "R", "B"), **more: Any) -> Any:
    """Return an ONNX model with the nodes in `before`, one GRU, and the nodes in `after`, in this order.

    `more` may contain `after`, `producer`, `names`, `attributes`, and arrays to store. None omits an array.
    """
    options = {"after": [], "producer": "", "names": (), "attributes": {}} | {
        key: more.pop(key) for key in ("after", "producer", "names", "attributes") if key in more
    }
    arrays = {"W": normal(1, 3 * H, I), "R": normal(1, 3 * H, H), "B": normal(1, 6 * H)} | more
    attributes = {"hidden_size": H, "linear_before_reset": 1} | options["attributes"]
    gru = helper.make_node("GRU", inputs, ["Y", "Y_h"], name="net", **attributes)
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [T, B, I])]
    given += [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in options["names"]]
    made = helper.make_graph(
        [*before, gru, *options["after"]], "net", given,
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items() if array is not None],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    model.producer_name = options["producer"]
    return model


def read(model: Any, answers: dict[str, str] | None = None) -> Any:
    return formats.read(model.SerializeToString(), "net.onnx", answers)


def test_quantized_weights_are_evaluated() -> None:
    W = RNG.integers(-127, 128, (1, 3 * H, I)).astype(np.int8)
    scale = RNG.uniform(0.005, 0.02, 3 * H).astype(np.float32)
    node = helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["W"], axis=1)
    model = network(node, W=None, q=W, scale=scale, zero=RNG.integers(-5, 5, 3 * H).astype(np.int8))
    x = normal(T, B, I)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    Y = np.asarray(session.run(["Y"], {"x": x})[0])[:, 0]
    assert check(read(model), {"x": x, "h": Y}).passed


def test_a_dynamically_quantized_lstm_is_refused_by_name_with_the_remedy() -> None:
    model = network()
    model.graph.node[0].op_type, model.graph.node[0].domain = "DynamicQuantizeLSTM", "com.microsoft"
    with pytest.raises(FormatError, match=r"DynamicQuantizeLSTM.*upload the file from before it was quantized"):
        read(model)


def test_weights_from_an_operator_that_is_not_evaluated_are_refused_with_the_remedy() -> None:
    node = helper.make_node("Softmax", ["V"], ["W"])
    with pytest.raises(FormatError, match=r"'W' comes from the operator 'Softmax'.*constant folding.*(?s:.)*save_file"):
        read(network(node, W=None, V=normal(1, 3 * H, I), producer="pytorch"))


@pytest.mark.parametrize(
    ("before", "more", "words"),
    [
        ((), {"h": normal(1, B, H)}, "a stored state"),
        ((), {"names": ("h",)}, "an input ('h')"),
        ((helper.make_node("Unsqueeze", ["s", "zero"], ["h"]),), {"names": ("s",), "zero": np.array([0])}, "('s')"),
        ((helper.make_node("Exp", ["s"], ["h"]),), {"names": ("s",)}, "computed in the graph"),
        ((), {"h": np.zeros((1, B, H), np.float32)}, None),
        ((helper.make_node("Shape", ["x"], ["n"]), helper.make_node("ConstantOfShape", ["n"], ["h"])), {}, None),
        ((helper.make_node("Shape", ["x"], ["n"]), helper.make_node("Expand", ["o", "n"], ["h"])),
         {"o": np.zeros(1, np.float32)}, None),
    ],
)  # fmt: skip
def test_an_initial_state_other_than_zero_is_reported(before: Any, more: dict[str, Any], words: str | None) -> None:
    report = report_of(read(network(*before, inputs=("x", "W", "R", "B", "", "h"), **more)))
    assert ("begins from zero" in report) == (words is not None)
    assert words is None or words in report


def test_lengths_that_come_from_the_shape_are_not_reported() -> None:
    shape = helper.make_node("Shape", ["x"], ["n"])
    inputs = ("x", "W", "R", "B", "n")
    assert "length" not in report_of(read(network(shape, inputs=inputs)))
    assert "length" in report_of(read(network(inputs=inputs, names=("n",))))
    assert "length" in report_of(read(network(inputs=inputs, n=np.array([3, 5], np.int32))))


def test_a_pytorch_export_without_linear_before_reset_is_reported_and_can_be_corrected() -> None:
    dropped = network(producer="pytorch", attributes={"linear_before_reset": 0})
    assert "linear_before_reset=0" in report_of(read(dropped))
    assert "2852" in report_of(read(dropped))
    assert read(dropped, {"reset": "after"}).model.layers[0].reset == "after"
    for producer, value in (("pytorch", 1), ("", 0)):
        assert "2852" not in report_of(read(network(producer=producer, attributes={"linear_before_reset": value})))


def test_a_graph_with_several_readouts_needs_an_answer() -> None:
    after = [helper.make_node("MatMul", ["Y", name], [f"y{name}"], name=name) for name in ("V1", "V2")]
    model = network(after=after, V1=normal(H, 2), V2=normal(H, 3))
    with pytest.raises(Unanswered) as error:
        read(model)
    assert question_of(error.value) == ("dense", ["V1", "V2", "none"])
    assert len(read(model, {"dense": "V2"}).model.readout.labels) == 3


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([("ReduceMean", ["Y", "first"], {"keepdims": 0})], "'ReduceMean', which is not shown"),
        ([("Gather", ["Y", "zero"], {"axis": 0})], "some timesteps"),
        ([("Gather", ["Y", "last"], {"axis": 0})], "the last timestep"),
        ([("Slice", ["Y", "lasts", "end", "first"], {})], "the last timestep"),
        ([("Transpose", ["Y"], {"perm": [3, 1, 2, 0]})], "'MatMul', which is not shown"),
    ],
)
def test_only_a_readout_of_states_is_shown(nodes: Any, words: str) -> None:
    after = [helper.make_node(kind, inputs, ["a"], **attributes) for kind, inputs, attributes in nodes]
    after.append(helper.make_node("MatMul", ["a", "V"], ["y"]))
    size = T if nodes[0][0] == "Transpose" else H
    constants = {"zero": np.array(0), "last": np.array(-1), "first": np.array([0]), "lasts": np.array([-1])}
    imported = read(network(after=after, V=normal(size, 2), end=np.array([2**63 - 1]), **constants))
    assert words in report_of(imported)
    assert len(imported.model.readout.labels) == (2 if "timestep" in words else H)


def test_a_layer_that_two_inputs_use_is_one_layer() -> None:
    twin = helper.make_node("GRU", ["x2", "W", "R", "B"], ["Y2"], hidden_size=H, linear_before_reset=1)
    imported = read(network(after=[twin], names=("x2",)))
    assert len(imported.model.layers) == 1
    assert "uses this layer" in report_of(imported)


A = normal(3, 4)
EVALUATED: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("Identity", [A], {}),
    ("Slice", [A, np.array([1]), np.array([2**63 - 1]), np.array([-1])], {}),
    ("Slice", [A, np.array([-1]), np.array([-(2**63)]), np.array([0]), np.array([-1])], {}),
    ("Slice", [A, np.array([0, 1]), np.array([2, -1])], {}),
    ("Concat", [A, A, A], {"axis": 0}),
    ("Concat", [A, A], {"axis": -1}),
    ("Transpose", [A], {}),
    ("Transpose", [A[None]], {"perm": [2, 0, 1]}),
    ("Reshape", [A, np.array([2, -1])], {}),
    ("Reshape", [A, np.array([0, 2, 2])], {}),
    ("Flatten", [A[None]], {"axis": 2}),
    ("Squeeze", [A[None]], {}),
    ("Squeeze", [A[None], np.array([0])], {}),
    ("Unsqueeze", [A, np.array([0, 3])], {}),
    ("Gather", [A, np.array([2, 0])], {"axis": 1}),
    ("Gather", [A, np.array(-1)], {}),
    ("Cast", [A], {"to": TensorProto.DOUBLE}),
    ("Cast", [A], {"to": TensorProto.FLOAT16}),
    ("CastLike", [A, np.zeros(1)], {}),
    ("Expand", [A, np.array([2, 1, 4])], {}),
    ("Shape", [A], {"start": 1}),
    ("ConstantOfShape", [np.array([2, 3])], {"value": numpy_helper.from_array(np.array([0.5], np.float32))}),
    ("Constant", [], {"value": numpy_helper.from_array(A)}),
    ("Constant", [], {"value_floats": [0.5, 1.5]}),
    ("Constant", [], {"value_float": 0.5}),
    ("Constant", [], {"value_ints": [1, -2]}),
    ("Constant", [], {"value_int": -3}),
    ("Dropout", [A], {}),
    *((name, [A, normal(4)], {}) for name in ("Add", "Sub", "Mul", "Div")),
    ("Div", [np.array([7]), np.array([2])], {}),
    ("Pow", [np.abs(A), np.array(2.0, np.float32)], {}),
    *((name, [np.abs(A) + 0.1], {}) for name in ("Neg", "Abs", "Sqrt", "Exp", "Reciprocal")),
    ("MatMul", [A, A.T.copy()], {}),
    *((name, [A, np.array([1])], {"keepdims": 0}) for name in ("ReduceSum", "ReduceL2", "ReduceSumSquare")),
    *((name, [A, np.array([-1])], {}) for name in ("ReduceSum", "ReduceL2", "ReduceSumSquare")),
    ("ReduceSum", [A], {}),
    ("DequantizeLinear", [np.array([[1, -2], [3, 4]], np.int8), np.array(0.5, np.float32), np.array(3, np.int8)], {}),
    ("DequantizeLinear", [np.array([[1, 200]] * 2, np.uint8), normal(2), np.array([3, 128], np.uint8)], {"axis": 0}),
    ("DequantizeLinear", [np.arange(16, dtype=np.int8).reshape(2, 8), normal(2, 2)], {"axis": 1, "block_size": 4}),
    ("Split", [A], {"axis": 1, "num_outputs": 2}),
    ("Split", [A, np.array([1, 2])], {"axis": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arrays", "attributes"), EVALUATED)
def test_an_operator_gives_the_results_of_onnxs_evaluator(kind: str, arrays: Any, attributes: Any) -> None:
    names = [f"i{k}" for k in range(len(arrays))]
    outputs = ["a", "b"] if kind == "Split" else ["a"]
    node = helper.make_node(kind, names, outputs, **attributes)
    stored = [numpy_helper.from_array(np.asarray(array), name) for name, array in zip(names, arrays, strict=True)]
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    made = helper.make_graph([node], "net", [], given, stored)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    expected = ReferenceEvaluator(model).run(None, {})
    file = graph(model.SerializeToString())
    constants = Constants(file.tensors, {output: node for node in file.nodes for output in node.outputs})
    for name, array in zip(outputs, expected, strict=True):
        value = constants.get(name)
        assert value is not None
        assert value.dtype == np.asarray(array).dtype
        np.testing.assert_allclose(value, array, rtol=1e-6, atol=1e-7)


def test_every_operator_is_compared_with_onnxs_evaluator() -> None:
    assert {kind for kind, _, _ in EVALUATED} == set(OPERATORS)


@pytest.mark.parametrize(
    ("nodes", "arrays"),
    [
        ([("Expand", ["A", "n"])], {"n": np.array([2**40, 3, 4])}),
        ([("ConstantOfShape", ["n"])], {"n": np.array([2**20, 2**20])}),
        ([("Gather", ["A", "n"])], {"n": np.zeros(10**6, np.int64), "A": np.zeros((1, 4000), np.float32)}),
        ([("Add", ["n", "m"])], {"n": np.zeros((1, 10**5), np.float32), "m": np.zeros((10**5, 1), np.float32)}),
        ([("Concat", ["A"] * 9_000)], {"A": np.zeros((1, 10**5), np.float32)}),
        ([("MatMul", ["A", "A"])], {"A": np.zeros((2000, 2000), np.float32)}),
    ],
)
def test_computed_weights_with_too_many_numbers_are_refused_before_the_computation(nodes: Any, arrays: Any) -> None:
    arrays = {"A": A} | arrays
    made = [
        helper.make_node(kind, inputs, ["W"], **({"axis": 0} if kind == "Concat" else {})) for kind, inputs in nodes
    ]
    with pytest.raises(FormatError, match="too many numbers"):
        read(network(*made, W=None, **arrays))


@pytest.mark.parametrize(
    ("kind", "inputs", "arrays"),
    [
        ("Reshape", ["A", "n"], {"n": np.array([7, 7])}),
        ("Transpose", ["n", "n"], {"n": np.array([0])}),
        ("Slice", ["A"], {}),
        ("Gather", ["A", "n"], {"n": np.array([99])}),
        ("Squeeze", ["A", "n"], {"n": np.array([0.5])}),
        ("ConstantOfShape", ["n"], {"n": np.array([-5, 3])}),
        ("Cast", ["A"], {}),
        ("MatMul", ["A", "A"], {}),
    ],
)
def test_a_damaged_node_before_the_weights_is_refused(kind: str, inputs: list[str], arrays: Any) -> None:
    with pytest.raises(FormatError):
        read(network(helper.make_node(kind, inputs, ["W"]), W=None, A=A, **arrays))


def test_a_graph_that_reads_its_own_outputs_is_refused() -> None:
    nodes = [helper.make_node("Add", ["W", "W"], ["W"]), helper.make_node("Identity", ["x"], ["x"])]
    with pytest.raises(FormatError):
        read(network(*nodes, W=None))


def test_a_gru_inside_a_function_of_the_file_is_refused_with_code_that_inlines_it() -> None:
    model = network()
    function = onnx.helper.make_function(
        "own", "F", ["x", "W", "R"], ["Y"],
        [helper.make_node("GRU", ["x", "W", "R"], ["Y"], hidden_size=H)], [helper.make_opsetid("", 21)],
    )  # fmt: skip
    model.functions.append(function)
    model.graph.node[0].op_type, model.graph.node[0].domain = "F", "own"
    with pytest.raises(FormatError, match="inline_local_functions"):
        read(model)
