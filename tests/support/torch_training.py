"""Training of one recurrent layer in torch, with equations written here, and torch's autograd, Adam and clipping.

Only the recipe comes from `gru_core`, so this training is an independent check of the stored results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

GATES = {"rnn": ("h",), "lstm": ("i", "f", "o", "g"), "gru": ("z", "r", "h")}
"""The gates of each cell; the last one is the candidate."""


class Data(NamedTuple):
    """Inputs `x` `(T, B, I)`, targets `(T, B)` (classes or numbers), and the mask `(T, B)` of the scored targets."""

    x: np.ndarray
    target: np.ndarray
    scored: np.ndarray


Draw = Callable[[int], Data]
"""A function that draws B random sequences."""


class Network(torch.nn.Module):
    """A recurrent layer with a readout, in float64.

    `weights` has W, U and b for each gate, such as W_z, and V and c for the readout.
    """

    def __init__(self, cell: str, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self.cell = cell
        self.p = torch.nn.ParameterDict(
            {name: torch.tensor(array, dtype=torch.float64) for name, array in weights.items()}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = c = x.new_zeros(x.shape[1], self.p["V"].shape[1])
        outputs = []
        for x_t in x:
            a = {gate: x_t @ self.p[f"W_{gate}"].T + self.p[f"b_{gate}"] for gate in GATES[self.cell]}
            u = {gate: self.p[f"U_{gate}"].T for gate in a}
            if self.cell == "rnn":
                h = torch.tanh(a["h"] + h @ u["h"])
            elif self.cell == "lstm":
                i, f, o = (torch.sigmoid(a[gate] + h @ u[gate]) for gate in "ifo")
                c = f * c + i * torch.tanh(a["g"] + h @ u["g"])
                h = o * torch.tanh(c)
            else:
                z, r = (torch.sigmoid(a[gate] + h @ u[gate]) for gate in "zr")
                h = (1 - z) * h + z * torch.tanh(a["h"] + (r * h) @ u["h"])
            outputs.append(h @ self.p["V"].T + self.p["c"])
        return torch.stack(outputs)


def random_weights(
    cell: str, inputs: int, units: int, outputs: int, biases: Mapping[str, float], seed: int
) -> dict[str, np.ndarray]:
    """Return random weights: W, U and V are uniform in ±1/√H, and biases are 0, except b_f = 1 in an LSTM.

    `biases` replaces these initial biases, by gate.
    """
    rng = np.random.default_rng([seed, 1])
    bound = units**-0.5
    weights: dict[str, np.ndarray] = {"V": rng.uniform(-bound, bound, (outputs, units)), "c": np.zeros(outputs)}
    initial = ({"f": 1.0} if cell == "lstm" else {}) | dict(biases)
    for gate in GATES[cell]:
        weights[f"W_{gate}"] = rng.uniform(-bound, bound, (units, inputs))
        weights[f"U_{gate}"] = rng.uniform(-bound, bound, (units, units))
        weights[f"b_{gate}"] = np.full(units, initial.get(gate, 0.0))
    return weights


def steps_to_target(network: Network, draw: Draw, schedule: Any, held_out: Data) -> int | None:
    """Train, and return the training step at which the held-out score reaches the target, or None if it does not.

    `schedule` has the attributes of `gru_core.training.fit.Schedule`.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=schedule.rate)
    for step in range(1, schedule.most + 1):
        loss = _loss(network, draw(schedule.B))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.norm)
        optimizer.step()
        if step % schedule.every == 0 and _reached(network, held_out, schedule.reach):
            return step
    return None


def answers(network: Network, x: np.ndarray) -> np.ndarray:
    """Return the outputs `(T, B, K)` before the softmax."""
    with torch.no_grad():
        return network(torch.tensor(x, dtype=torch.float64)).numpy()


def _loss(network: Network, data: Data) -> torch.Tensor:
    y = network(torch.tensor(data.x, dtype=torch.float64))[torch.tensor(data.scored)]
    target = torch.tensor(data.target[data.scored])
    if target.is_floating_point():
        return torch.nn.functional.mse_loss(y[:, 0], target)
    return torch.nn.functional.cross_entropy(y, target)


def _reached(network: Network, data: Data, reach: float) -> bool:
    y, target = answers(network, data.x)[data.scored], data.target[data.scored]
    if target.dtype.kind == "f":
        return float(((y[:, 0] - target) ** 2).mean()) <= reach
    return float((y.argmax(-1) == target).mean()) >= reach
