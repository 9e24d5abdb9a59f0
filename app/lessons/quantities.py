"""The expressions between {{ and }} in a lesson. The core computes their values for the figure of a step.

    z.2@4                  z of unit 2 at timestep 4; by default, the unit and the timestep in the link
    y@4   x@4              the output and the input at timestep 4
    probability@4 of A     the probability of the output A; without `of A`, of the likeliest output
    drawn@4 of A           the probability that a network that writes draws symbol A, at the link's temperature
    written                the text that the network wrote
    forecast@4             the output in the unit of the time series
    measured NAME          a number on the model's card, such as `measured accuracy`
    keeps@4   half-life@4  the share of the old state that timestep 4 keeps; the timesteps until half of it is gone
    share@7 from 4         the contribution of the candidate at 4 (from 0: of the initial state) to the state at 7
    reach@7 from 4         the gradient norm of output 7 with respect to input 4, divided by the norm for input 7
    flow@7 from 4          the gradient norm of the state h at 7 with respect to h (in an LSTM: to c) at 4
    score                  the score on held-out sequences, with the clamps of the link
    gradient-norm          the norm of the loss gradient on held-out sequences, with the weights of the link
    weights  units         the number of weights and biases in all recurrent layers; the units of the layer
    inputs  steps          the number of inputs of the layer; the number of timesteps in the sequence
    parameters CELL H I    the number of weights and biases in a layer with this cell, H units and I inputs
    gap KIND STEPS         experiment Gradient reach: the number of seeds, of five, that learn the task; with
                           `| rate=0.03` or `| units=8` at another learning rate or size
    race TASK CELL         experiment Cell comparison: the median number of training steps to the target; for the
                           counting task, the median share of longer lengths that are counted correctly
    interval TASK CELL     experiment Cell comparison: the 95% interval of this median
    recall UNITS LETTERS   experiment Memory capacity: the share of letters that the network recalls
    time KIND STEPS        experiment Sequential cost: the time for one sequence, in milliseconds
    waits KIND STEPS       experiment Sequential cost: the number of operations that must run one after another
    products KIND STEPS    experiment Sequential cost: the number of multiply-adds
    attention SCORE T S    experiment Attention weights: the weight of timestep S in the output at T, for this score

`{{ A | sequence=B m, t=2 }}` computes A with other values of these keys of the link. `{{ A - B }}` and `{{ A / B }}`
subtract and divide two values. `{{ A as % }}` and `{{ A as .3 }}` set the format.
"""

from __future__ import annotations

import re

from gru_core import SequenceError, presets
from gru_core.numerals import decimal

from ..errors import Refused
from ..jobs.cache import name_of
from ..link import CHANGES, OPENING_SEQUENCES, comparison_in
from ..recipes import read_recipes
from ..runs.linked import LinkedRun, run_link
from ..runs.scores import gradient_norm, scores
from ..settings import Settings
from .experiment_quantities import EXPRESSIONS
from .formats import Value, format_value
from .reading import Figure, figure_of
from .run_quantities import QUANTITIES, Place, last_step, within

LONGEST = 400
"""The maximum number of characters in an expression."""

_PLACE = "[0-9]{1,6}"


class Runs:
    """A cache of the runs of figures. It lives for one request only, because runs can be large."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._runs: dict[str, LinkedRun] = {}

    def get(self, figure: Figure) -> LinkedRun:
        """Return the run of a figure. On the Compare page, this is the GRU's run; on the Train page, a checkpoint's.

        Raises Refused, SequenceError or ValueError if the figure's link is not valid.
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
            return format_value(*_term(body, figure, runs), form.strip())
        first, kind = _term(match[1], figure, runs)
        second, _ = _term(match[3], figure, runs)
        if isinstance(first, str) or isinstance(second, str):
            raise ValueError(f"“{expression}” subtracts or divides words: use numbers")
        if match[2] == "/" and second == 0:
            raise ValueError(f"“{expression}” divides by 0 here: choose another divisor")
        value = first / second if match[2] == "/" else first - second
        return format_value(value, kind if match[2] == "-" else "times", form.strip())
    except (Refused, SequenceError) as error:
        raise ValueError(str(error).rstrip(".")) from error


def curve(signal: str, figure: Figure, runs: Runs) -> tuple[list[float], float, float]:
    """Return the values of a signal, such as z.2, at all timesteps, and the lowest and highest value of its scale.

    The signal is that of one unit. Raises ValueError if the model has no such signal or unit.
    """
    linked = runs.get(figure)
    match = re.fullmatch(rf"(\w+)(?:\.({_PLACE}))?", signal)
    run = linked.trace.layers[linked.layer - 1]
    if match is None or match[1] not in run.cell.signals:
        raise ValueError(f"“{signal}” is not a signal of this model; choose one of {', '.join(run.cell.signals)}")
    style = run.cell.signals[match[1]]
    unit = within("unit", int(match[2] or linked.unit), run.cell.units)
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
    last = last_step(runs.get(figure), int(match[2]))
    shares = [evaluate(f"{match[1]} from {t}", figure, runs).value for t in range(1, last + 1)]
    return [1 + shares.index(max(shares))]


def check_figure(figure: Figure, runs: Runs) -> None:
    """Raise ValueError if the link of `figure` is not valid."""
    try:
        if not figure.page.startswith("compare/"):
            runs.get(figure)
    except (Refused, SequenceError) as error:
        raise ValueError(str(error).rstrip(".")) from error


def _lab_keys(figure: Figure) -> dict[str, str]:
    keys = dict(figure.keys)
    if figure.page == "compare":
        task, by = comparison_in(keys)
        if task not in presets.COMPARABLE or by not in presets.matched(task):
            tasks, ways = ", ".join(presets.COMPARABLE), " or ".join(presets.MATCHED)
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
    known = ("model", "sequence", *CHANGES, "t", "unit", "layer")
    return {key: value for key, value in keys.items() if key in known}


def _term(text: str, figure: Figure, runs: Runs) -> tuple[float | str, str]:
    """Return the value of an expression without arithmetic, and the kind, which sets the format of the value."""
    name, _, link = text.partition("|")
    name = name.strip()
    if link:
        query = re.sub(r", (?=\w+=)", "&", link.strip().removeprefix("?")).replace(" ", "+")
        figure = figure_of(f"?{query}", figure)
        if figure.page.startswith("compare/"):
            figure = Figure("", figure.keys)
    words = name.split()
    if words and words[0] in EXPRESSIONS:
        return EXPRESSIONS[words[0]](words[1:] + re.findall(r"[^\s,]+", link))
    if words[:1] == ["measured"]:
        return _measured(" ".join(words[1:]), runs.get(figure))
    match = re.fullmatch(rf"([a-z_][a-z_-]*+)(?:\.({_PLACE}))?(?:@({_PLACE}))?(?: from ({_PLACE})| of (\S+))?", name)
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
    run = linked.trace.layers[linked.layer - 1]
    unit = within("unit", int(match[2] or linked.unit), run.cell.units)
    t = within("t", int(match[3] or linked.t), linked.start["T"])
    place = Place(linked, unit, t, int(match[4] or 0), match[5])
    if match[1] in run.cell.signals:
        return float(getattr(run, match[1])[t - 1, unit - 1]), "value"
    if match[1] not in QUANTITIES:
        known = ", ".join((*run.cell.signals, *QUANTITIES, "score", "gradient-norm", *EXPRESSIONS))
        raise ValueError(f"“{match[1]}” cannot be computed; choose one of {known}")
    return QUANTITIES[match[1]](place)


def _measured(name: str, linked: LinkedRun) -> tuple[float, str]:
    """Return the number `name` on the model's card, and its kind. Raises ValueError if the card has no such number."""
    measured = linked.trace.model.card.measured
    if name not in measured:
        raise ValueError(f"the card has no “measured {name}”; choose one of {', '.join(measured) or 'none'}")
    return measured[name], "share" if name.startswith("accuracy") else "error"
