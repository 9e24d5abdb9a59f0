"""The toy tasks of small networks: random sequences with their correct answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoder import Encoder, Letters, Numbers, Operator, Scaled, Symbols
from gru_core.training import tagging
from gru_core.training.handover import Handover
from gru_core.training.names import ALPHABET, END, VOWELS, NextLetters, Surnames, no_answers, surnames
from gru_core.training.reversal import ALPHABET as ALL_LETTERS
from gru_core.training.reversal import HANDOVER, LABELS, ReversedWords, reversed_letters
from gru_core.training.series import SUNSPOT_SCALE, Series, next_number, sunspots

if TYPE_CHECKING:
    from gru_core.model import Model

Random = np.random.Generator
Target = npt.NDArray[np.int_] | Array


@dataclass(frozen=True)
class Batch:
    """Sequences with their answers.

    `x` `(T, B, I)` are the inputs. `target` `(T, B)` has a class for a softmax readout, and a number for a linear one.
    `scored` `(T, B)` is the mask of the answers that count. `events` has for each kind of timestep a mask `(T, B)`.
    """

    x: Array
    target: Target
    scored: Mask
    events: dict[str, Mask]

    def first(self, n: int) -> Batch:
        """Return the first `n` sequences, or all if there are fewer."""
        events = {event: mask[:, :n] for event, mask in self.events.items()}
        return Batch(self.x[:, :n], self.target[:, :n], self.scored[:, :n], events)


class Draws(Protocol):
    """A task, as far as training needs it: the two methods that draw sequences."""

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` training sequences of `T` timesteps."""

    def held_out(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` held-out sequences of `T` timesteps."""


@dataclass(frozen=True)
class Task:
    """A task: its sequences, its answers, and the kinds of its timesteps.

    `sequences(rng, T, B)` draws inputs `(T, B, I)`. `answers` returns the `target` and the `scored` of a `Batch` for
    any inputs `(T, I)` or `(T, B, I)`. `marked` has for each kind of timestep the indices of some inputs. At a timestep
    of this kind, at least one of these inputs is not 0. All other timesteps are of the kind `unmarked`.

    A forecasting task has a `series`, and `sequences` draws from its training part. A task with `names` draws whole
    names or words, of any length, and their timesteps after the end are of no kind. A task with a `handover` is learned
    by an encoder and a decoder.
    """

    encoder: Encoder
    kind: Literal["softmax", "linear"]
    labels: tuple[str, ...]
    sequences: Callable[[Random, int, int], Array]
    answers: Callable[[Array], tuple[Target, Mask]]
    marked: Mapping[str, slice | list[int]]
    unmarked: str
    series: Series | None = None
    names: Surnames | NextLetters | ReversedWords | None = None
    handover: Handover | None = None

    @property
    def baselines(self) -> Mapping[str, float]:
        """The held-out scores of the baselines, empty if the task has none."""
        recorded = self.series or self.names
        return {} if recorded is None else recorded.baselines

    @property
    def writes(self) -> bool:
        """Whether each answer is the next input, so that a model of the task can write."""
        return self.series is not None or isinstance(self.names, NextLetters | ReversedWords)

    @property
    def recorded(self) -> bool:
        """Whether the sequences are recorded data. Then inputs alone do not determine the answers."""
        return self.series is not None or isinstance(self.names, Surnames | NextLetters)

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` sequences of `T` timesteps, with their answers. Names have lengths of their own."""
        if self.names is not None:
            x, target, scored = self.names.draw(rng, B)
            return Batch(x, target, scored, self.events(x))
        x = self.sequences(rng, T, B)
        return Batch(x, *self.answers(x), self.events(x))

    def held_out(self, rng: Random, T: int, B: int) -> Batch:
        """Return held-out sequences. They are drawn in the same way as the training sequences.

        A forecasting task has one held-out sequence, a task with names has all held-out names, and the arguments have
        no effect.
        """
        if self.names is not None:
            x, target, scored = self.names.held_out()
            return Batch(x, target, scored, self.events(x))
        if self.series is None:
            return self.draw(rng, T, B)
        x = self.series.held_out()
        return Batch(x, *self.answers(x), self.events(x))

    def events(self, x: Array) -> dict[str, Mask]:
        """Return the timesteps of each kind in inputs `(T, I)` or `(T, B, I)`, as masks `(T,)` or `(T, B)`.

        Each timestep is of exactly one kind, except after the end of a name.
        """
        events: dict[str, Mask] = {}
        remaining = np.ones(x.shape[:-1], bool) if self.names is None else np.asarray(x.any(-1))
        for event, inputs in self.marked.items():
            events[event] = remaining & x[..., inputs].any(-1)
            remaining = remaining & ~events[event]
        return events | {self.unmarked: remaining}

    def text(self, rng: Random, T: int) -> str:
        """Draw one sequence, and return it as a person would type it. A name is one of the held-out names."""
        if self.names is not None:
            return self.names.held_out_texts[int(rng.integers(len(self.names.held_out_texts)))]
        return self.encoder.write(self.draw(rng, T, 1).x[:, 0])


def _any(x: Array) -> Mask:
    """Return the mask of the timesteps at which at least one of the inputs is on."""
    return np.asarray((x > 0).any(-1))


def _last(event: Mask, value: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """Return, for every timestep, the value at the latest event. Timestep 0 counts as an event."""
    steps = np.arange(len(event)).reshape(-1, *[1] * (event.ndim - 1))
    latest = np.maximum.accumulate(np.where(event, steps, 0), axis=0)
    return np.take_along_axis(value, latest, axis=0)


FLIP_FLOP = Symbols(("A", "B", "m", "p", "s", "."))


def flip_flop(rng: Random, T: int, B: int) -> Array:
    """Draw small letters and periods, with a capital letter at the start and then with probability 0.12."""
    write = rng.random((T, B)) < 0.12
    write[0] = True
    bit = rng.integers(0, 2, (T, B))
    return np.eye(6)[np.where(write, bit, rng.integers(2, 6, (T, B)))]


def last_capital(x: Array) -> tuple[Target, Mask]:
    """Return the last capital at every timestep, scored from the first capital on."""
    write = _any(x[..., :2])
    return _last(write, x[..., :2].argmax(-1)), np.logical_or.accumulate(write)


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
    """Return the last loaded number plus all numbers added since. Each sum is clipped to ±1. The start value is 0."""
    value, load, add = np.moveaxis(x, -1, 0)
    target, total = np.empty(value.shape), np.zeros(value.shape[1:])
    for t in range(len(x)):
        total = np.where(load[t], value[t], np.where(add[t], np.clip(total + value[t], -1, 1), total))
        target[t] = total
    return target, np.ones(value.shape, bool)


TOTAL = Numbers((Operator("=", "start again from it", (1,)), Operator("", "add it", (0,))))


def running_total(rng: Random, T: int, B: int) -> Array:
    """Draw numbers. The first has a flag, and each later one has it with probability 0.15."""
    restart = rng.random((T, B)) < 0.15
    restart[0] = True
    return np.stack([rng.uniform(-0.3, 0.3, (T, B)), restart], -1)


def added_up(x: Array) -> tuple[Target, Mask]:
    """Return the sum of the numbers since the last flag. It includes the number with the flag."""
    value, restart = np.moveaxis(x, -1, 0)
    target, total = np.empty(value.shape), np.zeros(value.shape[1:])
    for t in range(len(x)):
        total = np.where(restart[t], value[t], total + value[t])
        target[t] = total
    return target, np.ones(value.shape, bool)


STORE = Symbols(("a", "b", "c", "d", "A", "B", "C", "D", "?"))


def store_and_recall(rng: Random, T: int, B: int) -> Array:
    """Draw small letters as noise, capitals to store (with probability 0.10) and `?` to ask for them (0.15).

    The first symbol is a capital.
    """
    kind = rng.random((T, B))
    write, recall = kind < 0.10, (kind >= 0.10) & (kind < 0.25)
    write[0], recall[0] = True, False
    item = rng.integers(0, 4, (T, B))
    return np.eye(9)[np.where(write, 4 + item, np.where(recall, 8, item))]


def recalled(x: Array) -> tuple[Target, Mask]:
    """Return the last capital, scored at each `?` after a capital."""
    write = _any(x[..., 4:8])
    scored = _any(x[..., 8:]) & np.logical_or.accumulate(write)
    return _last(write, x[..., 4:8].argmax(-1)), scored


GOOD, BAD, FILLERS = ("good", "great", "lovely"), ("bad", "awful", "dull"), ("the", "film", "was", "a", "very")
SENTIMENT = Symbols((*GOOD, *BAD, "not", ".", *FILLERS))


def sentiment(rng: Random, T: int, B: int) -> Array:
    """Draw words of opinion, `not`, `.` and fillers."""
    kind = rng.random((T, B))
    opinion, flip = kind < 0.25, (kind >= 0.25) & (kind < 0.42)
    stop = (kind >= 0.42) & (kind < 0.52)
    symbol = rng.integers(8, len(SENTIMENT.alphabet), (T, B))
    symbol[opinion] = rng.integers(0, 6, int(opinion.sum()))
    symbol[flip], symbol[stop] = 6, 7
    return np.eye(SENTIMENT.inputs)[symbol]


def latest_opinion(x: Array) -> tuple[Target, Mask]:
    """Return the latest opinion: 0 negative, 1 neutral, 2 positive.

    `not` reverses the next word of opinion, and `.` makes the opinion neutral.
    """
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


# The tasks of the experiments. Each tests one ability of a cell.

GAP = Symbols(("A", "B", "a", "b", "c", "d"))


def over_a_gap(rng: Random, T: int, B: int) -> Array:
    """Draw a capital letter, then noise until the end."""
    symbol = rng.integers(2, 6, (T, B))
    symbol[0] = rng.integers(0, 2, B)
    return np.asarray(np.eye(6)[symbol])


def remembered(x: Array) -> tuple[Target, Mask]:
    """Return the last capital, scored at the last timestep."""
    target, scored = last_capital(x)
    return target, _at_the_end(scored)


def _at_the_end(mask: Mask) -> Mask:
    """Return the mask with only its last timestep."""
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
    """Return the k-th item at the k-th question mark, scored at each question mark that has an earlier k-th item."""
    question, item = _any(x[..., 4:]), x[..., :4].argmax(-1)
    k = np.cumsum(question, 0) - 1
    item_count = np.cumsum(~question, 0)[-1]
    order = np.argsort(question, axis=0, kind="stable")  # the timesteps of the items, then the other timesteps
    item_step = np.take_along_axis(order, np.clip(k, 0, len(x) - 1), 0)
    steps = np.arange(len(x)).reshape(-1, *[1] * (question.ndim - 1))
    scored = question & (k < item_count) & (steps > item_step)
    return np.take_along_axis(item, item_step, 0), scored


ADDING = Numbers((Operator("=", "add it", (1,)), Operator("", "ignore it", (0,))))


def two_marked(rng: Random, T: int, B: int) -> Array:
    """Draw numbers. One in each half is marked, as in the adding problem (Hochreiter and Schmidhuber 1997)."""
    mark = np.zeros((T, B))
    half = max(1, T // 2)
    mark[rng.integers(0, half, B), np.arange(B)] = 1
    mark[rng.integers(half, T, B), np.arange(B)] = 1
    return np.stack([rng.uniform(-0.5, 0.5, (T, B)), mark], -1)


def sum_of_marked(x: Array) -> tuple[Target, Mask]:
    """Return the sum of the marked numbers, scored at the last timestep."""
    value, mark = np.moveaxis(x, -1, 0)
    return np.cumsum(value * (mark > 0), 0), _at_the_end(np.ones(value.shape, bool))


PARITY = Symbols(("0", "1"))


def bits(rng: Random, T: int, B: int) -> Array:
    """Draw the bits 0 and 1 with equal probability."""
    return np.asarray(np.eye(2)[rng.integers(0, 2, (T, B))])


def parity(x: Array) -> tuple[Target, Mask]:
    """Return whether the number of ones so far is even (0) or odd (1)."""
    ones = _any(x[..., 1:])
    return np.cumsum(ones, 0) % 2, np.ones(ones.shape, bool)


BRACKETS, DEEPEST = Symbols(("(", ")", "m")), 4


def nested(rng: Random, T: int, B: int) -> Array:
    """Draw brackets that open and close among the letter m, with at most DEEPEST open at once."""
    symbol, depth, kind = np.empty((T, B), int), np.zeros(B, int), rng.random((T, B))
    for t in range(T):
        opens = (kind[t] < 0.4) & (depth < DEEPEST)
        closes = ~opens & (kind[t] < 0.7) & (depth > 0)
        symbol[t] = np.where(opens, 0, np.where(closes, 1, 2))
        depth += opens.astype(int) - closes
    return np.eye(3)[symbol]


def depth(x: Array) -> tuple[Target, Mask]:
    """Return the number of open brackets, at most DEEPEST."""
    opens, closes = _any(x[..., :1]), _any(x[..., 1:2])
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
    """Return the letter DELAY timesteps earlier; at the first timesteps, the first letter."""
    letter = x.argmax(-1)
    return letter[np.maximum(0, np.arange(len(x)) - DELAY)], np.ones(letter.shape, bool)


COUNTING = Symbols(("a", "b", "."))


def a_then_b(n: npt.NDArray[np.int_], start: npt.NDArray[np.int_], T: int) -> Array:
    """Return periods with n times a and then n + 1 times b from timestep `start` (from 0): `(T, B, 3)`."""
    t = np.arange(T)[:, None] - start
    return np.asarray(np.eye(3)[np.select([(t < 0) | (t > 2 * n), t < n], [2, 0], 1)])


def some_a_then_b(rng: Random, T: int, B: int) -> Array:
    """Draw n times a and then n + 1 times b, among periods. n is from 1 to (T − 1) // 2."""
    n = rng.integers(1, max(1, (T - 1) // 2) + 1, B)
    return a_then_b(n, rng.integers(0, np.maximum(0, T - 2 * n - 1) + 1), T)


def compared_counts(x: Array) -> tuple[Target, Mask]:
    """Return whether the b's so far are fewer than the a's (0), as many (1) or more (2), scored at each b."""
    ahead = np.cumsum(x[..., 1] - x[..., 0], 0)
    return np.sign(ahead).astype(int) + 1, _any(x[..., 1:2])


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

SUNSPOTS = sunspots()

FORECASTS: dict[str, Task] = {
    "sunspots": Task(
        Scaled(1, scale=SUNSPOT_SCALE, unit="sunspots"), "linear", (f"next year's sunspots ÷ {SUNSPOT_SCALE}",),
        SUNSPOTS.windows, next_number, {}, "year", SUNSPOTS,
    ),
}  # fmt: skip
"""The forecasting tasks by name."""

SURNAMES = surnames()


NEXT_LETTERS = NextLetters(SURNAMES)


NAME_TASKS: dict[str, Task] = {
    "names": Task(
        Letters(ALPHABET), "softmax", SURNAMES.languages, lambda rng, T, B: SURNAMES.draw(rng, B)[0], no_answers,
        {"vowel": VOWELS}, "consonant", names=SURNAMES,
    ),
    "name-writer": Task(
        Letters(NEXT_LETTERS.alphabet), "softmax", (*ALPHABET, END), lambda rng, T, B: NEXT_LETTERS.draw(rng, B)[0],
        no_answers, {"language": np.s_[26:], "vowel": VOWELS}, "consonant", names=NEXT_LETTERS,
    ),
}  # fmt: skip
"""The tasks with surnames by name."""

_WORDS = ReversedWords()

WORD_TASKS: dict[str, Task] = {
    "reversed-words": Task(
        Symbols(ALL_LETTERS), "softmax", LABELS, lambda rng, T, B: _WORDS.draw(rng, B)[0], reversed_letters,
        {"letter": HANDOVER.read, "handover": HANDOVER.sign}, "written letter", names=_WORDS, handover=HANDOVER,
    ),
}  # fmt: skip
"""The tasks for an encoder and a decoder by name."""

TAGGING: dict[str, Task] = {
    "tagger": Task(FLIP_FLOP, "softmax", tagging.LABELS, tagging.letters, tagging.tags, {"write": np.s_[:2]}, "other"),
}
"""The tasks with answers that depend on later inputs, by name."""

ALL = TASKS | EXPERIMENT_TASKS | FORECASTS | NAME_TASKS | WORD_TASKS | TAGGING

MEANINGS = {"write": "capital letter", "hold": "number to ignore", "filler": "word that does not change the opinion"}
"""The meanings of the kinds of timesteps that have unclear names."""


def explained(kind: str) -> str:
    """Return the name of a kind of timesteps, with its meaning if the name is unclear."""
    return f"{kind} ({MEANINGS[kind]})" if kind in MEANINGS else kind


def regressions_of(model: Model) -> Mapping[str, Array]:
    """Return the weights of the linear autoregressions that the model's forecasts are compared with, by name."""
    task = task_of(model)
    if task is None or task.series is None:
        return {name: np.array(weights) for name, weights in model.card.regressions.items()}
    return task.series.regressions


def task_of(model: Model) -> Task | None:
    """Return the built-in task that the model's card names. None if there is none, or if inputs or outputs differ."""
    task, readout = ALL.get(model.card.task), model.readout
    if task is None or (task.encoder, task.kind, task.labels) != (model.encoder, readout.kind, readout.labels):
        return None
    return task
