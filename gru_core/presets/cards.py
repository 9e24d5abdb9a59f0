"""The card of a trained preset: a description of its recipe, and measurements on held-out sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gru_core.model import Model
from gru_core.presets.recipes import fresh, usual
from gru_core.runs.clamp import Clamp
from gru_core.training.fit import Penalties
from gru_core.training.names import Surnames
from gru_core.training.recipe import Recipe, sign_in_words
from gru_core.training.reversal import LENGTHS, LONGER, ReversedWords
from gru_core.training.scoring import SCORE, by_label, confusion, gate_means, in_words, score, whole
from gru_core.training.task import Batch
from gru_core.training.tasks import ALL


def measure(model: Model, recipe: Recipe) -> dict[str, float]:
    """Return the measurements for a card by name, rounded to four digits.

    They are the score on sequences of 20 and of 500 timesteps, the mean of each gate of the top layer at each kind of
    timestep, and the score with each of these gates clamped at 1 and at 0. For recorded data, the score is measured on
    the held-out part, and the scores of the baselines replace the score at 500 timesteps. For names, there is also the
    score on each language. For reversed words, there is also the share of words without an error.
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

    `step` is the last training step, `biases` describes the initial biases, and `negated` are the units that started
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
"""The name of the score on words of one length, on a card."""


def words_right(model: Model, words: ReversedWords) -> dict[str, float]:
    """Return the share of words that a model reverses without an error, overall and by length, named as on a card."""
    by_length = {n: Batch(*words.of_length(n), {}) for n in (*LENGTHS, *LONGER)}
    return {
        "accuracy on whole held-out words": whole(model, Batch(*words.held_out(), {})),
        **{WHOLE.format(n): whole(model, batch) for n, batch in by_length.items()},
    }


def _by_length(measured: Mapping[str, float]) -> str:
    """Return a summary: how many words are reversed without an error, and how the network fails on longer words."""
    right = _three("softmax", measured["accuracy on whole held-out words"])
    longer = [f"{_three('softmax', measured[WHOLE.format(n)])} of words of {n} letters" for n in LONGER]
    lengths = f"{LENGTHS[0]} to {LENGTHS[-1]} letters"
    return (
        f"{right} of held-out words of {lengths} reversed without an error. "
        f"It breaks at longer words: {', '.join(longer[:-1])} and {longer[-1]}"
    )


def beside_baselines(kind: str, score: float, baselines: Mapping[str, float]) -> str:
    """Return a summary: a held-out score, the scores of the baselines, and which baselines the model does not beat."""
    others = ", ".join(f"{name} {_three(kind, baseline)}" for name, baseline in baselines.items())
    sign = 1 if kind == "softmax" else -1
    better = " and ".join(name for name, baseline in baselines.items() if sign * (baseline - score) >= 0)
    verdict = f"It does not beat {better}" if better else "It beats them all"
    unit = "{} held-out accuracy" if kind == "softmax" else "held-out mean squared error {}"
    return f"{unit.format(_three(kind, score))}. Baselines: {others}. {verdict}"


def _three(kind: str, score: float) -> str:
    """Format a score with three digits."""
    return f"{100 * score:.3g}%" if kind == "softmax" else f"{score:.3g}"


def described(penalties: Penalties) -> str:
    """Return a description of the penalties for a card, or "none"."""
    parts = [
        f"{penalties.z:g} × mean z" if penalties.z else "",
        f"{penalties.r:g} × mean (1 − r)" if penalties.r else "",
        f"{penalties.o:g} × mean o" if penalties.o else "",
    ]
    return " and ".join(filter(None, parts)) or "none"
