"""A stored training: its recipe, and checkpoints that have the weights and a report.

Every training step up to 56 has a checkpoint. After that the interval is 1/28 of the training steps so far, rounded
down. The last training step also has a checkpoint. 6,000 training steps have about 200 checkpoints. Checkpoints store
the weights as float32. The training itself computes in float64.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import takewhile
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from gru_core import presets
from gru_core.arrays import Array
from gru_core.cells.run import Run
from gru_core.model import Model
from gru_core.presets.cards import beside_baselines
from gru_core.presets.recipes import fresh
from gru_core.training.cards import first_card
from gru_core.training.fit import Diverged, Snapshot, fit
from gru_core.training.recipe import OWN, Recipe, begin, masks, series_of, task_for
from gru_core.training.scoring import SCORE, gate_means, in_words
from gru_core.training.tasks import WORD_TASKS

Weights = npt.NDArray[np.float32]

SPACING = 28
HIGH, LOW = 0.6, 0.4
"""A report calls the mean of a gate high if it is at least HIGH, and low if it is at most LOW."""
GROWN = (10, 1_000, 1_000_000)
"""The multiples of its initial value that a report mentions when the relative gradient first exceeds them."""
MOVED = 5
"""The number of weights that a report lists. They are the weights that changed most."""


def steps() -> Iterator[int]:
    """Yield the training steps that have a checkpoint, without end."""
    step = 0
    while True:
        yield step
        step += max(1, step // SPACING)


def _known(most: int) -> frozenset[int]:
    return frozenset(takewhile(lambda step: step <= most, steps()))


class Report(TypedDict):
    """The report of a checkpoint. All its values can be written as JSON.

    `losses` are the losses of the training steps since the previous checkpoint, and `rate` is the learning rate.
    `score` is measured on held-out sequences. `good_at` is the training step at which the target was reached, None
    before this step. `lags` is a result of `gradient_by_lag`: how far the gradient reaches. `gates` has the mean of
    each gate at each kind of timestep. `moved` has the weights that are furthest from their initial values, each with
    its gate, part, the name of the number that the weight multiplies, unit (from 1), initial value and current value.
    `sentences` describe events that happened for the first time.
    """

    step: int
    losses: list[float]
    rate: float
    score: float
    good_at: int | None
    lags: list[float]
    gates: dict[str, float]
    moved: list[tuple[str, str, str, int, float, float]]
    sentences: list[str]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training at one training step. `weights` `(P,)` are all of `Model.parameters` in order."""

    report: Report
    weights: Weights


@dataclass
class Training:
    """A recipe and its checkpoints so far.

    `end` is a sentence that says why the training ended early, "" if it did not.
    """

    recipe: Recipe
    checkpoints: list[Checkpoint] = field(default_factory=list)
    end: str = ""

    @property
    def steps(self) -> list[int]:
        return [checkpoint.report["step"] for checkpoint in self.checkpoints]

    def model(self, step: int) -> Model:
        """Return the model at a checkpoint. Raises ValueError if this training step has no checkpoint."""
        return self.models([step])[0]

    def models(self, wanted: Sequence[int]) -> list[Model]:
        """Return the models at several checkpoints. Raises ValueError if one of the steps has no checkpoint."""
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
        """Return an `.npz` file with the weights `(N, P)`, and with everything else as JSON.

        The same training gives the same bytes.
        """
        text = {
            "recipe": self.recipe.to_dict(),
            "reports": [checkpoint.report for checkpoint in self.checkpoints],
            "end": self.end,
        }
        encoded = np.frombuffer(json.dumps(text, ensure_ascii=False).encode(), np.uint8)
        weights = np.array([checkpoint.weights for checkpoint in self.checkpoints])
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, text=encoded, weights=weights)
        return file.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Training:
        """Return the training that `to_bytes` wrote.

        Other bytes raise an error, such as KeyError, ValueError or zipfile.BadZipFile.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            text, weights = json.loads(file["text"].tobytes()), file["weights"]
        checkpoints = [Checkpoint(*pair) for pair in zip(text["reports"], weights, strict=True)]
        return Training(Recipe.from_dict(text["recipe"]), checkpoints, text["end"])


@cache
def shipped(name: str) -> Training:
    """Return the stored training of one of `presets.NAMES`. Raises FileNotFoundError for another name."""
    if name not in presets.NAMES:
        raise FileNotFoundError(f"{name} has no stored training: choose one of {', '.join(presets.NAMES)}")
    return Training.from_bytes((presets.TRAININGS / f"{name}.npz").read_bytes())


def train(recipe: Recipe) -> Iterator[Checkpoint]:
    """Yield the checkpoints of a recipe's training. Raises Diverged after the last checkpoint with finite weights."""
    model, rng = begin(recipe, first_card(recipe))
    known, reporter = _known(recipe.schedule.most + recipe.schedule.after), _Reporter(recipe, model)
    snapshot = None
    task = task_for(recipe)
    for snapshot in fit(model, task, rng, recipe.schedule, recipe.penalties, known.__contains__, masks(recipe, model)):
        reporter.read(snapshot)
        if snapshot.step in known:
            yield reporter.checkpoint(snapshot)
    if snapshot is not None and snapshot.step not in known:
        yield reporter.checkpoint(snapshot)


class _Reporter:
    """A builder of checkpoint reports, which reads every snapshot of a training."""

    def __init__(self, recipe: Recipe, model: Model) -> None:
        self.recipe, self.first = recipe, _flat(model)
        self.names = {name: signal.name.lower() for name, signal in model.layers[-1].signals.items()}
        self.probe = fresh(recipe, recipe.schedule.T, recipe.schedule.B)
        # The gradient by lag is measured on the longest sequences, or on the last timesteps of a series.
        self.longest = self.probe.x
        if series_of(recipe) is not None:
            self.longest = self.probe.x[-recipe.schedule.T :]
        elif recipe.task == OWN or recipe.task in WORD_TASKS:
            steps = self.probe.x.any(-1).sum(0)
            self.longest = self.probe.x[: steps.max(), steps == steps.max()]
        self.losses: list[float] = []
        self.sentences: list[str] = []
        self.good_at: int | None = None
        self.reported: set[tuple[str, str]] = set()
        self.initial_gradient, self.grown, self.changed = 0.0, 0, 0

    def read(self, snapshot: Snapshot) -> None:
        self.losses += snapshot.losses
        if snapshot.reached and self.good_at is None and self.recipe.schedule.reach is not None:
            self.good_at = snapshot.step
            reached = in_words(snapshot.model.readout.kind, snapshot.score)
            self.sentences.append(f"Training step {snapshot.step:,}: the target is reached ({reached}).")

    def checkpoint(self, snapshot: Snapshot) -> Checkpoint:
        weights = _flat(snapshot.model)
        if not np.isfinite(weights).all():
            raise Diverged(snapshot.step)
        runs = snapshot.model.forward(self.probe.x)
        longest = runs if self.longest is self.probe.x else snapshot.model.forward(self.longest)
        lags, gates = gradient_by_lag(snapshot.model, longest[-1]), gate_means(runs, self.probe.events)
        self._describe(snapshot.step, lags, gates)
        report: Report = {
            "step": snapshot.step,
            "losses": _short(self.losses),
            "rate": snapshot.rate,
            "score": _short([snapshot.score])[0],
            "good_at": self.good_at,
            "lags": _short(lags),
            "gates": dict(zip(gates, _short(gates.values()), strict=True)),
            "moved": _moved(snapshot.model, self.first, weights),
            "sentences": self.sentences,
        }
        self.losses, self.sentences = [], []
        return Checkpoint(report, weights)

    def _describe(self, step: int, lags: Array, gates: Mapping[str, float]) -> None:
        """Add a sentence for each event that happens for the first time."""
        means: dict[str, dict[str, float]] = {}
        for name, mean in gates.items():
            gate, _, event = name.partition(" at ")
            means.setdefault(gate, {})[event] = mean
        for gate, by_event in means.items():
            for event, mean in by_event.items():
                low = {other: value for other, value in by_event.items() if value <= LOW}
                if mean >= HIGH and low and (gate, event) not in self.reported:
                    self.reported.add((gate, event))
                    others = " and ".join(f"{_plural(other)} (mean {value:.2f})" for other, value in low.items())
                    self.sentences.append(
                        f"Training step {step:,}: the {self.names[gate]} {gate} is high at {_plural(event)} "
                        f"(mean {mean:.2f}) and low at {others}."
                    )
        if step == 0:
            self.initial_gradient = lags[-1]
        for grown in GROWN[self.grown :]:
            if lags[-1] > grown * self.initial_gradient > 0:
                self.grown += 1
                self.sentences.append(
                    f"Training step {step:,}: the relative gradient over {len(lags) - 1} timesteps "
                    f"is more than {grown:,} times as large as before training."
                )
        for since, rate in self.recipe.schedule.changes[self.changed :]:
            if since < step:
                self.changed += 1
                self.sentences.append(f"After training step {since:,} the learning rate is {rate:g}.")


def _plural(event: str) -> str:
    if event == "other":
        return "other timesteps"
    return event if event.startswith("“") else f"{event}s"


def _flat(model: Model) -> Weights:
    with np.errstate(over="ignore"):  # a weight that is too large for float32 becomes infinite
        return np.concatenate([array.ravel() for array in model.parameters.values()]).astype(np.float32)


def _model(first: Model, recipe: Recipe, checkpoint: Checkpoint) -> Model:
    parameters, at = {}, 0
    for name, array in first.parameters.items():
        parameters[name] = checkpoint.weights[at : at + array.size].reshape(array.shape).astype(float)
        at += array.size
    report, card = checkpoint.report, first.card
    step, score = report["step"], report["score"]
    kind, name, series = first.readout.kind, SCORE[first.readout.kind], series_of(recipe)
    if series is None:
        summary, measured = in_words(kind, score), {f"held-out {name}": score}
    else:
        summary = beside_baselines(kind, score, series.baselines)
        errors = dict(zip(series.baselines, _short(series.baselines.values()), strict=True))
        measured = {name: score, **{f"{name} of {baseline}": error for baseline, error in errors.items()}}
    card = replace(
        card,
        title=f"{card.title}, training step {step:,}",
        weights="trained" if step else "random",
        summary=summary if step else "untrained",
        training={**card.training, "training steps": step},
        measured={**measured, **report["gates"]},
    )
    return replace(first.with_parameters(parameters), card=card)


def gradient_by_lag(model: Model, run: Run) -> Array:
    """Return the norm of the gradient of the last output with respect to earlier inputs, by lag: `(T,)`.

    Entry k belongs to the input k timesteps before the last one. The output is the largest one, before the softmax. The
    norms are means over sequences, divided by entry 0 if that is not 0.
    """
    V, h = model.readout.V, run.h[-1]
    dh = np.zeros_like(run.h)
    dh[-1] = model.readout.backward(h, V[model.readout(h).argmax(-1)])
    norms = np.sqrt((run.backward(dh).x ** 2).sum(-1)).mean(1)[::-1]
    return np.asarray(norms / norms[0] if norms[0] > 0 else norms)


def _moved(model: Model, first: Weights, now: Weights) -> list[tuple[str, str, str, int, float, float]]:
    """Return the weights that are furthest from their initial values: see `moved` in `Report`."""
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
            for gate in cell.recurrent
            for unit in range(cell.units)
            for other in range(cell.units)
        ),
        *((gate, "b", "", unit) for gate in cell.gates for unit in range(cell.units)),
    ]
    far = np.argsort(-np.abs(now[: len(names)] - first[: len(names)]), kind="stable")[:MOVED]
    values = zip(_short(first[far]), _short(now[far]), strict=True)
    return [(*names[i][:3], names[i][3] + 1, *pair) for i, pair in zip(far, values, strict=True)]


def _short(values: Iterable[float]) -> list[float]:
    """Return the numbers rounded to four digits, which take a fifth of the bytes in JSON."""
    return [float(f"{value:.4g}") for value in values]
