"""Training: losses, their gradients, the Adam optimizer, and `fit`, which yields snapshots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from gru_core.arrays import Array
from gru_core.model import Model
from gru_core.training.scoring import score
from gru_core.training.task import Batch, Draws

Parameters = Mapping[str, Array]


@dataclass(frozen=True)
class Penalties:
    """The weights of the penalty terms for gates, which are added to the loss. Each layer adds its own terms.

    `z` is λ_z in λ_z · mean(z), which pushes the units of a GRU to keep their state. `r` is λ_r in λ_r · mean(1 − r),
    which pushes the candidate of a GRU to read the old state. `o` is λ_o in λ_o · mean(o), which pushes the units of an
    LSTM to hide their cell state.
    """

    z: float = 0.0
    r: float = 0.0
    o: float = 0.0

    @property
    def slopes(self) -> dict[str, float]:
        """The derivative of the loss with respect to the mean of each gate that has a penalty."""
        slopes = {"z": self.z, "r": -self.r, "o": self.o}
        return {gate: slope for gate, slope in slopes.items() if slope}


NO_PENALTIES = Penalties()


def loss_and_gradients(
    model: Model, batch: Batch, penalties: Penalties = NO_PENALTIES
) -> tuple[float, dict[str, Array]]:
    """Return the mean loss over the scored timesteps, including the penalties, and the gradients of this loss.

    The gradients have the names of `model.parameters`. The loss is the cross-entropy −log y_target for a softmax
    readout, and (y − target)² for a linear one. Raises ValueError if a penalty needs a gate that a layer does not have.
    """
    runs = model.forward(batch.x)
    h = runs[-1].h
    y = model.readout(h)
    n = np.count_nonzero(batch.scored)
    if model.readout.kind == "softmax":
        target = batch.target[..., None].astype(int)
        p_target = np.take_along_axis(y, target, -1)
        loss = -float(np.log(p_target[batch.scored]).sum()) / n
        dy = y.copy()  # the gradient with respect to V h + c
        np.put_along_axis(dy, target, p_target - 1, -1)
        dy /= n
    else:
        difference = y - batch.target[..., None]
        loss = float((difference[batch.scored] ** 2).sum()) / n
        dy = 2 * difference / n
    dy *= batch.scored[..., None]

    read = model.readout.read(h)
    gradients = {
        "readout.V": dy.reshape(-1, dy.shape[-1]).T @ read.reshape(-1, read.shape[-1]),
        "readout.c": dy.sum((0, 1)),
    }
    dh = model.readout.backward(h, dy @ model.readout.V)
    for i, run in reversed(list(enumerate(runs))):
        weights = penalties.slopes
        if not weights.keys() <= run.cell.signals.keys():
            raise ValueError(f"{run.cell.title} cells have no gate {' and no gate '.join(weights)}: remove the penalty")
        for gate, weight in weights.items():
            loss += weight * float(getattr(run, gate).mean() - (gate == "r"))
        direct = {gate: np.full_like(run.h, weight / run.h.size) for gate, weight in weights.items()}
        layer_gradients = run.backward(dh, direct)
        gradients |= {f"layers.{i}.{name}": array for name, array in layer_gradients.parameters.items()}
        dh = layer_gradients.x
    return loss, gradients


@dataclass
class Adam:
    """The Adam optimizer (Kingma and Ba 2015, arXiv:1412.6980). It stores its moments by parameter name."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    _steps: int = 0
    _moments: dict[str, tuple[Array, Array]] = field(default_factory=dict)

    def __call__(self, parameters: Parameters, gradients: Parameters, rate: float) -> dict[str, Array]:
        """Return the parameters after one training step with the learning rate `rate`."""
        self._steps += 1
        rate *= math.sqrt(1 - self.beta2**self._steps) / (1 - self.beta1**self._steps)
        updated: dict[str, Array] = {}
        for name, array in parameters.items():
            g = gradients[name]
            m, v = self._moments.get(name, (np.zeros_like(g), np.zeros_like(g)))
            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * g * g
            self._moments[name] = m, v
            updated[name] = array - rate * m / (np.sqrt(v) + self.epsilon)
        return updated


def clip(gradients: Parameters, norm: float) -> dict[str, Array]:
    """Return the gradients, scaled down together if their joint norm is above `norm`."""
    total = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
    scale = min(1.0, norm / total) if total > 0 else 1.0
    return {name: g * scale for name, g in gradients.items()}


@dataclass(frozen=True)
class Snapshot:
    """The state of a training at one training step.

    `losses` has the loss of each training step since the previous snapshot. `rate` is the learning rate of the latest
    step. `score` is measured on held-out sequences. `reached` is true once the target is reached.
    """

    step: int
    losses: tuple[float, ...]
    rate: float
    score: float
    reached: bool
    model: Model

    @property
    def loss(self) -> float:
        """The latest loss; NaN before the first training step."""
        return self.losses[-1] if self.losses else math.nan


class Diverged(ArithmeticError):
    """The error for a training in which the loss, its gradient, or a weight as float32 is no longer finite.

    `step` is the training step at which this happened.
    """

    def __init__(self, step: int) -> None:
        super().__init__(
            f"at training step {step} the loss, its gradient or a weight is no longer a finite number: "
            "try a lower learning rate"
        )
        self.step = step


@dataclass(frozen=True)
class Schedule:
    """The length and the learning rate of a training, and the sizes of its batches.

    The learning rate stays at `rate` until the held-out score reaches the target `reach`: an accuracy of at least
    `reach`, or an error of at most `reach`. The score is checked every `every` training steps, and after `most`. If
    `reach` is None, this phase takes `most` training steps instead. Then `after` further training steps follow, and
    the learning rate falls to a tenth over the second half of them. A training that has not reached the target after
    `most` training steps ends there.

    A batch has `B` training sequences of `T` timesteps. Held-out sequences have `aside` timesteps. `norm` is the limit
    of gradient clipping. `changes` has pairs such as (400, 0.06): after training step 400, `rate` is 0.06.
    """

    reach: float | None
    after: int
    rate: float = 0.02
    T: int = 20
    B: int = 32
    norm: float = 1.0
    every: int = 50
    most: int = 6000
    aside: int = 100
    changes: tuple[tuple[int, float], ...] = ()

    def rate_after(self, step: int, left: int | None) -> float:
        """Return the learning rate of the training step after `step`.

        `left` is how many of the final `after` training steps are still to come, or None before the target is reached.
        """
        rate = next((rate for since, rate in reversed(self.changes) if since <= step), self.rate)
        return rate if left is None else rate * min(1.0, 0.1 + 1.8 * left / self.after)


def fit(
    model: Model,
    task: Draws,
    rng: np.random.Generator,
    schedule: Schedule,
    penalties: Penalties = NO_PENALTIES,
    also: Callable[[int], bool] = lambda step: False,
    trained: Parameters | None = None,
) -> Iterator[Snapshot]:
    """Train `model` on `task`, and yield a snapshot every `schedule.every` training steps and at the end.

    `also` is called with the number of every training step, and with 0 before the first. If it returns true, there is a
    snapshot at this step too. Such a snapshot does not check whether the target is reached. `trained` has a mask for
    each parameter, 0 for weights that stay as they are; None means that all weights are trained. Raises Diverged if the
    loss or its gradient is not finite.
    """
    adam = Adam()
    held_out = task.held_out(rng, schedule.aside, 100)
    step, left, reached = 0, schedule.after, False
    losses: list[float] = []
    if also(0):
        yield Snapshot(0, (), schedule.rate_after(0, None), score(model, held_out), False, model)
    while left > 0 if reached else step < schedule.most:
        rate = schedule.rate_after(step, left if reached else None)
        with np.errstate(all="ignore"):  # the check below reports numbers that are not finite
            loss, gradients = loss_and_gradients(model, task.draw(rng, schedule.T, schedule.B), penalties)
        if trained is not None:
            gradients = {name: array * trained[name] for name, array in gradients.items()}
        if not (math.isfinite(loss) and all(np.isfinite(array).all() for array in gradients.values())):
            raise Diverged(step + 1)
        model = model.with_parameters(adam(model.parameters, clip(gradients, schedule.norm), rate))
        step, left = step + 1, left - reached
        losses.append(loss)
        checks_target = step % schedule.every == 0 or (reached and left == 0) or (not reached and step == schedule.most)
        if checks_target or also(step):
            with np.errstate(all="ignore"):
                held_out_score = score(model, held_out)
            if checks_target:
                reached = reached or _reaches_target(held_out_score, model, schedule, step)
            yield Snapshot(step, tuple(losses), rate, held_out_score, reached, model)
            losses.clear()


def _reaches_target(score: float, model: Model, schedule: Schedule, step: int) -> bool:
    if schedule.reach is None:
        return step >= schedule.most
    return score >= schedule.reach if model.readout.kind == "softmax" else score <= schedule.reach
