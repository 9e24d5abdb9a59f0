"""The toy tasks: what a small GRU is taught, as seeded draws of sequences with their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

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


class Draws(Protocol):
    """What training needs of a task."""

    def draw(self, rng: Random, T: int, B: int) -> Batch: ...
    def aside(self, rng: Random, T: int, B: int) -> Batch: ...


@dataclass(frozen=True)
class Task:
    """A task: how sequences are written, what is answered, and of which kinds their steps are.

    `sequences(rng, T, B)` draws inputs `(T, B, I)`, `answers` has for any inputs `(T, I)` or `(T, B, I)` the
    `target` and `scored` of a `Batch`. `marked` has for a kind of step the inputs that mark it; a step that none marks
    is of the kind `unmarked`.
    """

    encoder: Encoder
    kind: Literal["softmax", "linear"]
    labels: tuple[str, ...]
    sequences: Callable[[Random, int, int], Array]
    answers: Callable[[Array], tuple[Target, Mask]]
    marked: Mapping[str, slice]
    unmarked: str

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """`B` sequences of `T` steps, with their answers."""
        x = self.sequences(rng, T, B)
        return Batch(x, *self.answers(x), self.events(x))

    def aside(self, rng: Random, T: int, B: int) -> Batch:
        """Sequences to measure on: every draw is of sequences that were not there before."""
        return self.draw(rng, T, B)

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


def _any(x: Array) -> Mask:
    """Where one of the inputs is on."""
    return np.asarray((x > 0).any(-1))


def _last(event: Mask, value: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """At every step the value at the latest event, step 0 counting as one."""
    steps = np.arange(len(event)).reshape(-1, *[1] * (event.ndim - 1))
    latest = np.maximum.accumulate(np.where(event, steps, 0), axis=0)
    return np.take_along_axis(value, latest, axis=0)


FLIP_FLOP = Symbols(("A", "B", "x", "y", "z", "."))


def flip_flop(rng: Random, T: int, B: int) -> Array:
    """Two capitals among four distractors; a capital comes with p = .12, and first."""
    write = rng.random((T, B)) < 0.12
    write[0] = True
    bit = rng.integers(0, 2, (T, B))
    return np.eye(6)[np.where(write, bit, rng.integers(2, 6, (T, B)))]


def last_capital(x: Array) -> tuple[Target, Mask]:
    """The last capital, from the first one on."""
    write = _any(x[..., :2])
    return _last(write, x[..., :2].argmax(-1)), np.logical_or.accumulate(write)


CALCULATOR = Numbers((Operator("=", "load it", (1, 0)), Operator("+", "add it", (0, 1)), Operator("", "hold", (0, 0))))


def pocket_calculator(rng: Random, T: int, B: int) -> Array:
    """Load (p = .15), add (p = .35) or hold in the presence of a number."""
    kind = rng.random((T, B))
    value = rng.uniform(-0.4, 0.4, (T, B))
    load, add = kind < 0.15, (kind >= 0.15) & (kind < 0.5)
    load[0], add[0] = True, False
    return np.stack([value, load, add], -1)


def calculated(x: Array) -> tuple[Target, Mask]:
    """The number that was loaded last and what was added since, kept within ±1; 0 before."""
    value, load, add = np.moveaxis(x, -1, 0)
    target, total = np.empty(value.shape), np.zeros(value.shape[1:])
    for t in range(len(x)):
        total = np.where(load[t], value[t], np.where(add[t], np.clip(total + value[t], -1, 1), total))
        target[t] = total
    return target, np.ones(value.shape, bool)


TOTAL = Numbers((Operator("=", "start again from it", (1,)), Operator("", "add it", (0,))))


def running_total(rng: Random, T: int, B: int) -> Array:
    """Numbers, of which some (p = .15) are flagged."""
    restart = rng.random((T, B)) < 0.15
    restart[0] = True
    return np.stack([rng.uniform(-0.3, 0.3, (T, B)), restart], -1)


def added_up(x: Array) -> tuple[Target, Mask]:
    """The sum of every number; one that is flagged starts it again."""
    value, restart = np.moveaxis(x, -1, 0)
    target, total = np.empty(value.shape), np.zeros(value.shape[1:])
    for t in range(len(x)):
        total = np.where(restart[t], value[t], total + value[t])
        target[t] = total
    return target, np.ones(value.shape, bool)


STORE = Symbols(("a", "b", "c", "d", "A", "B", "C", "D", "?"))


def store_and_recall(rng: Random, T: int, B: int) -> Array:
    """Lower case is noise, a capital (p = .10) is to be stored, `?` (p = .15) asks for it."""
    kind = rng.random((T, B))
    write, ask = kind < 0.10, (kind >= 0.10) & (kind < 0.25)
    write[0], ask[0] = True, False
    item = rng.integers(0, 4, (T, B))
    return np.eye(9)[np.where(write, 4 + item, np.where(ask, 8, item))]


def recalled(x: Array) -> tuple[Target, Mask]:
    """The last capital, where it is asked for."""
    write = _any(x[..., 4:8])
    asked = _any(x[..., 8:]) & np.logical_or.accumulate(write)
    return _last(write, x[..., 4:8].argmax(-1)), asked


GOOD, BAD, FILLERS = ("good", "great", "lovely"), ("bad", "awful", "dull"), ("the", "film", "was", "a", "very")
SENTIMENT = Symbols((*GOOD, *BAD, "not", ".", *FILLERS))


def sentiment(rng: Random, T: int, B: int) -> Array:
    """Sentences of opinions, `not` and fillers."""
    kind = rng.random((T, B))
    opinion, flip = kind < 0.25, (kind >= 0.25) & (kind < 0.42)
    stop = (kind >= 0.42) & (kind < 0.52)
    symbol = rng.integers(8, len(SENTIMENT.alphabet), (T, B))
    symbol[opinion] = rng.integers(0, 6, int(opinion.sum()))
    symbol[flip], symbol[stop] = 6, 7
    return np.eye(SENTIMENT.inputs)[symbol]


def latest_opinion(x: Array) -> tuple[Target, Mask]:
    """The latest opinion of the sentence: `not` flips the next opinion word, `.` is neutral again."""
    good, opinion, flip, stop = _any(x[..., :3]), _any(x[..., :6]), _any(x[..., 6:7]), _any(x[..., 7:8])
    event, flipped = opinion | stop, np.zeros(good.shape, bool)
    flips = (flip & ~event).cumsum(0)
    flipped[1:] = (flips > np.maximum.accumulate(np.where(event, flips, 0), axis=0))[:-1]
    mood = np.where(opinion, np.where(good ^ flipped, 2, 0), 1)
    return _last(event, mood), np.ones(good.shape, bool)


TASKS: dict[str, Task] = {
    "flip-flop": Task(
        FLIP_FLOP, "softmax", ("A", "B"), flip_flop, last_capital, {"write": np.s_[:2]}, "other"
    ),
    "pocket-calculator": Task(
        CALCULATOR, "linear", ("value",), pocket_calculator, calculated,
        {"load": np.s_[1:2], "add": np.s_[2:3]}, "hold",
    ),
    "running-total": Task(TOTAL, "linear", ("total",), running_total, added_up, {"restart": np.s_[1:]}, "add"),
    "store-and-recall": Task(
        STORE, "softmax", ("A", "B", "C", "D"), store_and_recall, recalled, {"write": np.s_[4:8]}, "other"
    ),
    "sentiment": Task(
        SENTIMENT, "softmax", ("negative", "neutral", "positive"), sentiment, latest_opinion,
        {"filler": np.s_[8:]}, "other",
    ),
}  # fmt: skip


# The tasks of the laboratories: each asks for one thing of a cell.

GAP = Symbols(("A", "B", "a", "b", "c", "d"))


def over_a_gap(rng: Random, T: int, B: int) -> Array:
    """A capital, then noise to the end."""
    symbol = rng.integers(2, 6, (T, B))
    symbol[0] = rng.integers(0, 2, B)
    return np.asarray(np.eye(6)[symbol])


def remembered(x: Array) -> tuple[Target, Mask]:
    """The last capital, asked for at the last step."""
    target, known = last_capital(x)
    return target, _at_the_end(known)


def _at_the_end(mask: Mask) -> Mask:
    end = np.zeros_like(mask)
    end[-1] = mask[-1]
    return end


RECALL = Symbols(("a", "b", "c", "d", "?"))


def items(rng: Random, T: int, B: int) -> Array:
    """As many items as questions after them."""
    symbol = np.full((T, B), 4)
    symbol[: T // 2] = rng.integers(0, 4, (T // 2, B))
    return np.asarray(np.eye(5)[symbol])


def in_order(x: Array) -> tuple[Target, Mask]:
    """At the k-th question the k-th item."""
    asked, item = _any(x[..., 4:]), x[..., :4].argmax(-1)
    n = np.cumsum(asked, 0) - 1
    kept = np.cumsum(~asked, 0)[-1]  # items in all
    order = np.argsort(asked, axis=0, kind="stable")  # the items' steps first
    place = np.take_along_axis(order, np.clip(n, 0, len(x) - 1), 0)
    scored = asked & (n < kept) & (np.arange(len(x)).reshape(-1, *[1] * (asked.ndim - 1)) > place)
    return np.take_along_axis(item, place, 0), scored


ADDING = Numbers((Operator("=", "add it", (1,)), Operator("", "pass it by", (0,))))


def two_marked(rng: Random, T: int, B: int) -> Array:
    """Numbers, of which one in either half is marked (Hochreiter & Schmidhuber 1997)."""
    mark = np.zeros((T, B))
    half = max(1, T // 2)
    mark[rng.integers(0, half, B), np.arange(B)] = 1
    mark[rng.integers(half, T, B), np.arange(B)] = 1
    return np.stack([rng.uniform(-0.5, 0.5, (T, B)), mark], -1)


def sum_of_marked(x: Array) -> tuple[Target, Mask]:
    """The sum of the marked numbers, asked for at the last step."""
    value, mark = np.moveaxis(x, -1, 0)
    return np.cumsum(value * (mark > 0), 0), _at_the_end(np.ones(value.shape, bool))


PARITY = Symbols(("0", "1"))


def bits(rng: Random, T: int, B: int) -> Array:
    return np.asarray(np.eye(2)[rng.integers(0, 2, (T, B))])


def parity(x: Array) -> tuple[Target, Mask]:
    """Whether the number of ones so far is even or odd."""
    one = _any(x[..., 1:])
    return np.cumsum(one, 0) % 2, np.ones(one.shape, bool)


BRACKETS, DEEPEST = Symbols(("(", ")", "x")), 4


def nested(rng: Random, T: int, B: int) -> Array:
    """Brackets that open and close, at most DEEPEST of them open, among letters."""
    symbol, depth, kind = np.empty((T, B), int), np.zeros(B, int), rng.random((T, B))
    for t in range(T):
        opens = (kind[t] < 0.4) & (depth < DEEPEST)
        closes = ~opens & (kind[t] < 0.7) & (depth > 0)
        symbol[t] = np.where(opens, 0, np.where(closes, 1, 2))
        depth += opens.astype(int) - closes
    return np.eye(3)[symbol]


def depth(x: Array) -> tuple[Target, Mask]:
    """How many brackets are open."""
    opens, closes = _any(x[..., :1]), _any(x[..., 1:2])
    deep = np.empty(opens.shape, int)
    now = np.zeros(opens.shape[1:], int)
    for t in range(len(x)):
        now = np.clip(now + opens[t] - closes[t], 0, DEEPEST)
        deep[t] = now
    return deep, np.ones(deep.shape, bool)


LABS: dict[str, Task] = {
    "gap": Task(GAP, "softmax", ("A", "B"), over_a_gap, remembered, {"write": np.s_[:2]}, "other"),
    "recall": Task(RECALL, "softmax", ("a", "b", "c", "d"), items, in_order, {"question": np.s_[4:]}, "item"),
    "adding": Task(ADDING, "linear", ("sum",), two_marked, sum_of_marked, {"mark": np.s_[1:]}, "other"),
    "parity": Task(PARITY, "softmax", ("even", "odd"), bits, parity, {"one": np.s_[1:]}, "zero"),
    "brackets": Task(
        BRACKETS, "softmax", ("0", "1", "2", "3", "4"), nested, depth, {"open": np.s_[:1], "close": np.s_[1:2]}, "other"
    ),
}
"""Those of the laboratories. The sequences of "gap" and "recall" are as long as what is to be kept."""

ALL = TASKS | LABS


def task_of(model: Model) -> Task | None:
    """The task that the model's card names, if it is one that the model reads and answers as."""
    task, readout = ALL.get(model.card.task), model.readout
    if task is None or (task.encoder, task.kind, task.labels) != (model.encoder, readout.kind, readout.labels):
        return None
    return task
