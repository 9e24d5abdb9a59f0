"""The recipes of the GRU presets. `gruscope train NAME` runs a recipe again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gru_core.card import Card
from gru_core.cells.registry import CELLS
from gru_core.experiments import BASES
from gru_core.model import Model
from gru_core.presets import PENALIZED, plain
from gru_core.training.fit import NO_PENALTIES, Penalties, Schedule
from gru_core.training.names import LONGEST
from gru_core.training.recipe import Recipe, task_for
from gru_core.training.reversal import LENGTHS
from gru_core.training.series import TRAINING_YEARS
from gru_core.training.task import Batch
from gru_core.training.tasks import FORECASTS, SUNSPOTS, task_of

FRESH_SEED = 1_000_000
"""The seed of the held-out sequences for a card is this number plus the seed of the recipe."""


@dataclass(frozen=True)
class Preset:
    """A preset: its recipe, and the texts of its card.

    If `moved` is true, the reset gate of the trained GRU is moved after the product. All weights stay the same.
    """

    title: str
    about: str
    question: str
    examples: tuple[str, ...]
    recipe: Recipe
    reading: str = ""
    moved: bool = False

    @property
    def card(self) -> Card:
        """The card of the model before training."""
        return Card(
            self.title, self.recipe.task, self.about, self.question, "random", "untrained",
            examples=self.examples, reading=self.reading,
        )  # fmt: skip


_READABLE = (
    Preset(
        title="Flip-flop",
        about="remember the last capital letter, A or B, and ignore everything else",
        question="What does the unit do when it reads an m?",
        reading="After a B the state h is high, after an A it is low.",
        examples=("A m m p B s . A p m m B . s", "B B A m m m m m m m m m m m m m", "A B A B m p s .", "m p A . s B"),
        recipe=Recipe(
            "flip-flop",
            units=1,
            seed=10,
            schedule=Schedule(reach=1.0, after=600),
            biases={"z": -1.0},
            penalties=Penalties(z=0.05),
        ),
    ),
    Preset(
        title="Pocket calculator",
        about="load a number (=v), add a number (+v), and ignore a number without = or + (v)",
        question="Which gate distinguishes loading from adding?",
        reading="The state h follows the stored value.",
        examples=(
            "=0.3 +0.2 0.35 -0.1 +-0.4 0.2 =-0.2 +0.3 +0.3",
            "=0.4 0.1 -0.3 0.2 -0.4 0.3 0.1 -0.2",
            "=0.1 +0.1 +0.1 +0.1 +0.1 +0.1",
            "=0.4 =-0.4 =0.2 =-0.1",
        ),
        recipe=Recipe(
            "pocket-calculator",
            units=1,
            seed=7,
            schedule=Schedule(reach=0.003, after=1500),
            biases={"r": 1.0},
            penalties=Penalties(z=0.01, r=0.002),
        ),
    ),
    Preset(
        title="Running total",
        about="add up the numbers; a number written =v starts a new sum at v",
        question="How does the unit drop the old sum when a new sum starts?",
        reading="The state h follows the sum.",
        examples=(
            "=0.2 0.1 0.25 -0.1 =0.05 0.2 0.2 -0.3 =-0.2 0.1",
            "=0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1",
            "=0.3 -0.3 0.3 -0.3 0.3",
            "=0.3 =0.2 =0.1 =-0.1",
        ),
        recipe=Recipe("running-total", units=1, seed=10, schedule=Schedule(reach=0.003, after=1000)),
    ),
    Preset(
        title="Store and recall",
        about="remember the last capital letter, ignore the small letters, and name the capital at each question mark",
        question="Does each of the four units store the letter, or do they share the work?",
        reading="Only the output at a question mark counts.",
        examples=("A b c ? d a C b ? a ? B d d ?", "D a b c d a b c d ?", "A ? B ? C ? D ?", "C c c c ? a A ? ?"),
        recipe=Recipe(
            "store-and-recall",
            units=4,
            seed=3,
            schedule=Schedule(reach=0.999, after=600),
            biases={"z": -1.0},
            penalties=Penalties(z=0.1),
        ),
    ),
    Preset(
        title="Sentiment",
        about="report whether the latest opinion is positive or negative; “not” reverses the next opinion, "
        "“.” clears it",
        question="Where does the network remember a “not” until the next opinion?",
        reading="Eight units together store the opinion and a “not” that still applies.",
        examples=(
            "the film was good . not very bad . dull",
            "not the very film was great",
            "good bad not good not bad",
            "lovely the film was a very very film",
        ),
        recipe=Recipe(
            "sentiment", units=8, seed=2, schedule=Schedule(reach=0.99, after=1500), penalties=Penalties(z=0.05)
        ),
    ),
)


def without(penalties: Penalties) -> str:
    """Return a phrase such as "trained without the z penalty", for `penalties` that are not all 0."""
    gates = list(penalties.slopes)
    return f"trained without the {' and '.join(gates)} penalt{'y' if len(gates) == 1 else 'ies'}"


def _plain(preset: Preset) -> Preset:
    gates = list(preset.recipe.penalties.slopes)
    title = f"{preset.title}, no {f'{gates[0]} penalty' if len(gates) == 1 else 'penalties'}"
    reading = f"{preset.reading} It was {without(preset.recipe.penalties)}."
    return replace(preset, title=title, reading=reading, recipe=replace(preset.recipe, penalties=NO_PENALTIES))


def _with_cell(preset: Preset, cell: str) -> Preset:
    """Return the preset with another cell and without penalties, but with the same sequences and as many units."""
    recipe = replace(preset.recipe, cell=cell, penalties=NO_PENALTIES)
    return replace(preset, title=f"{preset.title}, {CELLS[cell].title}", recipe=recipe)


_BRACKETS = Preset(
    title="Brackets, reset before",
    about="count the open brackets",
    question="How do two units count to four?",
    reading="Its reset gate acts before the product.",
    examples=("( m ( ) ( ( ) m ) ) (", "( ( ( ( ) ) ) )", "( ) ( ) ( )"),
    recipe=Recipe("brackets", units=2, seed=0, schedule=Schedule(reach=0.99, after=800, most=2500)),
)


def _years(first: int, last: int) -> str:
    """Return the sunspot numbers of the years from `first` to `last` as text."""
    start = TRAINING_YEARS.start
    return FORECASTS["sunspots"].encoder.write(SUNSPOTS.values[first - start : last + 1 - start, None])


_SUNSPOTS = Preset(
    title="Sunspots",
    about="forecast next year’s sunspot number from the yearly numbers so far",
    question="How does the network know whether the sunspots will rise or fall?",
    reading="x and y are sunspot numbers divided by 100. The network was trained on the years 1700 to 1920. "
    "The years 1921 to 2008 are held out. Units, seed and length of the training were chosen on 1871 to 1920, "
    "after a trial that had shown held-out errors of several sizes.",
    examples=(_years(1964, 2008), _years(1901, 1945), _years(1701, 1745)),
    recipe=Recipe("sunspots", units=2, seed=1, schedule=Schedule(None, 0, 0.01, T=40, most=500)),
)


_SUNSPOTS_OF_THE_GRU = replace(
    _SUNSPOTS, reading=_SUNSPOTS.reading.replace("training were chosen", "training were chosen for the GRU")
)


_NAMES = Preset(
    title="Names",
    about="guess from which of twelve lists of surnames a name is, letter by letter",
    question="Which letters change the guess?",
    reading="The network guesses a list, and not who a person is. The examples are held-out names.",
    examples=("jonsdottir", "bosnjakovic", "humphreys", "udinesi", "vanderheijden", "chauveau"),
    recipe=Recipe(
        "names",
        units=16,
        seed=0,
        schedule=Schedule(None, after=700, rate=0.02, T=LONGEST, B=64, most=800, every=100),
        penalties=Penalties(z=0.1),
    ),
)

_TAGGER = Preset(
    title="Tagger, both directions",
    about="name the capitals before and after each small letter: AB is an A before and a B after",
    question="How can the network name a letter that it reads only later?",
    reading="Unit 1 reads from the start of the sequence, and unit 2 from its end. "
    "Only the outputs at small letters between two capitals count.",
    examples=("A m p B s s A p m m B m A", "B m A m B m A", "A m m m m m m m m m m B", "m A s . p B m"),
    recipe=Recipe(
        "tagger",
        units=1,
        both=True,
        seed=1,
        schedule=Schedule(reach=1.0, after=600, most=1500),
        biases={"z": -1.0},
        penalties=Penalties(z=0.05),
    ),
)

_EXTRA = {
    "store-and-recall-lstm-hidden": Preset(
        title="Store and recall, hidden LSTM",
        about="remember the last capital letter, ignore the small letters, and name the capital at each question mark",
        question="Where is the letter while the output gate is closed?",
        reading="Only the output at a question mark counts. A penalty on the mean of o keeps the output gate closed.",
        examples=("A b c ? d a C b ? a ? B d d ?", "D a b c d a b c d ?", "A ? B ? C ? D ?"),
        recipe=Recipe(
            "store-and-recall",
            units=2,
            seed=2,
            schedule=Schedule(reach=0.999, after=1000, most=3000),
            cell="lstm",
            penalties=Penalties(o=0.1),
        ),
    ),
    "brackets-two-units": _BRACKETS,
    "brackets-two-units-after": replace(
        _BRACKETS,
        title="Brackets, reset after",
        question="What changes if the reset gate acts after the product?",
        reading="The weights are those of “Brackets, reset before”, trained with the reset gate before the product.",
        moved=True,
    ),
    "sentiment-two-layers": Preset(
        title="Sentiment, two layers",
        about="report whether the latest opinion is positive or negative; “not” reverses the next opinion, "
        "“.” clears it",
        question="Which layer remembers a “not”, and which one remembers the opinion?",
        reading="The state of layer 1 is the input of layer 2.",
        examples=("the film was not very good . dull", "not the very film was great", "good bad not good not bad"),
        recipe=Recipe(
            "sentiment",
            units=2,
            layers=2,
            seed=0,
            schedule=Schedule(reach=0.99, after=1500, most=3500),
            penalties=Penalties(z=0.03),
        ),
    ),
    "sunspots": _SUNSPOTS,
    **{f"sunspots-{cell}": _with_cell(_SUNSPOTS_OF_THE_GRU, cell) for cell in ("lstm", "rnn")},
    "name-writer": Preset(
        title="Name writer",
        about="name the next letter of a surname, after the language",
        question="How does the network know how a Finnish name ends?",
        reading="The first timestep reads the language. Each output is the next letter, or a period for the end. "
        "gru.write draws a letter from it, and reads this letter next.",
        examples=("finnish virtanen", "icelandic jonsdottir", "italian udinesi", "irish"),
        recipe=Recipe(
            "name-writer",
            units=32,
            seed=0,
            schedule=Schedule(None, after=1200, rate=0.01, T=LONGEST + 1, B=64, most=1300, every=500),
        ),
    ),
    "reversed-words": Preset(
        title="Reversed words",
        about="read a word of the letters a, b and c, and write it backwards in capital letters after the sign >",
        question="Can eight numbers hold a whole word?",
        reading="Units 1 to 8 are the encoder. They read the word. Units 9 to 16 are the decoder. They write. "
        "At > the decoder gets its state from the encoder’s state, and from then on it sees only its own letters.",
        examples=("b a c > C A B", "c a b b a > A B B A C", "a b > B A", "a b c a b c > C B A C B A"),
        recipe=Recipe(
            "reversed-words",
            units=16,
            seed=0,
            schedule=Schedule(None, after=2400, rate=0.02, T=2 * LENGTHS[-1] + 1, B=64, most=2400, every=500),
        ),
    ),
    "tagger": _TAGGER,
    "tagger-forward": replace(
        _TAGGER,
        title="Tagger, forward only",
        question="What does the network answer if it cannot read ahead?",
        reading="Both units read from the start of the sequence, so they cannot know the next capital. On average at "
        "most half of the tags can be correct. Only the outputs at small letters between two capitals count.",
        recipe=replace(_TAGGER.recipe, units=2, both=False),
    ),
    "names": _NAMES,
    "names-plain": _plain(_NAMES),
    **{f"names-{cell}": _with_cell(_NAMES, cell) for cell in ("lstm", "rnn")},
}

PRESETS: dict[str, Preset] = (
    {p.recipe.task: p for p in _READABLE}
    | {plain(p.recipe.task): _plain(p) for p in _READABLE if p.recipe.task in PENALIZED}
    | _EXTRA
)
"""The presets by name. NAME-plain is NAME with the same seed and without its penalties."""


def fresh(recipe: Recipe, T: int = 20, B: int = 1000) -> Batch:
    """Return `B` held-out sequences of `T` timesteps for a recipe, the same in every call."""
    return task_for(recipe).held_out(np.random.default_rng(FRESH_SEED + recipe.seed), T, B)


def held_out(model: Model) -> Batch | None:
    """Return held-out sequences of the model's task, the same in every call. None if the model has no built-in task."""
    return None if task_of(model) is None else fresh(usual(model.card.task))


def usual(task: str) -> Recipe:
    """Return the standard recipe of a task: the experiment's basic recipe or, if there is none, the preset's recipe."""
    return BASES[task] if task in BASES else PRESETS[task].recipe
