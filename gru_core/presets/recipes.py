"""The recipes of the GRU presets. `gruscope train NAME` runs a recipe again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gru_core.arrays import Array
from gru_core.card import Card
from gru_core.experiments import BASES
from gru_core.model import Model
from gru_core.runs.clamp import Clamp
from gru_core.training.fit import NO_PENALTIES, Penalties, Schedule, Snapshot, fit
from gru_core.training.recipe import Recipe, begin, task_for
from gru_core.training.scoring import SCORE, gate_means, in_words, score
from gru_core.training.tasks import TASKS, Batch, task_of

FRESH_SEED = 1_000_000
"""This number plus a recipe's seed is the seed of the held-out sequences for the figures of a card."""


@dataclass(frozen=True)
class Preset:
    """The recipe of a preset, and the texts of its card."""

    title: str
    about: str
    question: str
    examples: tuple[str, ...]
    recipe: Recipe
    reading: str = ""

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


def _plain(preset: Preset) -> Preset:
    return replace(preset, title=f"{preset.title}, plain", recipe=replace(preset.recipe, penalties=NO_PENALTIES))


PRESETS: dict[str, Preset] = {p.recipe.task: p for p in _READABLE} | {
    f"{p.recipe.task}-plain": _plain(p) for p in _READABLE
}
"""The presets by name. NAME-plain is NAME with the same seed and without its penalties."""


def train(preset: Preset) -> Iterator[Snapshot]:
    """Train a preset, and yield snapshots. The last snapshot has the finished model with its card."""
    recipe = preset.recipe
    model, rng = begin(recipe, preset.card)
    snapshot = None
    for snapshot in fit(model, TASKS[recipe.task], rng, recipe.schedule, recipe.penalties):
        yield snapshot
    if snapshot is not None:
        biases = ", ".join(f"b_{gate} {recipe.biases.get(gate, 0):g}" for gate in ("r", "z"))
        yield replace(snapshot, model=with_card(snapshot.model, recipe, snapshot, biases))


def fresh(recipe: Recipe, T: int = 20, B: int = 1000) -> Batch:
    """Return `B` held-out sequences of `T` timesteps for a recipe, the same in every call."""
    return task_for(recipe).held_out(np.random.default_rng(FRESH_SEED + recipe.seed), T, B)


def held_out(model: Model) -> Batch | None:
    """Return held-out sequences of the model's task, the same in every call. None if the model has no built-in task."""
    name = model.card.task
    if task_of(model) is None:
        return None
    return fresh(PRESETS[name].recipe if name in PRESETS else BASES[name])


def upright(model: Model, recipe: Recipe) -> Model:
    """Return the model with the sign of each unit's h chosen so that h correlates positively with the target."""
    batch = fresh(recipe)
    h: Array = model.forward(batch.x)[-1].h
    for unit in range(h.shape[-1]):
        if np.corrcoef(h[..., unit].ravel(), batch.target.ravel())[0, 1] < 0:
            model = model.negate_unit(0, unit)
    return model


def measure(model: Model, recipe: Recipe) -> dict[str, float]:
    """Return the figures of a card.

    The figures are the score on sequences of 20 and of 500 timesteps, the mean of each gate at each kind of timestep,
    and the score with each gate clamped at 1 and at 0. They are rounded to four digits.
    """
    batch = fresh(recipe)
    runs = model.forward(batch.x)
    gates = [gate for gate, signal in model.layers[-1].signals.items() if signal.lowest == 0]
    clamped = [(gate, value) for gate in reversed(gates) for value in (1, 0)]
    name = SCORE[model.readout.kind]
    figures = {
        name: score(model, batch),
        f"{name} at 500 timesteps": score(model, fresh(recipe, 500, 100)),
        **gate_means(runs, batch.events),
        **{f"{name} with {gate} = {value}": score(model, batch, [Clamp(gate, value)]) for gate, value in clamped},
    }
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def with_card(model: Model, recipe: Recipe, snapshot: Snapshot, biases: str) -> Model:
    """Return the model with a card that describes its training; `biases` are the initial biases in words."""
    schedule = recipe.schedule
    measured = measure(model, recipe)
    training = {
        "optimizer": "Adam",
        "learning rate": f"{schedule.rate}, falling to a tenth over the last {schedule.after // 2} training steps",
        "training steps": snapshot.step,
        "batch": f"{schedule.B} sequences of {schedule.T} timesteps",
        "seed": recipe.seed,
        "gradient clipping": f"norm at most {schedule.norm:g}",
        "initial biases": biases,
        "penalties": described(recipe.penalties),
    }
    summary = in_words(model.readout.kind, measured[SCORE[model.readout.kind]])
    card = replace(model.card, weights="trained", summary=summary, training=training, measured=measured)
    return replace(model, card=card)


def described(penalties: Penalties) -> str:
    """Return the penalties in words, for a card."""
    parts = [
        f"{penalties.z:g} × mean z" if penalties.z else "",
        f"{penalties.r:g} × mean (1 − r)" if penalties.r else "",
    ]
    return " and ".join(filter(None, parts)) or "none"
