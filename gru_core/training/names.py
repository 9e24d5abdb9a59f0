"""Surnames by language: each timestep reads a letter, and the answer is the list that the name is from.

`surnames.csv` has the surname lists of Faker 40.63.0 (MIT, see surnames.LICENSE) for twelve languages, as letters from
a to z (`encoder.letters_of`). Names with fewer than 3 or more than 16 letters are left out, and so are names in several
lists. Faker forms Icelandic names from a stem with -son or -dóttir. The file has each stem once, with one ending.

    majority         always name the language with the most held-out names
    letter bigrams   P(language) Π P(letter | letter before it, language), counts plus 1, all languages equally likely
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask

ALPHABET = tuple("abcdefghijklmnopqrstuvwxyz")
VOWELS = [ALPHABET.index(letter) for letter in "aeiouy"]

LONGEST = 16
"""The number of letters in the longest names of the lists."""

SOURCE = "surname lists of Faker 40.63.0 (MIT), in letters from a to z, without names that are in several lists"

END = "."
"""The label for the end of a text. It is never an input."""

SPLIT_SEED = 28
"""The seed that decides which fifth of each list is held out."""

EARLIER = 0.1
"""The probability with which a letter before the last one is scored in training."""

Integers = npt.NDArray[np.int_]


@dataclass(frozen=True)
class Surnames:
    """Lists of surnames by language. A fifth of each list is held out.

    The last letter of a name is always scored. Earlier letters are scored rarely in training, and never on held-out
    names.
    """

    lists: Mapping[str, tuple[str, ...]]
    scored = f"the last letter of a name always counts, each earlier one with probability {EARLIER:g}"

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts about the data, for a card."""
        return {"sources": SOURCE, "names": self.counts, "related names": self.related}

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.lists)

    @property
    def counts(self) -> str:
        """The number of names in each list, as text."""
        counts = ", ".join(f"{language} {len(names):,}" for language, names in self.lists.items())
        return f"{counts}. A fifth of each list is held out"

    @property
    def related(self) -> str:
        """The number of held-out Slovak names with a male or female form among the training names, as text."""
        k = self.languages.index("Slovak")
        training, held_out = set(self.training[k]), self._parts[1][k]
        women = {form for name in training for form in female_forms(name)}
        known = [name for name in held_out if name in women or not training.isdisjoint(female_forms(name))]
        return (
            f"{len(known)} of the {len(held_out)} held-out Slovak names have their male or female form among the "
            "training names (tatar and tatarova)"
        )

    @cached_property
    def _parts(self) -> tuple[list[list[str]], list[list[str]]]:
        rng = np.random.default_rng(SPLIT_SEED)
        shuffled = [[names[i] for i in rng.permutation(len(names))] for names in self.lists.values()]
        return [names[len(names) // 5 :] for names in shuffled], [names[: len(names) // 5] for names in shuffled]

    @property
    def training(self) -> list[list[str]]:
        """The training names of each language."""
        return self._parts[0]

    @cached_property
    def held_out_names(self) -> list[tuple[str, int]]:
        """Pairs of a held-out name and the index of its language, in random order."""
        pairs = [(name, k) for k, names in enumerate(self._parts[1]) for name in names]
        return [pairs[i] for i in np.random.default_rng(SPLIT_SEED).permutation(len(pairs))]

    def draw(self, rng: np.random.Generator, B: int) -> tuple[Array, Integers, Mask]:
        """Return the inputs `(T, B, I)`, the languages and the mask `scored` of `B` random training names.

        All languages are equally likely.
        """
        names, languages = zip(*self.pick(rng, B), strict=True)
        x = inputs_of(names)
        scored = x.any(-1) & ((rng.random(x.shape[:2]) < EARLIER) | last_letter(x))
        return x, np.broadcast_to(np.array(languages), x.shape[:2]), scored

    def pick(self, rng: np.random.Generator, B: int) -> list[tuple[str, int]]:
        """Return `B` random training names with the indices of their languages. All languages are equally likely."""
        languages = rng.integers(0, len(self.lists), B)
        return [(self.training[k][int(rng.integers(len(self.training[k])))], int(k)) for k in languages]

    @property
    def held_out_texts(self) -> list[str]:
        return [name for name, _ in self.held_out_names]

    def held_out(self) -> tuple[Array, Integers, Mask]:
        """Return the inputs `(T, N, I)` and languages `(T, N)` of all held-out names, and the mask of last letters."""
        names, languages = zip(*self.held_out_names, strict=True)
        x = inputs_of(names)
        return x, np.broadcast_to(np.array(languages), x.shape[:2]), last_letter(x)

    @cached_property
    def baselines(self) -> Mapping[str, float]:
        """The accuracy of each baseline on the held-out names."""
        languages = np.array([k for _, k in self.held_out_names])
        guesses = np.array([self._likeliest(name) for name, _ in self.held_out_names])
        return {
            "majority": float(np.bincount(languages).max() / len(languages)),
            "letter bigrams": float((guesses == languages).mean()),
        }

    @cached_property
    def bigrams(self) -> Array:
        """The logarithm of P(letter | letter before it) by language, `(K, 27, 27)`.

        Index 26 stands for the start or the end of a name.
        """
        counts = np.ones((len(self.lists), 27, 27))
        for k, names in enumerate(self.training):
            for name in names:
                np.add.at(counts[k], _pairs(name), 1)
        logarithms: Array = np.log(counts / counts.sum(-1, keepdims=True))
        return logarithms

    def _likeliest(self, name: str) -> int:
        return int(self.bigrams[:, *_pairs(name)].sum(-1).argmax())


@dataclass(frozen=True)
class NextLetters:
    """The task of writing surnames: timestep 1 reads a language, and each answer is the next letter or the end."""

    surnames: Surnames
    scored = "every timestep counts"

    @property
    def facts(self) -> Mapping[str, str]:
        return self.surnames.facts

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The letters, and a word for each language."""
        return (*ALPHABET, *map(str.lower, self.surnames.languages))

    @property
    def held_out_texts(self) -> list[str]:
        return [f"{self.alphabet[26 + k]} {name}" for name, k in self.surnames.held_out_names]

    def draw(self, rng: np.random.Generator, B: int) -> tuple[Array, Integers, Mask]:
        """Return the inputs `(T, B, I)`, the answers and the mask `scored` of `B` random training names.

        All languages are equally likely.
        """
        return self._batch(self.surnames.pick(rng, B))

    def held_out(self) -> tuple[Array, Integers, Mask]:
        """Return the inputs `(T, N, I)` and the answers of all held-out names, and a mask that is false at padding."""
        return self._batch(self.surnames.held_out_names)

    @cached_property
    def baselines(self) -> Mapping[str, float]:
        """The accuracy of a baseline that names the likeliest next letter, given the language and the last letter."""
        guesses = self.surnames.bigrams.argmax(-1)
        steps = [(k, *pair) for name, k in self.surnames.held_out_names for pair in zip(*_pairs(name), strict=True)]
        right = [guesses[k, letter] == next_letter for k, letter, next_letter in steps]
        return {"letter bigrams": float(np.mean(right))}

    def _batch(self, pairs: list[tuple[str, int]]) -> tuple[Array, Integers, Mask]:
        T = max(len(name) for name, _ in pairs) + 1
        x, target = np.zeros((T, len(pairs), len(self.alphabet))), np.zeros((T, len(pairs)), int)
        for b, (name, k) in enumerate(pairs):
            places = _places(name)
            x[np.arange(len(name) + 1), b, [26 + k, *places]] = 1
            target[: len(name) + 1, b] = [*places, 26]
        return x, target, np.asarray(x.any(-1))


def inputs_of(names: list[str] | tuple[str, ...]) -> Array:
    """Return the inputs `(T, N, I)` of names. All inputs are 0 after the end of a name."""
    x: Array = np.zeros((max(map(len, names)), len(names), len(ALPHABET)))
    for b, name in enumerate(names):
        x[np.arange(len(name)), b, _places(name)] = 1
    return x


def last_letter(x: Array) -> Mask:
    """Return the mask `(T, N)` of the last letter of each name in inputs `(T, N, I)`."""
    letter = np.asarray(x.any(-1))
    follows = np.zeros_like(letter)
    follows[:-1] = letter[1:]
    return letter & ~follows


def no_answers(x: Array) -> tuple[Integers, Mask]:
    """Return zeros and an all-false mask, because the letters alone do not determine any answer."""
    return np.zeros(x.shape[:-1], int), np.zeros(x.shape[:-1], bool)


def female_forms(name: str) -> set[str]:
    """Return the possible female forms of a Slovak surname: for hudec, the forms are hudecova and hudcova."""
    forms = {f"{name}ova"}
    if name[-1] in "aeiouy":
        forms.add(f"{name[:-1]}ova")
    if name[-1] == "y":
        forms.add(f"{name[:-1]}a")
    if name[-2] == "e":
        forms.add(f"{name[:-2]}{name[-1]}ova")
    return forms


def _places(name: str) -> list[int]:
    return [ord(letter) - ord("a") for letter in name]


def _pairs(name: str) -> tuple[list[int], list[int]]:
    places = [26, *_places(name), 26]
    return places[:-1], places[1:]


def surnames() -> Surnames:
    """Return the lists of the twelve languages."""
    with (Path(__file__).parent / "surnames.csv").open(encoding="utf-8", newline="") as file:
        return Surnames({row["language"]: tuple(row["surnames"].split()) for row in csv.DictReader(file)})
