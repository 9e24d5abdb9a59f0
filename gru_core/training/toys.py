"""The sequences and the answers of the five toy tasks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoders.numbers import Numbers, Operator
from gru_core.encoders.symbols import Symbols
from gru_core.training.task import Random, Target, Task


def any_on(x: Array) -> Mask:
    """Return the mask of the timesteps at which at least one of the inputs is on."""
    return np.asarray((x > 0).any(-1))


def at_latest(event: Mask, value: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """Return, for every timestep, the value at the latest event. Timestep 0 counts as an event."""
    steps = np.arange(len(event)).reshape(-1, *[1] * (event.ndim - 1))
    latest = np.maximum.accumulate(np.where(event, steps, 0), axis=0)
    return np.take_along_axis(value, latest, axis=0)


FLIP_FLOP = Symbols(("A", "B", "m", "p", "s", "."))


def flip_flop(rng: Random, T: int, B: int) -> Array:
    """Draw letters and periods. The first symbol is a capital letter, and each later one with probability 0.12."""
    write = rng.random((T, B)) < 0.12
    write[0] = True
    bit = rng.integers(0, 2, (T, B))
    return np.eye(6)[np.where(write, bit, rng.integers(2, 6, (T, B)))]


def last_capital(x: Array) -> tuple[Target, Mask]:
    """Return the last capital at every timestep, and a mask that scores the timesteps from the first capital on."""
    write = any_on(x[..., :2])
    return at_latest(write, x[..., :2].argmax(-1)), np.logical_or.accumulate(write)


CALCULATOR = Numbers(
    (Operator("=", "load it", (1, 0)), Operator("+", "add it", (0, 1)), Operator("", "ignore it", (0, 0)))
)


def pocket_calculator(rng: Random, T: int, B: int) -> Array:
    """Draw numbers to load (with probability 0.15), to add (0.35) or to ignore (0.5). The first one is loaded."""
    kind = rng.random((T, B))
    value = rng.uniform(-0.4, 0.4, (T, B))
    load, add = kind < 0.15, (kind >= 0.15) & (kind < 0.5)
    load[0], add[0] = True, False
    return np.stack([value, load, add], -1)


def calculated(x: Array) -> tuple[Target, Mask]:
    """Return the value of the calculator at every timestep, and a mask that scores every timestep.

    The value is the last loaded number plus all numbers added since, with each sum clipped to ±1. It starts at 0.
    """
    value, load, add = np.moveaxis(x, -1, 0)
    target, total = np.empty(value.shape), np.zeros(value.shape[1:])
    for t in range(len(x)):
        total = np.where(load[t], value[t], np.where(add[t], np.clip(total + value[t], -1, 1), total))
        target[t] = total
    return target, np.ones(value.shape, bool)


TOTAL = Numbers((Operator("=", "start again from it", (1,)), Operator("", "add it", (0,))))


def running_total(rng: Random, T: int, B: int) -> Array:
    """Draw numbers. The first number has a flag, and each later number has a flag with probability 0.15."""
    restart = rng.random((T, B)) < 0.15
    restart[0] = True
    return np.stack([rng.uniform(-0.3, 0.3, (T, B)), restart], -1)


def added_up(x: Array) -> tuple[Target, Mask]:
    """Return the sum of the numbers from the last flagged number on, and a mask that scores every timestep."""
    value, restart = np.moveaxis(x, -1, 0)
    target, total = np.empty(value.shape), np.zeros(value.shape[1:])
    for t in range(len(x)):
        total = np.where(restart[t], value[t], total + value[t])
        target[t] = total
    return target, np.ones(value.shape, bool)


STORE = Symbols(("a", "b", "c", "d", "A", "B", "C", "D", "?"))


def store_and_recall(rng: Random, T: int, B: int) -> Array:
    """Draw small letters as noise, capitals to store (with probability 0.10) and `?` to ask for the last one (0.15).

    The first symbol is a capital.
    """
    kind = rng.random((T, B))
    write, recall = kind < 0.10, (kind >= 0.10) & (kind < 0.25)
    write[0], recall[0] = True, False
    item = rng.integers(0, 4, (T, B))
    return np.eye(9)[np.where(write, 4 + item, np.where(recall, 8, item))]


def recalled(x: Array) -> tuple[Target, Mask]:
    """Return the last capital at every timestep, and a mask that scores each `?` after a capital."""
    write = any_on(x[..., 4:8])
    scored = any_on(x[..., 8:]) & np.logical_or.accumulate(write)
    return at_latest(write, x[..., 4:8].argmax(-1)), scored


GOOD, BAD, FILLERS = ("good", "great", "lovely"), ("bad", "awful", "dull"), ("the", "film", "was", "a", "very")
SENTIMENT = Symbols((*GOOD, *BAD, "not", ".", *FILLERS))


def sentiment(rng: Random, T: int, B: int) -> Array:
    """Draw opinion words, `not`, `.` and fillers."""
    kind = rng.random((T, B))
    opinion, flip = kind < 0.25, (kind >= 0.25) & (kind < 0.42)
    stop = (kind >= 0.42) & (kind < 0.52)
    symbol = rng.integers(8, len(SENTIMENT.alphabet), (T, B))
    symbol[opinion] = rng.integers(0, 6, int(opinion.sum()))
    symbol[flip], symbol[stop] = 6, 7
    return np.eye(SENTIMENT.inputs)[symbol]


def latest_opinion(x: Array) -> tuple[Target, Mask]:
    """Return the latest opinion at every timestep, and a mask that scores every timestep.

    The opinion is 0 (negative), 1 (neutral) or 2 (positive). `not` reverses the next opinion word, and `.` makes the
    opinion neutral.
    """
    good, opinion, flip, stop = any_on(x[..., :3]), any_on(x[..., :6]), any_on(x[..., 6:7]), any_on(x[..., 7:8])
    event, flipped = opinion | stop, np.zeros(good.shape, bool)
    flips = (flip & ~event).cumsum(0)
    flipped[1:] = (flips > np.maximum.accumulate(np.where(event, flips, 0), axis=0))[:-1]
    mood = np.where(opinion, np.where(good ^ flipped, 2, 0), 1)
    return at_latest(event, mood), np.ones(good.shape, bool)


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
"""The toy tasks by name."""
