"""A minimal GRU: its gates do not see the state (Feng et al. 2024, arXiv:2410.01201).

    z_t = σ(W_z x_t + b_z)                            update gate
    h̃_t = W_h x_t + b_h                               candidate
    h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t             hidden state

h_t is linear in h_{t-1}. Two such timesteps in a row can be written as one: h ↦ a h + b, then h ↦ a′ h + b′, is
h ↦ a′ a h + (a′ b + b′). A scan therefore needs about log₂ T passes over all timesteps at once, in place of T
timesteps one after another. The price: the factor 1 − z is never negative, so the cell cannot reverse its state, and
cannot compute parity over sequences of any length (Sarrof et al. 2024, arXiv:2405.17394).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.model import Readout
from gru_core.tasks import Random, Target, Task
from gru_core.training import Adam, Schedule, clip


@dataclass(frozen=True)
class MinGRU:
    """The weights of one layer: `W_z` and `W_h` `(H, I)`, `b_z` and `b_h` `(H,)`."""

    W_z: Array
    b_z: Array
    W_h: Array
    b_h: Array

    @staticmethod
    def random(inputs: int, units: int, rng: Random, b_z: float = 0.0) -> MinGRU:
        """Return a layer with weights uniform in ±1/√H. The biases are zero, except for z."""
        bound = 1 / np.sqrt(units)
        W_z, W_h = (rng.uniform(-bound, bound, (units, inputs)) for _ in range(2))
        return MinGRU(W_z, np.full(units, b_z), W_h, np.zeros(units))

    def gates(self, x: Array) -> tuple[Array, Array]:
        """Return z and h̃ of all timesteps at once, `(T, …, H)` each."""
        return 1 / (1 + np.exp(-(x @ self.W_z.T + self.b_z))), np.asarray(x @ self.W_h.T + self.b_h)

    def loop(self, x: Array) -> Array:
        """Return h `(T, …, H)`, computed one timestep after another from a zero state."""
        z, h_tilde = self.gates(x)
        h = np.empty_like(z)
        now = np.zeros_like(z[0])
        for t in range(len(z)):
            now = (1 - z[t]) * now + z[t] * h_tilde[t]
            h[t] = now
        return h

    def scan(self, x: Array) -> Array:
        """Return the same h in ⌈log₂ T⌉ passes, each over all timesteps at once (Hillis & Steele 1986)."""
        z, h_tilde = self.gates(x)
        a, b = 1 - z, z * h_tilde
        reach = 1
        while reach < len(z):
            b[reach:] = a[reach:] * b[:-reach] + b[reach:]
            a[reach:] = a[reach:] * a[:-reach]
            reach *= 2
        return b


def passes(T: int) -> int:
    """Return the number of passes of a scan over T timesteps: ⌈log₂ T⌉."""
    return (T - 1).bit_length()


def fit(
    cell: MinGRU, readout: Readout, task: Task, rng: Random, schedule: Schedule
) -> Iterator[tuple[int, float, MinGRU, Readout]]:
    """Train a cell and a readout on a softmax task, for `schedule.most` training steps with Adam and gradient clipping.

    Yield at every `schedule.every` training steps, from 0 on: the training step, the accuracy on 100 held-out
    sequences, the cell and the readout.
    """
    adam = Adam()
    aside = task.draw(rng, schedule.aside, 100)
    for step in range(schedule.most + 1):
        if step % schedule.every == 0:
            right = readout(cell.scan(aside.x)).argmax(-1) == aside.target
            yield step, float(right[aside.scored].mean()), cell, readout
        batch = task.draw(rng, schedule.T, schedule.B)
        gradients = gradient(cell, readout, batch.x, batch.target, batch.scored)
        new = adam(parameters(cell, readout), clip(gradients, schedule.norm), schedule.rate)
        cell = MinGRU(*(new[name] for name in ("W_z", "b_z", "W_h", "b_h")))
        readout = replace(readout, V=new["V"], c=new["c"])


def parameters(cell: MinGRU, readout: Readout) -> Mapping[str, Array]:
    return {"W_z": cell.W_z, "b_z": cell.b_z, "W_h": cell.W_h, "b_h": cell.b_h, "V": readout.V, "c": readout.c}


def loss(cell: MinGRU, readout: Readout, x: Array, target: Target, scored: Mask) -> float:
    """Return the mean of −log y_target over the scored timesteps."""
    of_target = np.take_along_axis(readout(cell.loop(x)), target[..., None].astype(int), -1)[..., 0]
    return -float(np.log(of_target[scored]).mean())


def gradient(cell: MinGRU, readout: Readout, x: Array, target: Target, scored: Mask) -> dict[str, Array]:
    """Return the gradient of `loss`, by the names of `parameters`; `x` is `(T, B, I)`."""
    z, h_tilde = cell.gates(x)
    h = cell.scan(x)
    y = readout(h)
    dy = (y - (np.arange(y.shape[-1]) == target[..., None])) * scored[..., None] / np.count_nonzero(scored)
    dh = dy @ readout.V
    for t in range(len(x) - 2, -1, -1):
        dh[t] += (1 - z[t + 1]) * dh[t + 1]
    h_prev = np.concatenate([np.zeros_like(h[:1]), h[:-1]])
    of_z, of_h = dh * (h_tilde - h_prev) * z * (1 - z), dh * z
    found = {"V": np.einsum("tbk,tbh->kh", dy, h), "c": dy.sum((0, 1))}
    for name, of in (("z", of_z), ("h", of_h)):
        found |= {f"W_{name}": np.einsum("tbh,tbi->hi", of, x), f"b_{name}": of.sum((0, 1))}
    return found
