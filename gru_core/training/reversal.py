"""Reversed words: an encoder reads a word letter by letter, and a decoder writes it backwards in capital letters.

    b a c > C A B

At the sign > the encoder hands over its state, and the decoder gives the first letter. Each answer is the next input,
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
"""The lengths of the training words and of the held-out words, in letters."""

LONGER = range(6, 10)
"""Lengths of test words that are longer than all training words, in letters."""

ALPHABET = (*LETTERS, SIGN, *LETTERS.upper())
LABELS = (*LETTERS.upper(), END)

HANDOVER = Handover(np.s_[: len(LETTERS)], np.s_[len(LETTERS) : len(LETTERS) + 1], np.s_[len(LETTERS) + 1 :])


class ReversedWords:
    """All words with a length in LENGTHS. A fifth of the words is held out."""

    scored = "every timestep from > on counts"

    @cached_property
    def _parts(self) -> tuple[list[str], list[str]]:
        words = ["".join(letters) for n in LENGTHS for letters in product(LETTERS, repeat=n)]
        words = [words[i] for i in np.random.default_rng(SPLIT_SEED).permutation(len(words))]
        return words[len(words) // 5 :], words[: len(words) // 5]

    @cached_property
    def training(self) -> Mapping[int, list[str]]:
        """The training words, by length."""
        return {n: [word for word in self._parts[0] if len(word) == n] for n in LENGTHS}

    @property
    def held_out_words(self) -> list[str]:
        return self._parts[1]

    @property
    def held_out_texts(self) -> list[str]:
        return [" ".join(tokens_of(word)) for word in self.held_out_words]

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts about the data, for a card."""
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
        """Return the inputs `(T, B, I)`, the answers and the mask `scored` of `B` random training words.

        All lengths are equally likely.
        """
        drawn = [self.training[int(n)] for n in rng.integers(LENGTHS.start, LENGTHS.stop, B)]
        return batch(words[int(rng.integers(len(words)))] for words in drawn)

    def held_out(self) -> tuple[Array, Integers, Mask]:
        """Return the inputs `(T, N, I)`, the answers and the mask `scored` of all held-out words."""
        return batch(self.held_out_words)

    def of_length(self, n: int) -> tuple[Array, Integers, Mask]:
        """Return the inputs `(T, N, I)`, the answers and the mask `scored` of words with `n` letters.

        The words are the held-out words of this length or, for a length outside LENGTHS, 500 random words.
        """
        rng = np.random.default_rng(n)
        if n in LENGTHS:
            return batch(word for word in self.held_out_words if len(word) == n)
        return batch("".join(rng.choice([*LETTERS], n)) for _ in range(500))


def tokens_of(word: str) -> list[str]:
    """Return the timesteps of a sequence: a word, the sign, and the reversed word in capital letters."""
    return [*word, SIGN, *reversed(word.upper())]


def batch(words: Iterable[str]) -> tuple[Array, Integers, Mask]:
    """Return the inputs `(T, N, I)`, the answers and the mask `scored` of words.

    All inputs are 0 after the end of a sequence.
    """
    sequences = [tokens_of(word) for word in words]
    x = np.zeros((max(map(len, sequences)), len(sequences), len(ALPHABET)))
    for b, tokens in enumerate(sequences):
        x[np.arange(len(tokens)), b, [ALPHABET.index(token) for token in tokens]] = 1
    return x, *reversed_letters(x)


def reversed_letters(x: Array) -> tuple[Integers, Mask]:
    """Return the answer at every timestep, and the mask `scored` of the timesteps that have an answer.

    From the sign on, the answers are the letters before the sign in reverse order, and then the end. A timestep has an
    answer only if all inputs before the sign are small letters, and all inputs after the sign are capital letters, up
    to and including the timestep.
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
