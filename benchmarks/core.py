"""The time of traces and training steps in the core, compared with torch, onnxruntime and simpler code."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import gru_core
from benchmarks.timing import ratio, side_by_side, verdict
from gru_core import GRU, Clamp, Model, Readout, forward
from gru_core.arrays import Array
from gru_core.cells.initial import initial
from gru_core.model import Card
from gru_core.runs.ledger import ledger
from gru_core.training.fit import Adam, clip, loss_and_gradients
from gru_core.training.task import Batch
from gru_core.training.toys import FLIP_FLOP, TASKS
from tests.support.networks import onnx_gru

try:
    import torch
except ImportError:
    torch = None

I, T = 8, 100


def torch_loop(cell: Any, x: Any) -> list[Any]:
    """Run a torch cell with a loop that exposes its gates. Return (r, z, n, h) for each timestep."""
    h, gates = torch.zeros(cell.hidden_size), []
    for x_t in x:
        i_r, i_z, i_n = torch.nn.functional.linear(x_t, cell.weight_ih, cell.bias_ih).chunk(3)
        h_r, h_z, h_n = torch.nn.functional.linear(h, cell.weight_hh, cell.bias_hh).chunk(3)
        r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
        n = torch.tanh(i_n + r * h_n)
        h = (1 - z) * n + z * h
        gates.append((r, z, n, h))
    return gates


def trace() -> None:
    import onnxruntime

    print(f"One sequence of {T} timesteps with all gates, float64; torch and onnxruntime in their own float32")
    rng = np.random.default_rng(0)
    for H in (1, 2, 4, 8, 16, 32, 64):
        gru, x = GRU.random(I, H, rng, reset="after"), rng.normal(size=(T, I))
        single = x.astype(np.float32)
        graph, feed = onnx_gru(gru, single[:, None], np.zeros((1, H), np.float32))
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        runs: dict[str, Any] = {
            "ours": lambda g=gru, x=x: forward(g, x),
            "onnxruntime": lambda s=session, f=feed: s.run(None, f),
        }
        if torch is not None:
            net, cell, tensor = torch.nn.GRU(I, H), torch.nn.GRUCell(I, H), torch.tensor(single)
            runs["nn.GRU"] = lambda n=net, x=tensor: n(x)
            runs["torch loop"] = lambda c=cell, x=tensor: torch_loop(c, x)
            with torch.no_grad():
                turns = side_by_side(runs)
        else:
            turns = side_by_side(runs)
        print(f"  H = {H}: " + ", ".join(f"{name} {1e6 * median(s) / T:.1f} µs/timestep" for name, s in turns.items()))
        if torch is not None:
            verdict("ours over torch's nn.GRU, which returns no gates", ratio(turns["ours"], turns["nn.GRU"]), 0.7)
            verdict("ours over a torch loop with gates", ratio(turns["ours"], turns["torch loop"]), 0.25)

    gru, x = GRU.random(I, 16, rng), rng.normal(size=(2000, I))
    turns = side_by_side({"100": lambda: forward(gru, x[:100]), "2000": lambda: forward(gru, x)})
    verdict("time per timestep at T = 2,000 over that at T = 100", ratio(turns["2000"], turns["100"]) / 20, 1.2)


def training_step() -> None:
    print("A training step: 32 sequences of 50 timesteps, forward, backward, clipping and Adam")
    if torch is None:
        print("  torch is not installed, so there is no comparison")
        return
    rng = np.random.default_rng(0)
    batch = TASKS["flip-flop"].draw(rng, 50, 32)
    for H, most in ((8, 0.35), (16, 0.5), (32, 0.65)):
        for name, dtype, kind in (("float32", np.float32, torch.float32), ("float64", np.float64, torch.float64)):
            runs = {"ours": our_step(H, batch, rng, dtype), "torch": torch_step(H, batch, kind)}
            turns = side_by_side(runs)
            ours, theirs = (1e3 * median(turns[side]) for side in ("ours", "torch"))
            print(f"  H = {H}, {name}: ours {ours:.2f} ms, torch {theirs:.2f} ms")
            verdict("ours over torch autograd", ratio(turns["ours"], turns["torch"]), most)


def our_step(H: int, batch: Batch, rng: np.random.Generator, dtype: Any, cell: str = "gru") -> Callable[[], None]:
    readout = Readout("softmax", rng.normal(size=(2, H)), np.zeros(2), ("A", "B"))
    layers = (initial(cell, 6, H, rng),)
    model = Model(FLIP_FLOP, layers, readout, Card("", "", "", "", "random", "")).astype(dtype)
    adam, parameters = Adam(), dict(model.parameters)

    def step() -> None:
        _, gradients = loss_and_gradients(model.with_parameters(parameters), batch)
        parameters.update(adam(parameters, clip(gradients, 1.0), 1e-3))
        assert parameters["layers.0.U"].dtype == dtype

    return step


def torch_step(H: int, batch: Batch, kind: Any, cell: str = "gru") -> Callable[[], None]:
    net, linear = getattr(torch.nn, cell.upper())(6, H).to(kind), torch.nn.Linear(H, 2).to(kind)
    weights = [*net.parameters(), *linear.parameters()]
    optimiser = torch.optim.Adam(weights, 1e-3)
    x, target = torch.tensor(batch.x, dtype=kind), torch.tensor(batch.target.astype(np.int64))

    def step() -> None:
        optimiser.zero_grad()
        y = linear(net(x)[0])
        torch.nn.functional.cross_entropy(y.reshape(-1, 2), target.reshape(-1)).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()

    return step


def other_cells() -> None:
    if torch is None:
        print("torch is not installed, so there is no comparison of the RNN and the LSTM")
        return
    rng = np.random.default_rng(0)
    batch = TASKS["flip-flop"].draw(rng, 50, 32)
    for name in ("rnn", "lstm"):
        print(f"{name.upper()}: a run of {T} timesteps with every signal, float64; training on 32 × 50 timesteps")
        for H in (8, 16, 32):
            cell, x = initial(name, I, H, rng), rng.normal(size=(T, I))
            for kind in ("float32", "float64"):
                dtype, of_kind = getattr(np, kind), getattr(torch, kind)
                net, tensor = getattr(torch.nn, name.upper())(I, H).to(of_kind), torch.tensor(x, dtype=of_kind)
                with torch.no_grad():
                    turns = side_by_side(
                        {"ours": lambda c=cell, x=x: c.forward(x), "torch": lambda n=net, x=tensor: n(x)}
                    )
                verdict(f"H = {H}: a run over torch's {kind}", ratio(turns["ours"], turns["torch"]), 0.8)
                ours, theirs = our_step(H, batch, rng, dtype, name), torch_step(H, batch, getattr(torch, kind), name)
                turns = side_by_side({"ours": ours, "torch": theirs})
                verdict(f"H = {H}, {kind}: training over autograd", ratio(turns["ours"], turns["torch"]), 0.7)


def twin_run() -> None:
    print(f"A clamped run of {T} timesteps with its original run, over one run; z is clamped everywhere")
    rng = np.random.default_rng(0)
    x, clamps, card = rng.normal(size=(T, 6)), [Clamp("z", 0.3)], Card("", "", "", "", "random", "")
    for reset in ("before", "after"):
        for H in (1, 2, 4, 8, 16, 32, 64):
            readout = Readout("softmax", rng.normal(size=(2, H)), np.zeros(2), ("A", "B"))
            model = Model(FLIP_FLOP, (GRU.random(6, H, rng, reset=reset),), readout, card)
            runs = {
                "run": lambda m=model: gru_core.trace(m, x),
                "twin": lambda m=model: gru_core.twin(m, x, clamps=clamps),
            }
            turns = side_by_side(runs, turns=61, in_a_row=5, rest=0)  # no run leaves threads behind
            verdict(f"H = {H}, reset {reset}", ratio(turns["twin"], turns["run"]), 1.7)


def batch() -> None:
    print("300 sequences of 20 to 400 timesteps, float32: every signal; torch's packed sequences return h only")
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=(T, 32)).astype(np.float32) for T in rng.integers(20, 401, 300)]
    for kind, H, layers in (("gru", 64, 1), ("lstm", 64, 1), ("gru", 256, 1), ("gru", 256, 2)):
        cells = [initial(kind, 32 if k == 0 else H, H, rng) for k in range(layers)]
        readout = Readout("linear", np.eye(H), np.zeros(H), tuple(map(str, range(H))))
        card = Card("", "", "", "", "random", "")
        model = Model(gru_core.Vectors(32), tuple(cells), readout, card).astype(np.float32)
        runs: dict[str, Any] = {"ours": lambda m=model: gru_core.trace_batch(m, xs)}
        if H == 64:
            runs["one by one"] = lambda m=model: [gru_core.trace(m, x) for x in xs]
            runs["census"] = lambda m=model: gru_core.census(m, xs)
        if torch is not None:
            net, tensors = getattr(torch.nn, kind.upper())(32, H, num_layers=layers), [torch.tensor(x) for x in xs]
            runs["torch"] = lambda n=net, t=tensors: torch_packed(n, t)
            with torch.no_grad():
                turns = side_by_side(runs, turns=3, in_a_row=3)
        else:
            turns = side_by_side(runs, turns=3, in_a_row=3)
        print(f"  {kind}, {layers} × {H}: " + ", ".join(f"{name} {median(s):.2f} s" for name, s in turns.items()))
        if torch is not None:
            verdict("ours over torch's packed sequences", ratio(turns["ours"], turns["torch"]), 4)


def torch_packed(net: Any, tensors: list[Any]) -> Any:
    h, _ = net(torch.nn.utils.rnn.pack_sequence(tensors, enforce_sorted=False))
    return torch.nn.utils.rnn.pad_packed_sequence(h)[0]


def shares_by_loop(z: Array) -> Array:
    """Return the ledger of a unit, computed by a double loop over timesteps."""
    shares = np.zeros((len(z), len(z) + 1))
    for t in range(len(z)):
        shares[t, 0] = (1 - z[t]) * (shares[t - 1, 0] if t else 1)
        for k in range(t):
            shares[t, k + 1] = (1 - z[t]) * shares[t - 1, k + 1]
        shares[t, t + 1] = z[t]
    return shares


def ledger_of_a_unit() -> None:
    print("The ledger of one unit over 2,000 timesteps")
    rng = np.random.default_rng(0)
    run = forward(GRU.random(I, 16, rng), rng.normal(size=(2000, I)))
    turns = side_by_side({"ours": lambda: ledger(run, 0), "loop": lambda: shares_by_loop(run.z[:, 0])}, in_a_row=3)
    np.testing.assert_allclose(ledger(run, 0), shares_by_loop(run.z[:, 0]), atol=1e-15)
    verdict("ours over a plain double loop", ratio(turns["ours"], turns["loop"]), 1 / 3)


def main() -> None:
    trace()
    twin_run()
    batch()
    ledger_of_a_unit()
    training_step()
    other_cells()
