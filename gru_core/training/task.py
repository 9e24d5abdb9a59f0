"""A task: random or recorded sequences with their correct answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoder import Encoder
from gru_core.training.handover import Handover
from gru_core.training.names import NextLetters, Surnames
from gru_core.training.reversal import ReversedWords
from gru_core.training.series import Series

Random = np.random.Generator
Target = npt.NDArray[np.int_] | Array


@dataclass(frozen=True)
class Batch:
    """Sequences with their answers.

    `x` `(T, B, I)` are the inputs. `target` `(T, B)` has a class for a softmax readout, and a number for a linear one.
    `scored` `(T, B)` is the mask of the answers that count. `events` has a mask `(T, B)` for each kind of timestep.
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
    """The part of a task that training needs: the two methods that draw sequences."""

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` training sequences of `T` timesteps."""

    def held_out(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` held-out sequences of `T` timesteps."""


@dataclass(frozen=True)
class Task:
    """A task: its sequences, its answers, and the kinds of its timesteps.

    `sequences(rng, T, B)` draws inputs `(T, B, I)`. `answers` returns `target` and `scored`, as in a `Batch`, for any
    inputs `(T, I)` or `(T, B, I)`. `marked` maps each kind of timestep to the indices of some inputs. A timestep is of
    this kind if at least one of these inputs is not 0. If it fits several kinds, the first one counts. All remaining
    timesteps are of the kind `unmarked`.

    A forecasting task has a `series`, and `sequences` draws from its training part. A task with `names` draws whole
    names or words, of any length. The timesteps after the end of a name are of no kind. A task with a `handover` needs
    a network with an encoder and a decoder.
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
        """The held-out scores of the baselines, by name; empty if the task has no baselines."""
        recorded = self.series or self.names
        return {} if recorded is None else recorded.baselines

    @property
    def writes(self) -> bool:
        """Whether each answer is the next input, which means that a model of this task can write."""
        return self.series is not None or isinstance(self.names, NextLetters | ReversedWords)

    @property
    def recorded(self) -> bool:
        """Whether the sequences are recorded data, for which the inputs alone do not determine the answers."""
        return self.series is not None or isinstance(self.names, Surnames | NextLetters)

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` sequences of `T` timesteps, with their answers. In a task with names, `T` has no effect."""
        if self.names is not None:
            x, target, scored = self.names.draw(rng, B)
            return Batch(x, target, scored, self.events(x))
        x = self.sequences(rng, T, B)
        return Batch(x, *self.answers(x), self.events(x))

    def held_out(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` held-out sequences of `T` timesteps, drawn in the same way as the training sequences.

        A forecasting task returns its one held-out sequence, and a task with names returns all held-out names. In these
        tasks, the arguments have no effect.
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
        """Return a random sequence as a person would type it. A task with names returns a held-out name."""
        if self.names is not None:
            return self.names.held_out_texts[int(rng.integers(len(self.names.held_out_texts)))]
        return self.encoder.write(self.draw(rng, T, 1).x[:, 0])


MEANINGS = {"write": "capital letter", "hold": "number to ignore", "filler": "word that does not change the opinion"}
"""Explanations of the kinds of timestep that have unclear names."""


def explained(kind: str) -> str:
    """Return the name of a kind of timestep, followed by an explanation if the name is unclear."""
    return f"{kind} ({MEANINGS[kind]})" if kind in MEANINGS else kind
