"""The recipes of the GRU presets. `gruscope train NAME` runs a recipe again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gru_core.card import Card
from gru_core.cells.gru import GRU
from gru_core.cells.registry import CELLS
from gru_core.experiments import BASES
from gru_core.model import Model
from gru_core.presets import PENALIZED, plain
from gru_core.runs.clamp import Clamp
from gru_core.training.fit import NO_PENALTIES, Penalties, Schedule, Snapshot, fit
from gru_core.training.names import LONGEST, Surnames
from gru_core.training.recipe import Recipe, begin, masks, negated, sign_in_words, task_for
from gru_core.training.reversal import LENGTHS, LONGER, ReversedWords
from gru_core.training.scoring import SCORE, by_label, confusion, gate_means, in_words, score, whole
from gru_core.training.series import TRAINING_YEARS
from gru_core.training.task import Batch
from gru_core.training.tasks import ALL, FORECASTS, SUNSPOTS, task_of

FRESH_SEED = 1_000_000
"""This number plus a recipe's seed is the seed of the held-out sequences for the figures of a card."""


@dataclass(frozen=True)
class Preset:
    """The recipe of a preset, and the texts of its card.

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
    """Return the words for a model that was trained without these penalties. At least one of them is not 0."""
    gates = list(penalties.slopes)
    return f"trained without the {' and '.join(gates)} penalt{'y' if len(gates) == 1 else 'ies'}"


def _plain(preset: Preset) -> Preset:
    gates = list(preset.recipe.penalties.slopes)
    title = f"{preset.title}, no {f'{gates[0]} penalty' if len(gates) == 1 else 'penalties'}"
    reading = f"{preset.reading} It was {without(preset.recipe.penalties)}."
    return replace(preset, title=title, reading=reading, recipe=replace(preset.recipe, penalties=NO_PENALTIES))


def _with_cell(preset: Preset, cell: str) -> Preset:
    """Return the recipe with another cell and without penalties, for the same sequences and as many units."""
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


def train(preset: Preset) -> Iterator[Snapshot]:
    """Train a preset, and yield snapshots. The last snapshot has the finished model with its card."""
    recipe = preset.recipe
    model, rng = begin(recipe, preset.card)
    snapshot = None
    for snapshot in fit(model, task_for(recipe), rng, recipe.schedule, recipe.penalties, trained=masks(recipe, model)):
        yield snapshot
    if snapshot is not None:
        trained = _moved(snapshot.model) if preset.moved else snapshot.model
        yield replace(snapshot, model=finished(preset, trained, snapshot.step))


def finished(preset: Preset, model: Model, step: int) -> Model:
    """Return a trained model with the card of its preset."""
    recipe = preset.recipe
    gates = [gate for gate in ("r", "z", "i", "f", "o") if gate in CELLS[recipe.cell].gates]
    values = {gate: float(gate == "f") for gate in gates} | {**recipe.biases}
    biases = ", ".join(f"b_{gate} {value:g}" for gate, value in values.items()) or "0"
    return with_card(replace(model, card=preset.card), recipe, step, biases, negated(recipe))


def _moved(model: Model) -> Model:
    """Return the model with the reset gate after the product, and with the same weights."""
    return replace(model, layers=tuple(GRU(cell.W, cell.U, cell.b, np.zeros(cell.units)) for cell in model.layers))


def fresh(recipe: Recipe, T: int = 20, B: int = 1000) -> Batch:
    """Return `B` held-out sequences of `T` timesteps for a recipe, the same in every call."""
    return task_for(recipe).held_out(np.random.default_rng(FRESH_SEED + recipe.seed), T, B)


def held_out(model: Model) -> Batch | None:
    """Return held-out sequences of the model's task, the same in every call. None if the model has no built-in task."""
    return None if task_of(model) is None else fresh(usual(model.card.task))


def usual(task: str) -> Recipe:
    """Return the recipe of the preset or the experiment with a task."""
    return BASES[task] if task in BASES else PRESETS[task].recipe


def measure(model: Model, recipe: Recipe) -> dict[str, float]:
    """Return the figures of a card.

    The figures are the score on sequences of 20 and of 500 timesteps, the mean of each gate of the top layer at each
    kind of timestep, and the score with each of these gates clamped at 1 and at 0. For recorded data, the score is on
    the held-out part, with those of the baselines in place of 500 timesteps. For names, there is also the score on each
    language. Figures are rounded to four digits.
    """
    recipe = usual(recipe.task)
    batch, top = fresh(recipe), len(model.layers) - 1
    runs = model.forward(batch.x)
    gates = [gate for gate, signal in model.layers[-1].signals.items() if signal.lowest == 0]
    clamps = [Clamp(gate, value, layer=top) for gate in reversed(gates) for value in (1, 0)]
    name = SCORE[model.readout.kind]
    task = ALL[recipe.task]
    figures = {
        name: score(model, batch),
        **(
            {f"{name} of {baseline}": value for baseline, value in task.baselines.items()}
            if task.names is not None or task.recorded
            else {f"{name} at 500 timesteps": score(model, fresh(recipe, 500, 100))}
        ),
        **(
            {f"{name}, {label}": share for label, share in by_label(model, batch).items()}
            if isinstance(task.names, Surnames)
            else {}
        ),
        **(words_right(model, task.names) if isinstance(task.names, ReversedWords) else {}),
        **gate_means(runs, batch.events),
        **{f"{name} with {clamp.gate} = {clamp.value}": score(model, batch, [clamp]) for clamp in clamps},
    }
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def with_card(model: Model, recipe: Recipe, step: int, biases: str, negated: Sequence[int]) -> Model:
    """Return the model with a card that describes its training.

    `step` is the last training step, `biases` are the initial biases in words, and `negated` are the units that started
    negated.
    """
    schedule = recipe.schedule
    measured = measure(model, recipe)
    training = {
        "optimizer": "Adam",
        "learning rate": f"{schedule.rate}, falling to a tenth over the last {schedule.after // 2} training steps"
        if schedule.after
        else str(schedule.rate),
        "training steps": step,
        "batch": f"{schedule.B} sequences of {schedule.T} timesteps",
        "seed": recipe.seed,
        "gradient clipping": f"norm at most {schedule.norm:g}",
        **({"directions": "as many units backward as forward"} if recipe.both else {}),
        "initial biases": biases,
        "penalties": described(recipe.penalties),
        **sign_in_words(negated),
    }
    summary = in_words(model.readout.kind, measured[SCORE[model.readout.kind]])
    task = ALL[recipe.task]
    if task.recorded:
        summary = beside_baselines(model.readout.kind, measured[SCORE[model.readout.kind]], task.baselines)
    if isinstance(task.names, ReversedWords):
        summary = _by_length(measured)
    if task.names is not None:
        training |= {**task.names.facts, "loss": task.names.scored}
    card = replace(model.card, weights="trained", summary=summary, training=training, measured=measured)
    if isinstance(task.names, Surnames):
        rows = confusion(model, fresh(usual(recipe.task))).tolist()
        card = replace(card, confusion=tuple(map(tuple, rows)))
    return replace(model, card=card)


WHOLE = "accuracy on whole words of {} letters"
"""The figure of a card for words with a number of letters."""


def words_right(model: Model, words: ReversedWords) -> dict[str, float]:
    """Return the share of words that a model reverses without an error, as figures of a card by number of letters."""
    by_length = {n: Batch(*words.of_length(n), {}) for n in (*LENGTHS, *LONGER)}
    return {
        "accuracy on whole held-out words": whole(model, Batch(*words.held_out(), {})),
        **{WHOLE.format(n): whole(model, batch) for n, batch in by_length.items()},
    }


def _by_length(measured: Mapping[str, float]) -> str:
    """Return in words how many words are reversed without an error, and at which lengths the network breaks."""
    right = _three("softmax", measured["accuracy on whole held-out words"])
    longer = [f"{_three('softmax', measured[WHOLE.format(n)])} of words of {n} letters" for n in LONGER]
    lengths = f"{LENGTHS[0]} to {LENGTHS[-1]} letters"
    return (
        f"{right} of held-out words of {lengths} reversed without an error. "
        f"It breaks at longer words: {', '.join(longer[:-1])} and {longer[-1]}"
    )


def beside_baselines(kind: str, score: float, baselines: Mapping[str, float]) -> str:
    """Return a held-out score in words, with those of the baselines and which of them it does not beat."""
    others = ", ".join(f"{name} {_three(kind, baseline)}" for name, baseline in baselines.items())
    sign = 1 if kind == "softmax" else -1
    better = " and ".join(name for name, baseline in baselines.items() if sign * (baseline - score) >= 0)
    verdict = f"It does not beat {better}" if better else "It beats them all"
    unit = "{} held-out accuracy" if kind == "softmax" else "held-out mean squared error {}"
    return f"{unit.format(_three(kind, score))}. Baselines: {others}. {verdict}"


def _three(kind: str, score: float) -> str:
    """Return a score with three digits."""
    return f"{100 * score:.3g}%" if kind == "softmax" else f"{score:.3g}"


def described(penalties: Penalties) -> str:
    """Return the penalties in words, for a card."""
    parts = [
        f"{penalties.z:g} × mean z" if penalties.z else "",
        f"{penalties.r:g} × mean (1 − r)" if penalties.r else "",
        f"{penalties.o:g} × mean o" if penalties.o else "",
    ]
    return " and ".join(filter(None, parts)) or "none"
