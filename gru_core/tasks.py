"""The toy tasks: what a small GRU is taught, as seeded draws of sequences with their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoder import Encoder, Numbers, Operator, Symbols

if TYPE_CHECKING:
    from gru_core.model import Model

Random = np.random.Generator
Target = npt.NDArray[np.int_] | Array


@dataclass(frozen=True)
class Batch:
    """Sequences with their answers.

    `x` `(T, B, I)`; `target` `(T, B)`, a class for a softmax readout, a number for a linear one;
    `scored` `(T, B)`, where the answer counts; `events`, masks `(T, B)` of steps of one kind.
    """

    x: Array
    target: Target
    scored: Mask
    events: dict[str, Mask]

    def first(self, n: int) -> Batch:
        """The first `n` of the sequences, all where there are no more."""
        events = {event: mask[:, :n] for event, mask in self.events.items()}
        return Batch(self.x[:, :n], self.target[:, :n], self.scored[:, :n], events)


@dataclass(frozen=True)
class Task:
    """A task: how sequences are written, what is answered, and of which kinds their steps are.

    `sequences(rng, T, B)` draws the `x`, `target` and `scored` of a `Batch`. `marked` has for a kind of
    step the inputs that mark it; a step that none marks is of the kind `unmarked`.
    """

    encoder: Encoder
    kind: Literal["softmax", "linear"]
    labels: tuple[str, ...]
    sequences: Callable[[Random, int, int], tuple[Array, Target, Mask]]
    marked: Mapping[str, slice]
    unmarked: str

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """`B` sequences of `T` steps, with their answers."""
        x, target, scored = self.sequences(rng, T, B)
        return Batch(x, target, scored, self.events(x))

    def events(self, x: Array) -> dict[str, Mask]:
        """The steps of each kind in inputs `(T, I)` or `(T, B, I)`: masks `(T,)` or `(T, B)`, one true at each step."""
        events: dict[str, Mask] = {}
        left = np.ones(x.shape[:-1], bool)
        for event, inputs in self.marked.items():
            events[event] = left & x[..., inputs].any(-1)
            left = left & ~events[event]
        return events | {self.unmarked: left}

    def text(self, rng: Random, T: int) -> str:
        """One drawn sequence, as a person would type it."""
        return self.encoder.write(self.draw(rng, T, 1).x[:, 0])


def _last(event: Mask, value: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """At every step the value at the latest event, step 0 counting as one."""
    steps = np.arange(len(event))[:, None]
    latest = np.maximum.accumulate(np.where(event, steps, 0), axis=0)
    return np.take_along_axis(value, latest, axis=0)


FLIP_FLOP = Symbols(("A", "B", "x", "y", "z", "."))


def flip_flop(rng: Random, T: int, B: int) -> tuple[Array, Target, Mask]:
    """Hold the last capital among four distractors; a capital comes with p = .12, and first."""
    write = rng.random((T, B)) < 0.12
    write[0] = True
    bit = rng.integers(0, 2, (T, B))
    symbol = np.where(write, bit, rng.integers(2, 6, (T, B)))
    return np.eye(6)[symbol], _last(write, bit), np.ones((T, B), bool)


CALCULATOR = Numbers((Operator("=", "load it", (1, 0)), Operator("+", "add it", (0, 1)), Operator("", "hold", (0, 0))))


def pocket_calculator(rng: Random, T: int, B: int) -> tuple[Array, Target, Mask]:
    """Load (p = .15), add (p = .35, the sum kept within ±1) or hold in the presence of a number."""
    kind = rng.random((T, B))
    value = rng.uniform(-0.4, 0.4, (T, B))
    load, add = kind < 0.15, (kind >= 0.15) & (kind < 0.5)
    load[0], add[0] = True, False
    target, total = np.empty((T, B)), np.zeros(B)
    for t in range(T):
        total = np.where(load[t], value[t], np.where(add[t], np.clip(total + value[t], -1, 1), total))
        target[t] = total
    return np.stack([value, load, add], -1), target, np.ones((T, B), bool)


TOTAL = Numbers((Operator("=", "start again from it", (1,)), Operator("", "add it", (0,))))


def running_total(rng: Random, T: int, B: int) -> tuple[Array, Target, Mask]:
    """Add every number; one that is flagged (p = .15) starts the sum again."""
    restart = rng.random((T, B)) < 0.15
    restart[0] = True
    value = rng.uniform(-0.3, 0.3, (T, B))
    target, total = np.empty((T, B)), np.zeros(B)
    for t in range(T):
        total = np.where(restart[t], value[t], total + value[t])
        target[t] = total
    return np.stack([value, restart], -1), target, np.ones((T, B), bool)


STORE = Symbols(("a", "b", "c", "d", "A", "B", "C", "D", "?"))


def store_and_recall(rng: Random, T: int, B: int) -> tuple[Array, Target, Mask]:
    """Lower case is noise, a capital (p = .10) is stored, `?` (p = .15) asks for it; scored there."""
    kind = rng.random((T, B))
    write, ask = kind < 0.10, (kind >= 0.10) & (kind < 0.25)
    write[0], ask[0] = True, False
    item = rng.integers(0, 4, (T, B))
    symbol = np.where(write, 4 + item, np.where(ask, 8, item))
    return np.eye(9)[symbol], _last(write, item), ask


GOOD, BAD, FILLERS = ("good", "great", "lovely"), ("bad", "awful", "dull"), ("the", "film", "was", "a", "very")
SENTIMENT = Symbols((*GOOD, *BAD, "not", ".", *FILLERS))


def sentiment(rng: Random, T: int, B: int) -> tuple[Array, Target, Mask]:
    """The latest opinion of the sentence: `not` flips the next opinion word, `.` is neutral again."""
    kind = rng.random((T, B))
    opinion, flip = kind < 0.25, (kind >= 0.25) & (kind < 0.42)
    stop = (kind >= 0.42) & (kind < 0.52)
    symbol = rng.integers(8, len(SENTIMENT.alphabet), (T, B))
    symbol[opinion] = rng.integers(0, 6, int(opinion.sum()))
    symbol[flip], symbol[stop] = 6, 7
    target, mood, flipped = np.empty((T, B), int), np.full(B, 1), np.zeros(B, bool)
    for t in range(T):
        heard = np.where((symbol[t] < 3) ^ flipped, 2, 0)
        mood = np.where(opinion[t], heard, np.where(stop[t], 1, mood))
        flipped = np.where(opinion[t] | stop[t], False, flipped | flip[t])
        target[t] = mood
    return np.eye(SENTIMENT.inputs)[symbol], target, np.ones((T, B), bool)


TASKS: dict[str, Task] = {
    "flip-flop": Task(FLIP_FLOP, "softmax", ("A", "B"), flip_flop, {"write": np.s_[:2]}, "other"),
    "pocket-calculator": Task(
        CALCULATOR, "linear", ("value",), pocket_calculator, {"load": np.s_[1:2], "add": np.s_[2:3]}, "hold"
    ),
    "running-total": Task(TOTAL, "linear", ("total",), running_total, {"restart": np.s_[1:]}, "add"),
    "store-and-recall": Task(STORE, "softmax", ("A", "B", "C", "D"), store_and_recall, {"write": np.s_[4:8]}, "other"),
    "sentiment": Task(
        SENTIMENT, "softmax", ("negative", "neutral", "positive"), sentiment, {"filler": np.s_[8:]}, "other"
    ),
}


def task_of(model: Model) -> Task | None:
    """The task that the model's card names, if it is one that the model reads and answers as."""
    task, readout = TASKS.get(model.card.task), model.readout
    if task is None or (task.encoder, task.kind, task.labels) != (model.encoder, readout.kind, readout.labels):
        return None
    return task
