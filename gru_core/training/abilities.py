"""The sequences and the answers of the experiments' tasks. Each task tests one ability of a cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoders.numbers import Numbers, Operator
from gru_core.encoders.symbols import Symbols
from gru_core.training.task import Random, Target, Task
from gru_core.training.toys import any_on, last_capital

GAP = Symbols(("A", "B", "a", "b", "c", "d"))


def over_a_gap(rng: Random, T: int, B: int) -> Array:
    """Draw a capital letter, then noise until the end."""
    symbol = rng.integers(2, 6, (T, B))
    symbol[0] = rng.integers(0, 2, B)
    return np.asarray(np.eye(6)[symbol])


def remembered(x: Array) -> tuple[Target, Mask]:
    """Return the last capital at every timestep, and the mask of the scored timesteps.

    Only the last timestep is scored, and only if the sequence has a capital.
    """
    target, scored = last_capital(x)
    return target, _at_the_end(scored)


def _at_the_end(mask: Mask) -> Mask:
    """Return a copy of `mask` that is false at all timesteps except the last."""
    end = np.zeros_like(mask)
    end[-1] = mask[-1]
    return end


RECALL = Symbols(("a", "b", "c", "d", "?"))


def items(rng: Random, T: int, B: int) -> Array:
    """Draw T // 2 items, then question marks until the end."""
    symbol = np.full((T, B), 4)
    symbol[: T // 2] = rng.integers(0, 4, (T // 2, B))
    return np.asarray(np.eye(5)[symbol])


def in_order(x: Array) -> tuple[Target, Mask]:
    """Return the answer at every timestep, and the mask of the scored timesteps.

    The answer at the k-th question mark is the k-th item. A timestep is scored if
    it is a question mark and if its item comes earlier.
    """
    question, item = any_on(x[..., 4:]), x[..., :4].argmax(-1)
    k = np.cumsum(question, 0) - 1
    item_count = np.cumsum(~question, 0)[-1]
    order = np.argsort(question, axis=0, kind="stable")  # the timesteps of the items, then the other timesteps
    item_step = np.take_along_axis(order, np.clip(k, 0, len(x) - 1), 0)
    steps = np.arange(len(x)).reshape(-1, *[1] * (question.ndim - 1))
    scored = question & (k < item_count) & (steps > item_step)
    return np.take_along_axis(item, item_step, 0), scored


ADDING = Numbers((Operator("=", "add it", (1,)), Operator("", "ignore it", (0,))))


def two_marked(rng: Random, T: int, B: int) -> Array:
    """Draw numbers. One number in each half is marked, as in the adding problem (Hochreiter and Schmidhuber 1997)."""
    mark = np.zeros((T, B))
    half = max(1, T // 2)
    mark[rng.integers(0, half, B), np.arange(B)] = 1
    mark[rng.integers(half, T, B), np.arange(B)] = 1
    return np.stack([rng.uniform(-0.5, 0.5, (T, B)), mark], -1)


def sum_of_marked(x: Array) -> tuple[Target, Mask]:
    """Return the sum of the marked numbers so far, and a mask that scores only the last timestep."""
    value, mark = np.moveaxis(x, -1, 0)
    return np.cumsum(value * (mark > 0), 0), _at_the_end(np.ones(value.shape, bool))


PARITY = Symbols(("0", "1"))


def bits(rng: Random, T: int, B: int) -> Array:
    """Draw the bits 0 and 1 with equal probability."""
    return np.asarray(np.eye(2)[rng.integers(0, 2, (T, B))])


def parity(x: Array) -> tuple[Target, Mask]:
    """Return whether the number of ones so far is even (0) or odd (1), and a mask that scores every timestep."""
    ones = any_on(x[..., 1:])
    return np.cumsum(ones, 0) % 2, np.ones(ones.shape, bool)


BRACKETS, DEEPEST = Symbols(("(", ")", "m")), 4


def nested(rng: Random, T: int, B: int) -> Array:
    """Draw opening brackets, closing brackets and the letter m, with at most DEEPEST brackets open at once."""
    symbol, depth, kind = np.empty((T, B), int), np.zeros(B, int), rng.random((T, B))
    for t in range(T):
        opens = (kind[t] < 0.4) & (depth < DEEPEST)
        closes = ~opens & (kind[t] < 0.7) & (depth > 0)
        symbol[t] = np.where(opens, 0, np.where(closes, 1, 2))
        depth += opens.astype(int) - closes
    return np.eye(3)[symbol]


def depth(x: Array) -> tuple[Target, Mask]:
    """Return the number of open brackets, at most DEEPEST, and a mask that scores every timestep."""
    opens, closes = any_on(x[..., :1]), any_on(x[..., 1:2])
    target = np.empty(opens.shape, int)
    depth = np.zeros(opens.shape[1:], int)
    for t in range(len(x)):
        depth = np.clip(depth + opens[t] - closes[t], 0, DEEPEST)
        target[t] = depth
    return target, np.ones(target.shape, bool)


ECHO, DELAY = Symbols(("a", "b", "c", "d")), 2


def letters(rng: Random, T: int, B: int) -> Array:
    """Draw letters with equal probability."""
    return np.asarray(np.eye(4)[rng.integers(0, 4, (T, B))])


def echoed(x: Array) -> tuple[Target, Mask]:
    """Return the letter DELAY timesteps earlier, and a mask that scores every timestep.

    At the first timesteps the answer is the first letter.
    """
    letter = x.argmax(-1)
    return letter[np.maximum(0, np.arange(len(x)) - DELAY)], np.ones(letter.shape, bool)


COUNTING = Symbols(("a", "b", "."))


def a_then_b(n: npt.NDArray[np.int_], start: npt.NDArray[np.int_], T: int) -> Array:
    """Return one-hot sequences `(T, B, 3)` of periods, with n a's and then n + 1 b's from timestep `start` on.

    `n` and `start` have an entry for each sequence. `start` counts from 0.
    """
    t = np.arange(T)[:, None] - start
    return np.asarray(np.eye(3)[np.select([(t < 0) | (t > 2 * n), t < n], [2, 0], 1)])


def some_a_then_b(rng: Random, T: int, B: int) -> Array:
    """Draw sequences of periods with n a's and then n + 1 b's at a random place. n is from 1 to (T − 1) // 2."""
    n = rng.integers(1, max(1, (T - 1) // 2) + 1, B)
    return a_then_b(n, rng.integers(0, np.maximum(0, T - 2 * n - 1) + 1), T)


def compared_counts(x: Array) -> tuple[Target, Mask]:
    """Return the answer at every timestep, and a mask that scores each b.

    The answer says whether there are fewer b's than a's so far (0), as many (1) or more (2).
    """
    ahead = np.cumsum(x[..., 1] - x[..., 0], 0)
    return np.sign(ahead).astype(int) + 1, any_on(x[..., 1:2])


EXPERIMENT_TASKS: dict[str, Task] = {
    "gap": Task(GAP, "softmax", ("A", "B"), over_a_gap, remembered, {"write": np.s_[:2]}, "other"),
    "recall": Task(RECALL, "softmax", ("a", "b", "c", "d"), items, in_order, {"question": np.s_[4:]}, "item"),
    "adding": Task(ADDING, "linear", ("sum",), two_marked, sum_of_marked, {"mark": np.s_[1:]}, "other"),
    "parity": Task(PARITY, "softmax", ("even", "odd"), bits, parity, {"one": np.s_[1:]}, "zero"),
    "brackets": Task(
        BRACKETS, "softmax", ("0", "1", "2", "3", "4"), nested, depth, {"open": np.s_[:1], "close": np.s_[1:2]}, "other"
    ),
    "echo": Task(ECHO, "softmax", ("a", "b", "c", "d"), letters, echoed, {"letter": np.s_[:]}, "other"),
    "counting": Task(
        COUNTING,
        "softmax",
        ("fewer", "equal", "more"),
        some_a_then_b,
        compared_counts,
        {"a": np.s_[:1], "b": np.s_[1:2]},
        "other",
    ),
}
"""The tasks of the experiments by name. In "gap" and "recall", a longer sequence requires more memory."""
