"""The numbers of a lesson: expressions between {{ and }}, which the core computes for the figure of a step.

    z.2@4                  z of unit 2 at timestep 4; by default the unit and the timestep of the link
    y@4   x@4              the output, the input
    keeps@4   half-life@4  the share of the old state that a timestep keeps; the timesteps until half of it is gone
    share@7 from 4         the contribution of the candidate of timestep 4 (0: of the initial state) to the state at 7
    reach@7 from 4         the gradient of the output at 7 with respect to input 4, relative to that for input 7
    flow@7 from 4          the gradient of the state at 7 with respect to the state (of an LSTM: the cell state) at 4
    score                  the score on held-out sequences, with the same clamps
    gradient-norm          the norm of the gradient of the loss on held-out sequences, with the same weights
    weights  units         the number of weights and units of the recurrent layers
    inputs  steps          the number of inputs of the layer, and of timesteps of the sequence
    parameters CELL H I    the number of weights and biases of a layer of a cell with H units and I inputs
    gap KIND STEPS         experiment Gradient reach: the number of seeds, of five, that learn the task; with
                           `| rate=0.03` or `| units=8` at another learning rate or size
    race TASK CELL         experiment Cell comparison: the median of the training steps to the target; for counting, of
                           the share of longer lengths that are counted correctly
    interval TASK CELL     experiment Cell comparison: the 95% interval of this median
    recall UNITS LETTERS   experiment Memory capacity: the share of recalled letters
    time KIND STEPS        experiment Sequential cost: milliseconds for one sequence
    waits KIND STEPS       experiment Sequential cost: the number of operations that must run one after another
    products KIND STEPS    experiment Sequential cost: the number of multiply-adds
    attention SCORE T S    experiment Attention weights: the weight of timestep S in the output at T, with a score

`{{ A | sequence=B m, t=2 }}` computes A after changing these keys of the link. `{{ A - B }}` and `{{ A / B }}` compute
with two values. `{{ A as % }}` and `{{ A as .3 }}` set the format.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gru_core import SequenceError, experiments, presets
from gru_core.cells.registry import CELLS
from gru_core.experiments import race, sequence
from gru_core.numerals import decimal, whole

from ..errors import Refused
from ..jobs.cache import name_of
from ..link import OPENING_SEQUENCES, comparison_in
from ..recipes import read_recipes
from ..runs import race as race_outcome
from ..runs.limits import MOST_PRODUCTS
from ..runs.linked import LinkedRun, run_link
from ..runs.scores import gradient_norm, scores
from ..settings import Settings
from .reading import Figure, figure_of

LONGEST = 400
"""The most characters of an expression."""

_PLACE = "[0-9]{1,6}"


class Value(NamedTuple):
    """The value of an expression, a number or words, and its text on the page."""

    value: float | str
    text: str


class Runs:
    """A cache for the runs of figures, for one request only, since these runs can be large."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._runs: dict[str, LinkedRun] = {}

    def get(self, figure: Figure) -> LinkedRun:
        """Return the run of a figure: for a comparison the run of the GRU, for a training the run at its checkpoint.

        Raises Refused, SequenceError or ValueError if the link of the figure is not valid.
        """
        keys = _lab_keys(figure)
        name = repr(sorted(keys.items()))
        if name not in self._runs:
            self._runs[name] = run_link(keys, self.settings)
        return self._runs[name]


def evaluate(expression: str, figure: Figure, runs: Runs) -> Value:
    """Return the value of an expression for a figure. Raises ValueError, with the reason, if it cannot be computed."""
    if len(expression) > LONGEST:
        raise ValueError(f"the text between {{{{ and }}}} is too long: at most {LONGEST} characters")
    body, _, form = expression.partition(" as ")
    match = re.fullmatch(r"(.*?\S)\s+([-/])\s+(\S.*)", body)
    try:
        if match is None:
            return _format(*_term(body, figure, runs), form.strip())
        first, kind = _term(match[1], figure, runs)
        second, _ = _term(match[3], figure, runs)
        if isinstance(first, str) or isinstance(second, str):
            raise ValueError(f"“{expression}” subtracts or divides words: use numbers")
        if match[2] == "/" and second == 0:
            raise ValueError(f"“{expression}” divides by 0 here: choose another divisor")
        value = first / second if match[2] == "/" else first - second
        return _format(value, kind if match[2] == "-" else "times", form.strip())
    except (Refused, SequenceError) as error:
        raise ValueError(str(error).rstrip(".")) from error


def curve(signal: str, figure: Figure, runs: Runs) -> tuple[list[float], float, float]:
    """Return a signal of a unit at all timesteps, and the lowest and highest value of its scale. Raises ValueError."""
    linked = runs.get(figure)
    match = re.fullmatch(rf"(\w+)(?:\.({_PLACE}))?", signal)
    run = linked.trace.layers[_layer(linked)]
    if match is None or match[1] not in run.cell.signals:
        raise ValueError(f"“{signal}” is not a signal of this model; choose one of {', '.join(run.cell.signals)}")
    style = run.cell.signals[match[1]]
    unit = _within("unit", int(match[2] or linked.link.options.get("unit", 1)), run.cell.units)
    return [float(v) for v in getattr(run, match[1])[:, unit - 1]], style.lowest, style.highest


def matching_steps(condition: str, figure: Figure, runs: Runs) -> list[int]:
    """Return the timesteps, from 1, that meet a condition: `z above 0.5`, `z below 0.5` or `most share@7`.

    The last form names the timestep with the largest contribution. Raises ValueError if the condition is not valid.
    """
    words = condition.split(" ", 3)
    limit = decimal(words[2]) if len(words) == 3 and words[1] in ("above", "below") else None
    if limit is not None:
        values, _, _ = curve(words[0], figure, runs)
        return [t for t, value in enumerate(values, 1) if (value > limit if words[1] == "above" else value < limit)]
    match = re.fullmatch(rf"most ((?:share|reach)(?:\.{_PLACE})?@({_PLACE}))", condition)
    if not match:
        raise ValueError(f"“{condition}” is not a condition: write “z above 0.5”, “z below 0.5” or “most share@7”")
    last = int(match[2])
    shares = [evaluate(f"{match[1]} from {t}", figure, runs).value for t in range(1, last + 1)]
    return [1 + shares.index(max(shares))]


def check_figure(figure: Figure, runs: Runs) -> None:
    """Raise ValueError if the link of a figure is not valid."""
    try:
        if not figure.page.startswith("compare/"):
            runs.get(figure)
    except (Refused, SequenceError) as error:
        raise ValueError(str(error).rstrip(".")) from error


def _lab_keys(figure: Figure) -> dict[str, str]:
    keys = dict(figure.keys)
    if figure.page == "compare":
        task, by = comparison_in(keys)
        if task not in presets.TASKS or by not in presets.MATCHED:
            tasks, ways = ", ".join(presets.TASKS), " or ".join(presets.MATCHED)
            wrong = f"there is no comparison of “{task}” by “{by}”"
            raise ValueError(f"{wrong}: the task must be one of {tasks}, and `by` {ways}")
        keys.setdefault("model", presets.contenders(task, by)["gru"])
        if task in OPENING_SEQUENCES:
            keys.setdefault("sequence", OPENING_SEQUENCES[task])
    elif figure.page == "train":
        name, step = name_of(read_recipes(keys)[-1]), keys.pop("step", "")
        if name not in presets.NAMES:
            raise ValueError("a lesson can show only a preset's training: the link can have only the recipe's task")
        keys.setdefault("model", f"{name}@{step}" if step else name)
    known = ("model", "sequence", "clamps", "weights", "against", "t", "unit", "layer")
    return {key: value for key, value in keys.items() if key in known}


@dataclass(frozen=True)
class _Place:
    """The run, the unit, the timestep and the `earlier` timestep of an expression, all counted from 1.

    `earlier` is 0 for the initial state.
    """

    linked: LinkedRun
    unit: int
    t: int
    earlier: int


def _term(text: str, figure: Figure, runs: Runs) -> tuple[float | str, str]:
    """Return the value of an expression without arithmetic, and its kind, which sets its format."""
    name, _, link = text.partition("|")
    name = name.strip()
    if link:
        query = re.sub(r", (?=\w+=)", "&", link.strip().removeprefix("?")).replace(" ", "+")
        figure = figure_of(f"?{query}", figure)
        if figure.page.startswith("compare/"):
            figure = Figure("", figure.keys)
    words = name.split()
    if words and words[0] in _WITHOUT_RUN:
        return _WITHOUT_RUN[words[0]](words[1:] + re.findall(r"[^\s,]+", link))
    match = re.fullmatch(rf"([a-z_][a-z_-]*+)(?:\.({_PLACE}))?(?:@({_PLACE}))?(?: from ({_PLACE}))?", name)
    if not match:
        raise ValueError(f"“{name}” cannot be computed: write, for example, z@3, share@7 from 4 or score")
    if figure.page.startswith("compare/"):
        figure = Figure("", {key: value for key, value in figure.keys.items() if key == "model"})
    if match[1] == "score":
        scenario = runs.get(figure).scenario
        scored = scores(scenario, runs.settings)
        return scored.changed, "share" if scored.name == "accuracy" else "error"
    linked = runs.get(figure)
    if match[1] == "gradient-norm":
        return gradient_norm(linked.scenario, runs.settings), "ratio"
    run = linked.trace.layers[_layer(linked)]
    options = linked.link.options
    unit = _within("unit", int(match[2] or options.get("unit", 1)), run.cell.units)
    t = _within("t", int(match[3] or options.get("t", 1)), linked.start["T"])
    place = _Place(linked, unit, t, int(match[4] or 0))
    if match[1] in run.cell.signals:
        return float(getattr(run, match[1])[t - 1, unit - 1]), "value"
    if match[1] not in _QUANTITIES:
        known = ", ".join((*run.cell.signals, *_QUANTITIES, "score", "gradient-norm", *_WITHOUT_RUN))
        raise ValueError(f"“{match[1]}” cannot be computed; choose one of {known}")
    return _QUANTITIES[match[1]](place)


def _layer(linked: LinkedRun) -> int:
    return int(linked.link.options.get("layer", len(linked.trace.layers))) - 1


def _within(name: str, number: int, highest: int) -> int:
    if not 1 <= number <= highest:
        raise ValueError(f"{name} must be from 1 to {highest}, but it is {number}")
    return number


def _output(at: _Place) -> tuple[float | str, str]:
    model, y = at.linked.trace.model, at.linked.trace.y[at.t - 1]
    if model.readout.kind == "linear":
        return float(y[0]), "value"
    return model.readout.labels[int(y.argmax())], "words"


def _input(at: _Place) -> tuple[float | str, str]:
    return (at.linked.start["tokens"] or [""] * at.t)[at.t - 1], "words"


def _keeps(at: _Place) -> tuple[float, str]:
    mixture = at.linked.trace.layers[_layer(at.linked)].mixture
    if mixture is None:
        raise ValueError("an RNN keeps no share of its state")
    return float(mixture.keep[at.t - 1, at.unit - 1]), "share"


def _half_life(at: _Place) -> tuple[float, str]:
    half_life = at.linked.trace.layers[_layer(at.linked)].half_life
    if half_life is None:
        raise ValueError("this cell has no half-life")
    return float(half_life[at.t - 1, at.unit - 1]), "steps"


def _share(at: _Place) -> tuple[float, str]:
    if at.earlier > at.t:
        raise ValueError(f"step {at.earlier} comes after step {at.t}: choose a step from 0 to {at.t}")
    return float(at.linked.trace.ledger(at.unit - 1, _layer(at.linked))[at.t - 1, at.earlier]), "share"


def _reach(at: _Place) -> tuple[float, str]:
    _within("from", at.earlier, at.t)
    _check_products(at)
    x = at.linked.trace.sensitivity(at.t - 1).x
    norms = (x**2).sum(1) ** 0.5
    return float(norms[at.earlier - 1] / norms[-1]), "ratio"


def _flow(at: _Place) -> tuple[float, str]:
    _within("from", at.earlier, at.t)
    layer = _layer(at.linked)
    _check_products(at)
    states = at.linked.trace.sensitivity(at.t - 1, layer=layer).states
    return float(states.get("c", states["h"])[at.earlier - 1, at.unit - 1]), "ratio"


def _check_products(at: _Place) -> None:
    if at.t * sum(cell.units**2 for cell in at.linked.trace.model.layers) > MOST_PRODUCTS:
        raise ValueError("this gradient takes too long to compute for a network of this size: use an earlier timestep")


def _weights(at: _Place) -> tuple[float, str]:
    return sum(array.size for cell in at.linked.trace.model.layers for array in cell.parameters.values()), "count"


_QUANTITIES: dict[str, Callable[[_Place], tuple[float | str, str]]] = {
    "y": _output,
    "x": _input,
    "keeps": _keeps,
    "half-life": _half_life,
    "share": _share,
    "reach": _reach,
    "flow": _flow,
    "weights": _weights,
    "units": lambda at: (at.linked.trace.model.layers[_layer(at.linked)].units, "count"),
    "inputs": lambda at: (at.linked.trace.model.layers[_layer(at.linked)].inputs, "count"),
    "steps": lambda at: (at.linked.start["T"], "count"),
}


def _gap(words: list[str]) -> tuple[float, str]:
    base = experiments.BASES["gap"]
    changed = {"rate": str(base.schedule.rate), "units": str(base.units)}
    named = [word.partition("=") for word in words if re.match("[a-z]+=", word)]
    *kind, gap = [word for word in words if not re.match("[a-z]+=", word)] or [""]
    keys = changed | {key: value for key, _, value in named}
    rate, steps, units = decimal(keys["rate"]), whole(gap), whole(keys["units"])
    entry = None
    if keys.keys() == changed.keys() and None not in (rate, steps, units):
        entry = experiments.solved(" ".join(kind).replace("-", "−"), steps or 0, rate or 0, units or 0)
    if entry is None:
        example = "write, for example, “gap GRU, b_z = -2 50” or “gap GRU, b_z = 0 50 | rate=0.03”"
        raise ValueError(f"the experiment Gradient reach has no “{' '.join(words)}”: {example}")
    return entry.solved, "count"


def _race(words: list[str]) -> tuple[float | str, str]:
    task, cell = _racing(words)
    median = race.medians(task)[cell].value
    if math.isinf(median):
        return f"more than {experiments.BASES[task].schedule.most:,}", "words"
    return median, "share" if task == race.COUNTING else "median"


def _interval(words: list[str]) -> tuple[str, str]:
    task, cell = _racing(words)
    return race_outcome.stored(task)["cells"][cell]["interval"], "words"


def _racing(words: list[str]) -> tuple[str, str]:
    """Return the task and the cell of an expression. Raises ValueError if there is no such race."""
    if len(words) != 2 or words[0] not in experiments.RACES or words[1] not in experiments.EQUAL:
        tasks, cells = ", ".join(experiments.RACES), ", ".join(experiments.EQUAL)
        raise ValueError(
            f"write “race TASK CELL” or “interval TASK CELL”, with a task of {tasks} and a cell of {cells}"
        )
    return words[0], words[1]


def _recall(words: list[str]) -> tuple[float, str]:
    for row in experiments.result("bottleneck"):
        if [str(row["units"]), str(row["T"] // 2)] == words:
            return row["score"], "share"
    units, letters = ", ".join(map(str, experiments.SIZES)), f"{min(experiments.ITEMS)} to {max(experiments.ITEMS)}"
    raise ValueError(f"write “recall UNITS LETTERS”, with units of {units} and letters from {letters}")


def _time(words: list[str]) -> tuple[float, str]:
    timing = experiments.result("sequence")["timing"]["1"]
    if len(words) != 2 or words[1] not in timing or words[0] not in timing[words[1]]:
        kinds, steps = ", ".join(sequence.KINDS), ", ".join(timing)
        raise ValueError(f"write “time KIND STEPS”, with a kind of {kinds} and steps of {steps}")
    return 1000 * timing[words[1]][words[0]], "ms"


def _waits(words: list[str]) -> tuple[float, str]:
    return _counts("waits", words)[0], "count"


def _products(words: list[str]) -> tuple[float, str]:
    return _counts("products", words)[1], "count"


def _counts(name: str, words: list[str]) -> tuple[int, int]:
    """Return the sequential operations and the multiply-adds of a network for a number of timesteps."""
    steps = whole(words[1]) if len(words) == 2 else None
    if not steps or words[0] not in sequence.KINDS:
        raise ValueError(f"write “{name} KIND STEPS”, with a kind of {', '.join(sequence.KINDS)} and a number of steps")
    return sequence.counts(steps)[words[0]]


def _attention(words: list[str]) -> tuple[float, str]:
    lookups = experiments.result("attention")["lookups"]
    score, t, timestep = words if len(words) == 3 else ("", "", "")
    rows = lookups.get(score, [])
    if not 1 <= (whole(timestep) or 0) <= (whole(t) or 0) <= len(rows):
        raise ValueError(f"write, for example, “attention 2 6 1”, with a score of {', '.join(lookups)}")
    return rows[int(t) - 1]["weights"][int(timestep) - 1], "value"


def _parameters(words: list[str]) -> tuple[float, str]:
    units, inputs = (whole(word) for word in words[1:]) if len(words) == 3 else (None, None)
    if words[:1] == [] or words[0] not in CELLS or not units or not inputs:
        raise ValueError(f"write “parameters CELL UNITS INPUTS”, with a cell of {', '.join(CELLS)}")
    cell = CELLS[words[0]]
    return len(cell.gates) * units * (inputs + 1) + len(cell.recurrent) * units**2, "count"


_WITHOUT_RUN: dict[str, Callable[[list[str]], tuple[float | str, str]]] = {
    "parameters": _parameters,
    "gap": _gap,
    "race": _race,
    "interval": _interval,
    "recall": _recall,
    "time": _time,
    "waits": _waits,
    "products": _products,
    "attention": _attention,
}


def _format(value: float | str, kind: str, form: str) -> Value:
    """Return a value with its text: by default two decimals, a real minus sign, and percentages without decimals."""
    if isinstance(value, str):
        return Value(value, value)
    if form and not re.fullmatch(r"%|\.\d", form):
        raise ValueError(f"write a number “as %” or “as .3”, not “as {form}”")
    if form == "%" or (kind == "share" and not form):
        share = 100 * value
        # Values near 0% and near 100% get a decimal, so that they do not look like exactly 0% or 100%.
        decimals = 1 if (0 < abs(share) < 1.5 or 98.5 < abs(share) < 100) else 0
        text = f"{share:.{decimals}f}%" if abs(share) >= 0.05 or share == 0 else "less than 0.1%"
    elif form:
        text = f"{value:.{form[1:]}f}"
    elif kind == "count":
        text = f"{value:,.0f}"
    elif kind == "median":
        text = f"{value:,g}"
    elif kind == "steps":
        text = "∞" if value == float("inf") else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    elif kind == "times":
        text = f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
    elif abs(value) < 0.005 and kind in ("ratio", "error", "ms") and value != 0:
        mantissa, exponent = f"{value:.0e}".split("e")
        text = _power(mantissa, int(exponent))
    else:
        text = two_decimals(value)
    return Value(float(value), text.replace("-", "−"))


def two_decimals(value: float) -> str:
    """Return a number with two decimals, and never −0.00."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _power(mantissa: str, exponent: int) -> str:
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} · 10{raised}"
