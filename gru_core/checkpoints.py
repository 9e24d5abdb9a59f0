"""A training, kept: its recipe, and at steps ever further apart the weights and what there is to say of them.

Checkpoints are at steps 0, 1, 2, … 28, from there on every 1/28 of the way so far, and at the last: some 180 in
6,000 steps. Weights are kept as float32, to which the training itself is not rounded.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import takewhile
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core import presets
from gru_core.arrays import Array
from gru_core.card import Card
from gru_core.cell import CELLS, Run
from gru_core.model import Model
from gru_core.presets.recipes import PRESETS, described, fresh
from gru_core.recipe import OWN, Recipe, begin, task_for
from gru_core.scoring import SCORE, gate_means, in_words
from gru_core.training import Diverged, Snapshot, fit

Weights = npt.NDArray[np.float32]

SPACING = 28
HIGH, LOW = 0.6, 0.4
"""What a gate's mean must pass to be told as high at some steps and low at others."""
GROWN = (10, 1_000, 1_000_000)
"""By how much the gradient's way back must have grown to be told."""
MOVED = 5
"""So many weights are named that moved most."""


def steps() -> Iterator[int]:
    """The steps of checkpoints, without end."""
    step = 0
    while True:
        yield step
        step += max(1, step // SPACING)


def _known(most: int) -> frozenset[int]:
    return frozenset(takewhile(lambda step: step <= most, steps()))


@dataclass(frozen=True)
class Checkpoint:
    """Where a training stands. `weights` `(P,)` are all of the model's, in the order of `Model.parameters`.

    `report` has, as JSON can: `step`; `losses` of the steps since the last checkpoint; `rate`; `score` on
    sequences kept aside; `good_at`, the step at which it was good enough, None until then; `lags`, how
    much the answer at the last step of a sequence would move with the input 0, 1, 2, … steps earlier,
    over that of no step earlier, a mean over sequences; `gates`, the mean of each at each kind of step;
    `moved`, the weights that are furthest from where they began: gate, part, what it meets, unit, value
    then and now; `said`, sentences on what has happened for the first time.
    """

    report: dict[str, Any]
    weights: Weights


@dataclass
class Training:
    """A recipe and its checkpoints so far; `end` says in a sentence why it ended early, "" where it did not."""

    recipe: Recipe
    checkpoints: list[Checkpoint] = field(default_factory=list)
    end: str = ""

    @property
    def steps(self) -> list[int]:
        return [checkpoint.report["step"] for checkpoint in self.checkpoints]

    def model(self, step: int) -> Model:
        """The model of a checkpoint. Raises ValueError where there is none at this step."""
        return self.models([step])[0]

    def models(self, wanted: Sequence[int]) -> list[Model]:
        """Those of several checkpoints. Raises ValueError where there is none."""
        first, _ = begin(self.recipe, first_card(self.recipe))
        at = {checkpoint.report["step"]: checkpoint for checkpoint in self.checkpoints}
        missing = [step for step in wanted if step not in at]
        if missing:
            raise ValueError(
                f"training step {missing[0]} has no checkpoint: "
                f"choose one of the {len(at)} checkpoints from step {min(at)} to step {max(at)}"
                if at
                else "this training has no checkpoint yet: try again in a moment"
            )
        return [_model(first, self.recipe, at[step]) for step in wanted]

    def to_bytes(self) -> bytes:
        """An `.npz` of the weights `(N, P)` and of all else as JSON; the same training gives the same bytes."""
        about = {
            "recipe": self.recipe.to_dict(),
            "reports": [checkpoint.report for checkpoint in self.checkpoints],
            "end": self.end,
        }
        text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
        weights = np.array([checkpoint.weights for checkpoint in self.checkpoints])
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, about=text, weights=weights)
        return file.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Training:
        """What `to_bytes` gave. Raises KeyError or ValueError for anything else."""
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            about, weights = json.loads(file["about"].tobytes()), file["weights"]
        reports = zip(about["reports"], weights, strict=True)
        return Training(Recipe.from_dict(about["recipe"]), [Checkpoint(*one) for one in reports], about["end"])


@cache
def shipped(name: str) -> Training:
    """How one of `presets.NAMES` was trained. Raises FileNotFoundError for any other."""
    if name not in presets.NAMES:
        raise FileNotFoundError(f"{name} has no stored training: choose one of {', '.join(presets.NAMES)}")
    return Training.from_bytes((presets.TRAININGS / f"{name}.npz").read_bytes())


def card_of(recipe: Recipe) -> Card:
    """What its task is about: that of a preset or a laboratory, or of a table."""
    task = recipe.task
    if task == OWN:
        table = recipe.rows
        trained, aside = map(len, table.split(recipe.seed))
        about = f"answer as in a table: {trained:,} of its sequences are for training, {aside:,} are held out"
        return Card("Your own task", task, about, "", "random", "untrained", examples=tuple(map(table.text, range(3))))
    if task in PRESETS:
        return PRESETS[task].card
    title, about = ABOUT[task]
    return Card(title, task, about, "", "random", "untrained", examples=(EXAMPLES[task],))


ABOUT = {
    "gap": ("Memory over a gap", "remember a capital letter through noise, and name it at the end"),
    "recall": ("Recall in order", "read some letters, and name them in the same order at the question marks"),
    "adding": ("Adding", "add the two marked numbers (=v), and give the sum at the end"),
    "parity": ("Parity", "report whether the number of ones so far is even or odd"),
    "brackets": ("Brackets", "count the open brackets"),
}
"""Title and task, in words, of those of the laboratories."""

EXAMPLES = {
    "gap": "A a c b d a b c c d a d b",
    "recall": "a c b d ? ? ? ?",
    "adding": "0.2 =0.3 -0.1 0.4 -0.2 =-0.4 0.1 0.3",
    "parity": "0 1 1 0 1 0 1 1 1 0",
    "brackets": "( x ( ) ( ( ) x ) ) (",
}


def first_card(recipe: Recipe) -> Card:
    """That of the model which a recipe begins with."""
    card, cell = card_of(recipe), CELLS[recipe.cell]
    units = f"{recipe.units} unit{'s' if recipe.units > 1 else ''}"
    training = {
        "optimizer": "Adam",
        "learning rate": ", ".join(
            [f"{recipe.schedule.rate:g}", *(f"{r:g} from training step {s}" for s, r in recipe.schedule.changes)]
        ),
        "batch": f"{recipe.schedule.B} sequences of {recipe.schedule.T} timesteps",
        "seed": recipe.seed,
        "gradient clipping": f"norm at most {recipe.schedule.norm:g}",
        "initialization": recipe.first + (f", memories of up to {recipe.T_max} timesteps" if recipe.T_max else ""),
        "initial biases": ", ".join(f"b_{gate} {value:g}" for gate, value in recipe.biases.items())
        or "from the initialization",
        "penalties": described(recipe.penalties),
    }
    return replace(card, title=f"{card.title}, {cell.title} of {units}", training=training, reading="")


def train(recipe: Recipe) -> Iterator[Checkpoint]:
    """The checkpoints of a recipe's training. Raises Diverged after the last that was still finite."""
    model, rng = begin(recipe, first_card(recipe))
    known, watch = _known(recipe.schedule.most + recipe.schedule.after), _Watch(recipe, model)
    at = None
    for at in fit(model, task_for(recipe), rng, recipe.schedule, recipe.penalties, known.__contains__):
        watch.see(at)
        if at.step in known:
            yield watch.checkpoint(at)
    if at is not None and at.step not in known:
        yield watch.checkpoint(at)


class _Watch:
    """Sees every snapshot, and tells at checkpoints what there was."""

    def __init__(self, recipe: Recipe, model: Model) -> None:
        self.recipe, self.first = recipe, _flat(model)
        self.names = {name: signal.name.lower() for name, signal in model.layers[-1].signals.items()}
        self.probe = fresh(recipe, recipe.schedule.T, recipe.schedule.B)
        # Of sequences of several lengths the way back is over the longest.
        self.longest = self.probe.x
        if recipe.task == OWN:
            steps = self.probe.x.any(-1).sum(0)
            self.longest = self.probe.x[: steps.max(), steps == steps.max()]
        self.losses: list[float] = []
        self.said: list[str] = []
        self.good_at: int | None = None
        self.told: set[tuple[str, str]] = set()
        self.way_back, self.grown, self.changed = 0.0, 0, 0

    def see(self, at: Snapshot) -> None:
        self.losses += at.losses
        if at.reached and self.good_at is None and self.recipe.schedule.reach is not None:
            self.good_at = at.step
            reached = in_words(at.model.readout.kind, at.score)
            self.said.append(f"Training step {at.step:,}: the target is reached ({reached}).")

    def checkpoint(self, at: Snapshot) -> Checkpoint:
        weights = _flat(at.model)
        if not np.isfinite(weights).all():
            raise Diverged(at.step)
        runs = at.model.forward(self.probe.x)
        longest = runs if self.longest is self.probe.x else at.model.forward(self.longest)
        lags, gates = way_back(at.model, longest[-1]), gate_means(runs, self.probe.events)
        self._look(at.step, lags, gates)
        report = {
            "step": at.step,
            "losses": _short(self.losses),
            "rate": at.rate,
            "score": _short([at.score])[0],
            "good_at": self.good_at,
            "lags": _short(lags),
            "gates": dict(zip(gates, _short(gates.values()), strict=True)),
            "moved": _moved(at.model, self.first, weights),
            "said": self.said,
        }
        self.losses, self.said = [], []
        return Checkpoint(report, weights)

    def _look(self, step: int, lags: Array, gates: Mapping[str, float]) -> None:
        """Note what is so for the first time."""
        means: dict[str, dict[str, float]] = {}
        for name, mean in gates.items():
            gate, _, event = name.partition(" at ")
            means.setdefault(gate, {})[event] = mean
        for gate, by_event in means.items():
            for event, mean in by_event.items():
                low = {other: value for other, value in by_event.items() if value <= LOW}
                if mean >= HIGH and low and (gate, event) not in self.told:
                    self.told.add((gate, event))
                    others = " and ".join(f"{_plural(other)} (mean {value:.2f})" for other, value in low.items())
                    self.said.append(
                        f"Training step {step:,}: the {self.names[gate]} {gate} is high at {_plural(event)} "
                        f"(mean {mean:.2f}) and low at {others}."
                    )
        if step == 0:
            self.way_back = lags[-1]
        for grown in GROWN[self.grown :]:
            if lags[-1] > grown * self.way_back > 0:
                self.grown += 1
                self.said.append(
                    f"Training step {step:,}: the relative gradient over {len(lags) - 1} timesteps "
                    f"is more than {grown:,} times as large as before training."
                )
        for since, rate in self.recipe.schedule.changes[self.changed :]:
            if since < step:
                self.changed += 1
                self.said.append(f"From training step {since:,} the learning rate is {rate:g}.")


def _plural(event: str) -> str:
    if event == "other":
        return "other timesteps"
    return event if event.startswith("“") else f"{event}s"


def _flat(model: Model) -> Weights:
    with np.errstate(over="ignore"):  # what does not fit is no longer finite
        return np.concatenate([array.ravel() for array in model.parameters.values()]).astype(np.float32)


def _model(first: Model, recipe: Recipe, checkpoint: Checkpoint) -> Model:
    parameters, at = {}, 0
    for name, array in first.parameters.items():
        parameters[name] = checkpoint.weights[at : at + array.size].reshape(array.shape).astype(float)
        at += array.size
    report, card = checkpoint.report, first.card
    step, score = report["step"], report["score"]
    card = replace(
        card,
        title=f"{card.title}, training step {step:,}",
        weights="trained" if step else "random",
        summary=in_words(first.readout.kind, score) if step else "untrained",
        training={**card.training, "training steps": step},
        measured={f"held-out {SCORE[first.readout.kind]}": score, **report["gates"]},
    )
    return replace(first.with_parameters(parameters), card=card)


def way_back(model: Model, run: Run) -> Array:
    """By how many steps earlier, how much the answer at the last step would move with the input there."""
    V, h = model.readout.V, run.h[-1]
    dh = np.zeros_like(run.h)
    dh[-1] = V[model.readout(h).argmax(-1)]
    norms = np.sqrt((run.backward(dh).x ** 2).sum(-1)).mean(1)[::-1]
    return np.asarray(norms / norms[0] if norms[0] > 0 else norms)


def _moved(model: Model, first: Weights, now: Weights) -> list[tuple[str, str, str, int, float, float]]:
    """The weights that are furthest from where they began: gate, part, what it meets, unit from 1, then and now."""
    cell = model.layers[0]
    names = [
        *(
            (gate, "W", label, unit)
            for gate in cell.gates
            for unit in range(cell.units)
            for label in model.encoder.labels
        ),
        *(
            (gate, "U", f"h {other + 1}", unit)
            for gate in cell.gates
            for unit in range(cell.units)
            for other in range(cell.units)
        ),
        *((gate, "b", "", unit) for gate in cell.gates for unit in range(cell.units)),
    ]
    far = np.argsort(-np.abs(now[: len(names)] - first[: len(names)]), kind="stable")[:MOVED]
    values = zip(_short(first[far]), _short(now[far]), strict=True)
    return [(*names[i][:3], names[i][3] + 1, *pair) for i, pair in zip(far, values, strict=True)]


def _short(values: Iterable[float]) -> list[float]:
    """To four digits: what a reader sees, a fifth of the bytes."""
    return [float(f"{value:.4g}") for value in values]
