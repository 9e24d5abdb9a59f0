"""Reversed words: an encoder reads a word letter by letter, and a decoder writes it backwards in capital letters.

    b a c > C A B

At the sign > the encoder hands its state over, and the decoder gives the first letter. Each answer is the next input,
and the last answer is the end. A fifth of all words is held out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import product

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.training.handover import FAR, Handover
from gru_core.training.names import END, SPLIT_SEED, Integers

LETTERS = "abc"
SIGN = ">"
LENGTHS = range(2, 6)
"""The numbers of letters of the words in training, and of the held-out words."""

LONGER = range(6, 10)
"""Numbers of letters that no word in training has."""

ALPHABET = (*LETTERS, SIGN, *LETTERS.upper())
LABELS = (*LETTERS.upper(), END)

HANDOVER = Handover(np.s_[: len(LETTERS)], np.s_[len(LETTERS) : len(LETTERS) + 1], np.s_[len(LETTERS) + 1 :])


class ReversedWords:
    """All words of LENGTHS letters. A fifth of them is held out."""

    scored = "every timestep from > on counts"

    @cached_property
    def _parts(self) -> tuple[list[str], list[str]]:
        words = ["".join(letters) for n in LENGTHS for letters in product(LETTERS, repeat=n)]
        words = [words[i] for i in np.random.default_rng(SPLIT_SEED).permutation(len(words))]
        return words[len(words) // 5 :], words[: len(words) // 5]

    @cached_property
    def training(self) -> Mapping[int, list[str]]:
        """The training words by their number of letters."""
        return {n: [word for word in self._parts[0] if len(word) == n] for n in LENGTHS}

    @property
    def held_out_words(self) -> list[str]:
        return self._parts[1]

    @property
    def held_out_texts(self) -> list[str]:
        return [" ".join(tokens_of(word)) for word in self.held_out_words]

    @property
    def facts(self) -> Mapping[str, str]:
        """What the data are, for a card."""
        trained, held_out = map(len, self._parts)
        words = f"{trained + held_out:,} words of {LENGTHS[0]} to {LENGTHS[-1]} letters from {', '.join(LETTERS)}"
        return {
            "words": f"{words}: {trained:,} for training, {held_out:,} held out",
            "not trained": f"weights of ±{FAR:g}, which hold the gates of the idle half open or closed, and weights of "
            "0 between the halves",
        }

    @property
    def baselines(self) -> Mapping[str, float]:
        return {}

    def draw(self, rng: np.random.Generator, B: int) -> tuple[Array, Integers, Mask]:
        """Draw `B` training words, all lengths equally likely: inputs `(T, B, I)`, answers and `scored`."""
        drawn = [self.training[int(n)] for n in rng.integers(LENGTHS.start, LENGTHS.stop, B)]
        return batch(words[int(rng.integers(len(words)))] for words in drawn)

    def held_out(self) -> tuple[Array, Integers, Mask]:
        """Return all held-out words: inputs `(T, N, I)`, answers and `scored`."""
        return batch(self.held_out_words)

    def of_length(self, n: int) -> tuple[Array, Integers, Mask]:
        """Return words of `n` letters, in the same form: the held-out words, or 500 random ones of LONGER letters."""
        rng = np.random.default_rng(n)
        if n in LENGTHS:
            return batch(word for word in self.held_out_words if len(word) == n)
        return batch("".join(rng.choice([*LETTERS], n)) for _ in range(500))


def tokens_of(word: str) -> list[str]:
    """Return the timesteps of a word and its answer."""
    return [*word, SIGN, *reversed(word.upper())]


def batch(words: Iterable[str]) -> tuple[Array, Integers, Mask]:
    """Return words as inputs `(T, N, I)`, with their answers and `scored`. All inputs are 0 after the end."""
    sequences = [tokens_of(word) for word in words]
    x = np.zeros((max(map(len, sequences)), len(sequences), len(ALPHABET)))
    for b, tokens in enumerate(sequences):
        x[np.arange(len(tokens)), b, [ALPHABET.index(token) for token in tokens]] = 1
    return x, *reversed_letters(x)


def reversed_letters(x: Array) -> tuple[Integers, Mask]:
    """Return the letters before the sign, in reverse, at the sign and after it, and then the end.

    A timestep has an answer if only letters come before the sign, and only capital letters between it and the timestep.
    """
    places = np.where(x.any(-1), x.argmax(-1), -1)
    target, scored = np.zeros(places.shape, int), np.zeros(places.shape, bool)
    A = len(LETTERS)
    for b in np.ndindex(places.shape[1:]):
        sequence = places[:, *b]
        others = np.flatnonzero((sequence < 0) | (sequence >= A))
        n = int(others[0]) if len(others) else len(sequence)
        if n == len(sequence) or sequence[n] != A:
            continue
        answers = [*sequence[:n][::-1], A]
        for t, answer in zip(range(n, len(sequence)), answers, strict=False):
            if t > n and sequence[t] <= A:
                break
            target[t, *b], scored[t, *b] = answer, True
    return target, scored
