"""The LSTM, RNN and minimal GRU, compared with other implementations and equations, and properties of all cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

import gru_core as gru
from gru_core import Clamp, Edit, Model, Readout, formats
from gru_core.arrays import Array
from gru_core.cells.cell import Cell
from gru_core.cells.gru import GRU
from gru_core.cells.holds import Holds
from gru_core.cells.lstm import LSTM
from gru_core.cells.mingru import MinGRU
from gru_core.cells.registry import CELLS
from gru_core.cells.rnn import RNN
from gru_core.cells.run import Run
from gru_core.model import load_file
from gru_core.runs.ledger import ledger, origins
from gru_core.training.fit import Penalties, Schedule, fit, loss_and_gradients
from gru_core.training.toys import TASKS
from tests.support.cells import NAMES, random_cell, random_holds, random_state
from tests.support.gradcheck import check_gradient
from tests.support.networks import sigmoid

OTHERS = [name for name in NAMES if name != "gru"]


def random_model(cells: tuple[Cell, ...], rng: np.random.Generator, kind: Any = "softmax") -> Model:
    """Return the flip-flop model with these cells and a random readout."""
    readout = Readout(kind, rng.normal(size=(2, cells[-1].units)), rng.normal(size=2), ("A", "B"))
    return replace(gru.load("flip-flop"), layers=cells, readout=readout)


@pytest.mark.parametrize("name", [*NAMES, "gru reset after"])
def test_forward_equals_the_equations_of_a_single_step(name: str) -> None:
    rng = np.random.default_rng(3)
    rtol = 1e-15 if name == "mingru" else 0  # its states are unbounded
    for _ in range(200):
        inputs, units = rng.integers(1, 9, 2)
        cell = random_cell(name.split()[0], rng, int(inputs), int(units))
        if isinstance(cell, GRU) and name.endswith("after"):
            cell = replace(cell, c_h=rng.normal(size=units))
        x, state = rng.normal(size=(4, inputs)), random_state(cell, rng)
        for x_t in x:
            run = cell.forward(x_t[None], state)
            np.testing.assert_allclose(cell.step(x_t, state), run.last, rtol=rtol, atol=1e-15)
            state = run.last


def onnx_graph(cell: Cell, x: Array, state: Array) -> tuple[bytes, dict[str, Array]]:
    """Return an ONNX file with one RNN or LSTM node, and inputs by name. ONNX orders an LSTM's gates as i, o, f, c."""
    H, kind, blocks = cell.units, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), len(cell.gates)
    order = [cell.gates.index(gate) for gate in (("h",) if cell.name == "rnn" else ("i", "o", "f", "c_tilde"))]
    rows = np.concatenate([np.arange(k * H, (k + 1) * H) for k in order])
    feed = {
        "x": x,
        "W": cell.W[rows][None],
        "R": cell.U[rows][None],
        "B": np.concatenate([cell.b[rows], np.zeros(blocks * H)])[None],
        "h0": state[None, :, :H],
    }
    names = ["x", "W", "R", "B", "", "h0"]
    if cell.name == "lstm":
        feed["c0"] = state[None, :, H:]
        names.append("c0")
    outputs = ["y", "h_last", "c_last"][: 1 + len(cell.carried)]
    node = onnx.helper.make_node(cell.name.upper(), names, outputs, hidden_size=H)
    graph = onnx.helper.make_graph(
        [node],
        "cell",
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in feed],
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in outputs],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    return model.SerializeToString(), {name: np.ascontiguousarray(a, x.dtype) for name, a in feed.items()}


def by_onnxruntime(graph: bytes, feed: dict[str, Array]) -> list[Any]:
    """Run a graph with onnxruntime and return the outputs."""
    return list(onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, feed))


def by_onnx_reference(graph: bytes, feed: dict[str, Array]) -> list[Any]:
    """Run a graph with onnx's reference evaluator and return the outputs."""
    return list(ReferenceEvaluator(graph).run(None, feed))


# onnxruntime supports these operators only in float32. For float64 onnx's own evaluator gives the expected states.
@pytest.mark.parametrize(
    ("oracle", "dtype", "tolerance"), [(by_onnxruntime, np.float32, 2e-6), (by_onnx_reference, np.float64, 1e-12)]
)
@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_states_equal_those_of_other_implementations(name: str, oracle: Any, dtype: Any, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    for units, inputs, T, B in ((1, 1, 5, 1), (4, 3, 40, 2), (32, 8, 60, 5)):
        cell = random_cell(name, rng, inputs, units, 0.3 if units == 32 else 1)
        cell = cell.with_parameters({key: array.astype(dtype) for key, array in cell.parameters.items()})
        x, state = rng.normal(size=(T, B, inputs)).astype(dtype), random_state(cell, rng, (B,)).astype(dtype)
        run = cell.forward(x, state)
        y, *last = oracle(*onnx_graph(cell, x, state))
        assert run.h.dtype == dtype
        np.testing.assert_allclose(run.h, y[:, 0], atol=tolerance, rtol=0)
        np.testing.assert_allclose(run.last, np.concatenate(last, -1)[0], atol=tolerance, rtol=0)


def by_equations(cell: Cell, run: Any, arrays: dict[str, Array]) -> dict[str, Array]:
    """Compute every signal by its equation, from the arrays of a run. Return the signals by name."""
    a = {gate: arrays["x"] @ W.T + b for gate, (W, b) in blocks(cell).items()}
    for gate, U in zip(cell.recurrent, np.split(cell.U, len(cell.recurrent) or 1), strict=False):
        a[gate] = a[gate] + arrays["h_prev"] @ U.T
    if cell.name == "rnn":
        return {"h": np.tanh(a["h"])}
    if cell.name == "mingru":
        h = (1 - arrays["z"]) * arrays["h_prev"] + arrays["z"] * arrays["h_tilde"]
        return {"z": sigmoid(a["z"]), "h_tilde": a["h_tilde"], "h": h}
    c = arrays["f"] * arrays["c_prev"] + arrays["i"] * arrays["c_tilde"]
    gates = {gate: np.tanh(a[gate]) if gate == "c_tilde" else sigmoid(a[gate]) for gate in cell.gates}
    return gates | {"c": c, "h": arrays["o"] * np.tanh(arrays["c"])}


def blocks(cell: Cell) -> dict[str, tuple[Array, Array]]:
    """Return each gate's rows of W and b."""
    parts = [np.split(array, len(cell.gates)) for array in (cell.W, cell.b)]
    return dict(zip(cell.gates, zip(*parts, strict=True), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(OTHERS), st.integers(1, 9), st.integers(1, 5), st.integers(1, 30),
    st.booleans(),
)  # fmt: skip
def test_every_array_satisfies_its_equation_or_has_its_clamped_value(
    seed: int, name: str, units: int, inputs: int, T: int, clamped: bool
) -> None:
    rng = np.random.default_rng(seed)
    cell = random_cell(name, rng, inputs, units)
    holds = random_holds(cell, rng, (T,)) if clamped else None
    run = cell.forward(rng.normal(size=(T, inputs)), random_state(cell, rng), holds)
    arrays = {
        key: getattr(run, key)
        for key in ("x", "h_prev", *cell.signals, *(f"{carried}_prev" for carried in cell.carried))
    }
    for signal, value in by_equations(cell, run, arrays).items():
        if holds is None or signal not in holds.masks:
            np.testing.assert_allclose(getattr(run, signal), value, atol=1e-13)
            continue
        expected = np.where(holds.masks[signal], holds.values[signal], value)
        np.testing.assert_allclose(getattr(run, signal), expected, atol=1e-13)
        np.testing.assert_allclose(run.computed[signal], value, atol=1e-13)
    assert set(run.computed) == (set(cell.holdable) if clamped else set())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(OTHERS), st.integers(1, 6), st.integers(1, 5))
def test_a_term_is_the_change_of_its_sum_without_its_weight(seed: int, name: str, units: int, inputs: int) -> None:
    rng = np.random.default_rng(seed)
    cell = random_cell(name, rng, inputs, units)
    run: Any = cell.forward(rng.normal(size=(12, inputs)), random_state(cell, rng))
    gate = cell.gates[int(rng.integers(len(cell.gates)))]
    unit, j, k = (int(rng.integers(most)) for most in (units, inputs, units))
    Wx, Uh = run.terms(gate, unit)
    reads = gate in cell.recurrent
    assert Uh.shape == (12, units if reads else 0)
    assert (gate in run.Uh) == reads
    for part, total, terms, column in (("W", "Wx", Wx, j), *([("U", "Uh", Uh, k)] if reads else [])):
        weights = getattr(cell, part).copy()
        weights[(cell.recurrent if part == "U" else cell.gates).index(gate) * units + unit, column] = 0
        without = replace(run, cell=cell.with_parameters({part: weights}))
        lost = getattr(run, total)[gate] - getattr(without, total)[gate]
        np.testing.assert_allclose(terms[:, column], lost[:, unit], atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_can_be_continued_and_a_batch_equals_its_sequences(name: str) -> None:
    rng = np.random.default_rng(7)
    cell, x = random_cell(name, rng, 3, 4), rng.normal(size=(20, 3, 3))
    state, holds = random_state(cell, rng, (3,)), random_holds(cell, rng, (20, 3))
    whole = cell.forward(x, state, holds)
    signals = ("x", "h_prev", *cell.signals)
    for b in range(3):
        sequence, holds_of_one = (
            whole.sequence(b),
            Holds({s: m[:, b] for s, m in holds.masks.items()}, holds[:, b].values),
        )
        alone = cell.forward(x[:, b], state[b], holds_of_one)
        for signal in signals:
            np.testing.assert_allclose(getattr(sequence, signal), getattr(alone, signal), atol=1e-14)
    head, tail = whole[:8], cell.forward(x[8:], whole[:8].last, holds[8:])
    for signal in signals:
        np.testing.assert_allclose(getattr(whole[8:], signal), getattr(tail, signal), atol=1e-14)
        np.testing.assert_array_equal(getattr(head, signal), getattr(whole, signal)[:8])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(OTHERS), st.sampled_from([(12,), (12, 3)]), st.booleans())
def test_backward_is_the_derivative_of_forward(seed: int, name: str, shape: tuple[int, ...], clamped: bool) -> None:
    rng = np.random.default_rng(seed)
    cell = random_cell(name, rng, 3, 4)
    holds = random_holds(cell, rng, shape) if clamped else None
    gates = [gate for gate, signal in cell.signals.items() if signal.lowest == 0]
    weights_of = {signal: rng.normal(size=(*shape, 4)) for signal in ("h", *gates)}

    def run(at: Mapping[str, Array]) -> Run:
        weights = {key: at[key] for key in cell.parameters}
        return cell.with_parameters(weights).forward(at["x"], at["h0"], holds)

    def loss(at: Mapping[str, Array]) -> float:
        ran = run(at)
        return float(sum((weights_of[signal] * getattr(ran, signal)).sum() for signal in weights_of))

    at = {**cell.parameters, "x": rng.normal(size=(*shape, 3)), "h0": random_state(cell, rng, shape[1:])}
    gradients = run(at).backward(weights_of["h"], {gate: weights_of[gate] for gate in gates})
    # The loss of an RNN with such weights is strongly curved, so the error of a longer step would exceed the tolerance.
    check_gradient(loss, at, {**gradients.parameters, "x": gradients.x, "h0": gradients.h0}, rng, step=1e-5)


def quotient(f: Any) -> Array:
    """Return the derivative of `f` at 0 by a central difference of fourth order."""
    step = 1e-3
    return np.asarray((8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step))


@pytest.mark.parametrize("clamped", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_sensitivities_to_gates_and_states_equal_difference_quotients(name: str, clamped: bool) -> None:
    rng = np.random.default_rng(3)
    T, H = 9, 3
    model = random_model((random_cell("gru", rng, 6, 4), random_cell(name, rng, 4, H)), rng)
    gate, *_ = model.layers[1].gates
    signals = [signal for signal in model.layers[1].holdable if signal != gate]
    clamps = [Clamp(s, 0.3, [0, 2], slice(2 + k, 4 + k), layer=1) for k, s in enumerate(signals)] if clamped else []
    x = rng.normal(size=(T, 6))
    trace, holds = gru.trace(model, x, clamps=clamps), model.holds(clamps, (T,))
    sensitivity = trace.sensitivity(T - 2, 1)

    def nudged(signal: str, cell: tuple[int, int]) -> Any:
        old = holds[1] or Holds({}, {})
        mask = np.array(old.masks.get(signal, np.zeros((T, H), bool)))
        values = np.array(old.values.get(signal, np.zeros((T, H))))

        def ran(by: float) -> Any:
            mask[cell], values[cell] = True, getattr(trace.layers[1], signal)[cell] + by
            changed = Holds({**old.masks, signal: mask}, {**old.values, signal: values})
            run = model.forward(x, holds=[holds[0], changed])[-1]
            return np.append(model.readout(run.h)[T - 2, 1], run.h[T - 2])

        return quotient(ran)

    def restarted(s: int, unit: int) -> Any:
        """Return the derivatives of h at timestep T − 2 with respect to unit `unit` of the state after timestep s."""
        run, direction = trace.layers[1], np.arange(H) == unit

        def ran(by: float) -> Any:
            rest = None if holds[1] is None else holds[1][s + 1 :]
            return run.cell.forward(run.x[s + 1 :], run.h[s] + by * direction, rest).h[T - 3 - s]

        return quotient(ran)

    assert set(sensitivity.gates[1]) == {"lstm": {"i", "f", "o"}, "mingru": {"z"}, "rnn": set()}[name]
    for signal, values_ in sensitivity.gates[1].items():
        for cell, value in np.ndenumerate(values_):
            assert value == pytest.approx(float(nudged(signal, cell)[0]), abs=1e-9)
    for s in range(T - 2):
        by_hold = "h" in model.layers[1].holdable
        J = np.stack([nudged("h", (s, unit))[1:] if by_hold else restarted(s, unit) for unit in range(H)], 1)
        np.testing.assert_allclose(sensitivity.h_unit[s], np.linalg.norm(J, axis=1), atol=1e-9)
        assert sensitivity.h_norm[s] == pytest.approx(np.linalg.norm(J), abs=1e-9)
        if name == "lstm":
            J = np.stack([nudged("c", (s, unit))[1:] for unit in range(H)], 1)
            np.testing.assert_allclose(sensitivity.states["c"][s], np.linalg.norm(J, axis=1), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 40), st.booleans())
def test_the_contributions_of_an_lstm_rebuild_its_cell_state(seed: int, units: int, T: int, clamped: bool) -> None:
    rng = np.random.default_rng(seed)
    cell = random_cell("lstm", rng, 2, units)
    holds = random_holds(cell, rng, (T,), 0.1) if clamped else None
    run: Any = cell.forward(rng.normal(size=(T, 2)), random_state(cell, rng), holds)
    unit = int(rng.integers(units))
    L = ledger(run, unit)
    rebuilt = L[:, 0] * origins(run, unit) + L[:, 1:] @ run.c_tilde[:, unit]
    np.testing.assert_allclose(rebuilt, run.c[:, unit], atol=1e-11)
    for first in range(0, T, 7):
        np.testing.assert_allclose(ledger(run, unit, slice(first, first + 3)), L[first : first + 3], atol=1e-15)
    if not clamped:
        by_definition = [run.i[k, unit] * np.prod(run.f[k + 1 :, unit]) for k in range(T)]
        np.testing.assert_allclose(L[-1], [np.prod(run.f[:, unit]), *by_definition], atol=1e-15)


def test_contributions_of_an_lstm_may_add_up_to_more_than_1_and_an_rnn_has_none() -> None:
    rng = np.random.default_rng(0)
    model = random_model((random_cell("lstm", rng, 6, 1),), rng)
    clamps = [Clamp("i", 1.0), Clamp("f", 1.0)]
    L = gru.trace(model, "A m m", clamps=clamps).ledger(0)
    np.testing.assert_array_equal(L, [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    plain = gru.trace(random_model((random_cell("rnn", rng, 6, 1),), rng), "A m m")
    with pytest.raises(ValueError, match="an RNN has no contributions"):
        plain.ledger(0)


@pytest.mark.parametrize("name", OTHERS)
def test_every_cell_can_be_saved_clamped_edited_drawn_and_negated(name: str, tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    model = random_model((random_cell(name, rng, 6, 3), random_cell("gru", rng, 3, 2)), rng)
    model.save(tmp_path / "model.safetensors")
    again = load_file(tmp_path / "model.safetensors")
    signal, gate = next(iter(model.layers[0].holdable)), model.layers[0].gates[-1]
    clamped, original = gru.twin(again, "A m m B m", clamps=[Clamp(signal, 0.25, [1], slice(2, 4))])
    assert (getattr(clamped.layers[0], signal)[2:4, 1] == 0.25).all()
    np.testing.assert_array_equal(original.y, gru.trace(model, "A m m B m").y)
    assert np.abs(clamped.y - original.y)[:2].max() == 0
    blocks = list(gru.stream(again, "A m m B m", block=2))
    np.testing.assert_allclose(np.concatenate([block.y for block in blocks]), original.y, atol=1e-14)
    part: Any = "U" if gate in model.layers[0].recurrent else "W"
    edited, _ = gru.twin(model, "A m", edits=[Edit(0, gate, 1, part, 2, 0.5)])
    row = model.layers[0].gates.index(gate) * 3 + 1
    assert getattr(edited.model.layers[0], part)[row, 2] == 0.5
    assert repr(model.layers[0]) == f"{CELLS[name].__name__}(I=6, H=3)"
    assert repr(original.layers[0]) == "Forward(T=5, I=6, H=3)"
    assert CELLS[name].title in model._repr_html_()
    assert all(figure_has(original, signal) for signal in model.layers[0].signals)
    negated = model.negate_unit(0, 1)
    np.testing.assert_allclose(gru.trace(negated, "A m m B m").y, original.y, atol=1e-14)
    np.testing.assert_allclose(
        gru.trace(negated, "A m m B m").layers[0].h[:, 1], -original.layers[0].h[:, 1], atol=1e-14
    )


def figure_has(trace: gru.Trace, signal: str) -> bool:
    """Return whether the figure of a trace shows the values of `signal`."""
    drawn = {picture.name: picture.z for picture in trace.figure(0).data}
    return bool(np.array_equal(drawn[signal], getattr(trace.layers[0], signal).T))


def test_errors_for_missing_signals_of_an_lstm_list_its_signals() -> None:
    rng = np.random.default_rng(2)
    model = random_model((random_cell("lstm", rng, 6, 2),), rng)
    with pytest.raises(AttributeError, match="no 'r'; its signals are i, f, o, c_tilde, c, h"):
        _ = gru.trace(model, "A m").r
    with pytest.raises(ValueError, match="this LSTM layer has no z to clamp: choose one of i, f, o, c_tilde, c, h"):
        gru.trace(model, "A m", clamps=[Clamp("z", 0.0)])
    with pytest.raises(ValueError, match="LSTM layer has no gate h_tilde with weights: choose one of i, f, c_tilde, o"):
        model.edited([Edit(0, "h_tilde", 0, "b", None, 0.0)])
    with pytest.raises(ValueError, match="LSTM cells have no gate z"):
        loss_and_gradients(model, TASKS["flip-flop"].draw(rng, 5, 2), Penalties(z=0.1))
    with pytest.raises(ValueError, match="c cannot be clamped at 11: choose from -10 to 10"):
        Clamp("c", 11)
    with pytest.raises(ValueError, match=r"U has shape \(8, 3\), but 3 units need \(12, 3\)"):
        LSTM(np.zeros((12, 2)), np.zeros((8, 3)), np.zeros(12))
    with pytest.raises(ValueError, match=r"h0 has shape \(2,\), but must be \(4,\)"):
        model.layers[0].forward(np.zeros((1, 6)), np.zeros(2))


@pytest.mark.parametrize("name", OTHERS)
def test_every_cell_learns_the_flip_flop_task(name: str) -> None:
    rng = np.random.default_rng(0)
    model = random_model((random_cell(name, rng, 6, 4, 0.5),), rng)
    *_, last = fit(model, TASKS["flip-flop"], rng, Schedule(reach=0.99, after=50, most=1500))
    assert last.score >= 0.99


def test_an_rnn_satisfies_its_equation() -> None:
    """The expected states of the single unit follow h = tanh(0.5 x + 0.25 h + 0.1), computed by hand."""
    run = RNN(np.array([[0.5]]), np.array([[0.25]]), np.array([0.1])).forward(np.array([[1.0], [0.0]]))
    first = np.tanh(0.6)
    np.testing.assert_allclose(run.h[:, 0], [first, np.tanh(0.25 * first + 0.1)], atol=1e-15)


def test_a_minimal_gru_can_be_read_from_gru_scope_files_only() -> None:
    rng = np.random.default_rng(4)
    model = random_model((random_cell("mingru", rng, 6, 3), random_cell("mingru", rng, 3, 2)), rng)
    imported = formats.read(model.to_bytes(), "net.safetensors")
    assert imported.report == ("A GRU Scope model, trained: 2 layers, minGRU.",)
    for name, array in model.parameters.items():
        np.testing.assert_array_equal(imported.model.parameters[name], array)
    x = rng.normal(size=(12, 6))
    runs = model.forward(x)
    assert gru.check(imported, {"x": x, "h_l0": runs[0].h, "h_l1": runs[1].h}).passed
    wrong = gru.check(imported, {"x": x, "h": runs[1].h[::-1]})
    assert not wrong.passed
    assert wrong.cause is None
    bare = {"W": model.layers[0].W, "b": model.layers[0].b}
    with pytest.raises(formats.FormatError, match="no GRU, LSTM or plain RNN"):
        formats.read_arrays(bare, "net.npz")


def by_definition(z: Array, h_tilde: Array, h0: Array) -> Array:
    """Return the states of a minimal GRU, each computed as a sum over all candidates up to its timestep."""
    keep = [np.prod(1 - z[k:t], axis=0) for t in range(1, len(z) + 1) for k in range(t + 1)]
    rows = iter(keep)
    states = []
    for t in range(len(z)):
        shares = [next(rows) for _ in range(t + 2)]
        states.append(shares[0] * h0 + sum(shares[k + 1] * z[k] * h_tilde[k] for k in range(t + 1)))
    return np.array(states)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 40), st.sampled_from([(), (3,)]), st.booleans())
def test_the_states_and_the_scan_of_a_minimal_gru_equal_its_definition(
    seed: int, units: int, T: int, batch: tuple[int, ...], single: bool
) -> None:
    rng = np.random.default_rng(seed)
    cell, x = random_cell("mingru", rng, 3, units), rng.normal(size=(T, *batch, 3))
    h0 = random_state(cell, rng, batch)
    W_z, W_h = np.split(cell.W, 2)
    b_z, b_h = np.split(cell.b, 2)
    expected = by_definition(sigmoid(x @ W_z.T + b_z), x @ W_h.T + b_h, h0)
    if single:
        cell = cell.with_parameters({name: array.astype(np.float32) for name, array in cell.parameters.items()})
    tolerance = 2e-5 if single else 1e-13
    run: Any = cell.forward(x, h0)
    assert run.h.dtype == cell.W.dtype
    np.testing.assert_allclose(run.h, expected, atol=tolerance)
    assert isinstance(cell, MinGRU)
    np.testing.assert_allclose(cell.scan(x), cell.forward(x).h, atol=tolerance)
    if not batch:
        unit = int(rng.integers(units))
        L = ledger(run, unit)
        np.testing.assert_allclose(L.sum(1), 1, atol=tolerance)
        candidates = np.concatenate([[h0[unit]], run.h_tilde[:, unit]])
        np.testing.assert_allclose(L @ candidates, expected[:, unit], atol=tolerance)


def test_errors_for_missing_parts_of_a_minimal_gru_name_them() -> None:
    rng = np.random.default_rng(2)
    model = random_model((random_cell("mingru", rng, 6, 2),), rng)
    assert model.layers[0].U.shape == (0, 2)
    assert model.layers[0].row("z", 1)["U"].shape == (0,)
    with pytest.raises(ValueError, match="z of this minGRU layer does not read the old state: it has no weight U"):
        model.edited([Edit(0, "z", 0, "U", 1, 0.0)])
    with pytest.raises(ValueError, match="this minGRU layer has no r to clamp: choose one of z, h_tilde, h_prev"):
        gru.trace(model, "A m", clamps=[Clamp("r", 0.0)])
    gru.trace(model, "A m", clamps=[Clamp("h_tilde", -7.5), Clamp("h_prev", 9.0)])
    with pytest.raises(ValueError, match="h_tilde cannot be clamped at 11: choose from -10 to 10"):
        gru.trace(model, "A m", clamps=[Clamp("h_tilde", 11)])
    with pytest.raises(ValueError, match=r"h_tilde cannot be clamped at 2\.0: choose from -1 to 1"):
        gru.trace(gru.load("flip-flop"), "A m", clamps=[Clamp("h_tilde", 2.0)])
    with pytest.raises(ValueError, match=r"U has shape \(4, 2\), but 2 units need \(0, 2\)"):
        MinGRU(np.zeros((4, 3)), np.zeros((4, 2)), np.zeros(4))
