"""ONNX's GRU, compared with onnx's conformance cases and evaluators."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnx.backend.test.case import node
from onnx.reference import ReferenceEvaluator

from gru_core import check, formats
from gru_core.formats import FormatError
from tests.support.files import question_of

import_module("onnx.backend.test.case.node.gru")  # registers the cases of ONNX's GRU

# The result of collect_testcases("GRU"), which would take ten seconds to import the cases of every operator.
CASES = [case for case in node._NodeTestCases if case.name.startswith("test_gru")]


def with_weights_inside(model: Any, inputs: list[Any]) -> bytes:
    """Return the model of a conformance case as a file that stores the weights, instead of taking them as inputs."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for info, array in list(zip(model.graph.input, inputs, strict=True))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, info.name))
    return bytes(model.SerializeToString())


def test_onnx_has_six_conformance_cases() -> None:
    assert len(CASES) == 6


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_all_conformance_cases_of_onnx_pass(case: Any) -> None:
    (inputs, outputs), names = case.data_sets[0], [info.name for info in case.model.graph.output]
    data = with_weights_inside(case.model, inputs)
    layout = next((a.i for a in case.model.graph.node[0].attribute if a.name == "layout"), 0)
    x = inputs[0].swapaxes(0, 1) if layout else inputs[0]
    directions: list[Any] = ["forward", "backward"] if "bidirectional" in case.name else [None]
    assert names in (["Y_h"], ["Y", "Y_h"])
    for d, direction in enumerate(directions):
        imported = formats.read(data, case.name, direction=direction)
        assert imported.direction == (direction or ("backward" if "reverse" in case.name else "forward"))
        h = imported.model.forward(x[::-1] if imported.direction == "backward" else x)[0].h
        last = outputs[names.index("Y_h")]
        last = last[:, d] if layout else last[d]
        np.testing.assert_allclose(h[-1], last, rtol=0, atol=2e-7)
        if "Y" in names and not layout:
            Y = outputs[names.index("Y")][:, d]
            np.testing.assert_allclose(h, Y[::-1] if imported.direction == "backward" else Y, rtol=0, atol=2e-7)


def network(rng: Any, linear_before_reset: int, direction: str, dtype: Any, biased: bool = True) -> tuple[Any, Any]:
    """Return an ONNX model of one GRU, and a random input for it."""
    D, I, H, T, B = 2 if direction == "bidirectional" else 1, 3, 4, 9, 2
    shapes = {"W": (D, 3 * H, I), "R": (D, 3 * H, H)} | ({"B": (D, 6 * H)} if biased else {})
    weights = {name: rng.normal(0, 0.5, shape).astype(dtype) for name, shape in shapes.items()}
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    node = helper.make_node(
        "GRU", ["x", *weights], ["Y", "Y_h"],
        hidden_size=H, linear_before_reset=linear_before_reset, direction=direction,
    )  # fmt: skip
    graph = helper.make_graph(
        [node], "gru", [helper.make_tensor_value_info("x", kind, [T, B, I])],
        [helper.make_tensor_value_info("Y", kind, [T, D, B, H])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    return model, rng.normal(size=(T, B, I)).astype(dtype)


@pytest.mark.parametrize("linear_before_reset", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("biased", [True, False])
def test_a_graph_gives_the_states_of_onnxruntime(linear_before_reset: int, direction: str, biased: bool) -> None:
    model, x = network(np.random.default_rng(0), linear_before_reset, direction, np.float32, biased)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    Y = np.asarray(session.run(["Y"], {"x": x})[0])
    shown: list[Any] = ["forward", "backward"] if direction == "bidirectional" else [None]
    for d, name in enumerate(shown):
        imported = formats.read(model.SerializeToString(), "x.onnx", direction=name)
        assert imported.model.layers[0].reset == ("after" if linear_before_reset else "before")
        parity = check(imported, {"x": x, "h": Y[:, d]})
        assert parity.passed, str(parity)
    if direction == "bidirectional":
        both = formats.read(model.SerializeToString(), "x.onnx", direction="both")
        parity = check(both, {"x": x, "h": np.concatenate([Y[:, 0], Y[:, 1]], -1)})
        assert parity.passed, str(parity)


@pytest.mark.parametrize("linear_before_reset", [0, 1])
def test_a_graph_gives_the_states_of_onnxs_reference_evaluator(linear_before_reset: int) -> None:
    model, x = network(np.random.default_rng(0), linear_before_reset, "forward", np.float64)
    Y = np.asarray(ReferenceEvaluator(model).run(["Y"], {"x": x})[0])[:, 0]
    h = formats.read(model.SerializeToString(), "x.onnx").model.forward(x)[0].h
    np.testing.assert_allclose(h, Y, rtol=0, atol=1e-14)


def test_the_parity_check_names_a_wrong_linear_before_reset() -> None:
    model, x = network(np.random.default_rng(0), 0, "forward", np.float32)
    Y = np.asarray(ReferenceEvaluator(model).run(["Y"], {"x": x})[0])[:, 0]
    attribute("linear_before_reset", 1)(model)
    cause = check(formats.read(model.SerializeToString(), "x.onnx"), {"x": x, "h": Y}).cause
    assert cause is not None
    assert cause.words == "with the reset gate acting before the product"


def changed(change: Any) -> bytes:
    model, _ = network(np.random.default_rng(0), 0, "forward", np.float32)
    change(model)
    return bytes(model.SerializeToString())


def attribute(name: str, value: Any) -> Any:
    def change(model: Any) -> None:
        node = model.graph.node[0]
        others = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend([*others, helper.make_attribute(name, value)])

    return change


def test_a_gru_may_list_its_default_activations() -> None:
    assert formats.read(changed(attribute("activations", ["Sigmoid", "Tanh"])), "x.onnx").model.layers[0].units == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (attribute("activations", ["HardSigmoid", "Tanh"]), "uses 'hardsigmoid, tanh'; only sigmoid and tanh"),
        (attribute("activations", ["Sigmoid", "Relu"]), "uses 'sigmoid, relu'; only sigmoid and tanh can be shown"),
        (attribute("clip", 3.0), "clips its sums, which cannot be shown"),
        (
            attribute("direction", "sideways"),
            "direction 'sideways'; it must be one of forward, reverse, bidirectional",
        ),
        (attribute("direction", "bidirectional"), r"W of shape \(1, 12, 3\); expected 2 × …"),
        (lambda model: model.graph.initializer.pop(0), "has no weights of its own: 'W' is given with the inputs"),
        (lambda model: model.graph.initializer.pop(2), "has no weights of its own: 'B' is given with the inputs"),
        (lambda model: model.graph.node.pop(), "there is no GRU, LSTM or plain RNN in this file"),
    ],
)
def test_a_gru_that_cannot_be_shown_is_refused_with_the_reason(change: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        formats.read(changed(change), "x.onnx")


def test_grus_that_do_not_read_one_another_need_a_chosen_network() -> None:
    model, _ = network(np.random.default_rng(0), 0, "forward", np.float32)
    other = model.graph.node.add()
    other.CopyFrom(model.graph.node[0])
    other.name, other.input[1], other.output[0], other.output[1] = "second", "W2", "Y2", "Y2_h"
    W = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer.append(numpy_helper.from_array(W + 1, "W2"))
    with pytest.raises(formats.Unanswered) as error:
        formats.read(model.SerializeToString(), "x.onnx")
    assert question_of(error.value) == ("network", ["Y", "second"])
