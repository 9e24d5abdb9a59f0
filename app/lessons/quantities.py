"""The numbers of a lesson: what stands between {{ and }}, worked out by the core for what a figure shows.

    z.2@4                  z of unit 2 at step 4; the link's unit and step where they are left out
    y@4   x@4              what is answered, what is read
    keeps@4   half-life@4  the share of the old state that a step keeps; the steps after which half would be gone
    share@7 from 4         the share that step 4's candidate has in the state of step 7, of the first state for 0
    reach@7 from 4         how far the answer at 7 moves with the input at 4, over how far it moves with that at 7
    score                  how well the model does on fresh data, with what is held there too
    weights  units  steps  of the model's recurrent layers; of the sequence
    gap KIND STEPS         of the laboratories: how many of five seeds learned it,
    race TASK CELL         the median of the steps that it took,
    recall UNITS LETTERS   the share of letters that were recalled,
    time KIND STEPS        milliseconds,
    waits KIND STEPS       steps that wait for one another

`{{ A | sequence=B x, t=2 }}` is A of another link, whose keys these change. `{{ A - B }}` and `{{ A / B }}`
reckon with two; `{{ A as % }}` and `{{ A as .3 }}` say how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from gru_core import SequenceError, labs, presets
from gru_core.labs import sequence
from gru_core.numerals import decimal, whole

from ..errors import Refused
from ..jobs.trainings import name_of
from ..recipes import read_recipes
from ..runs.followed import Followed, follow
from ..runs.limits import MOST_PRODUCTS
from ..runs.scores import scores
from ..settings import Settings
from .reading import Figure, figure_of

LONGEST = 400
"""Characters of an expression."""

_PLACE = "[0-9]{1,6}"


class Value(NamedTuple):
    """What was worked out, a number or words, and as it is written."""

    value: float | str
    text: str


class Runs:
    """The runs of figures, each once: for one answer, since a visitor's may be large."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._kept: dict[str, Followed] = {}

    def of(self, figure: Figure) -> Followed:
        """The run that a figure shows: of several cells that of the GRU, of a training that of the checkpoint.

        Raises Refused, SequenceError or ValueError where it cannot be followed.
        """
        keys = _lab_keys(figure)
        name = repr(sorted(keys.items()))
        if name not in self._kept:
            self._kept[name] = follow(keys, self.settings)
        return self._kept[name]


def worked_out(expression: str, figure: Figure, runs: Runs) -> Value:
    """Raises ValueError, saying what is wrong, for what cannot be worked out."""
    if len(expression) > LONGEST:
        raise ValueError(f"the text between {{{{ and }}}} is too long: at most {LONGEST} characters")
    body, _, form = expression.partition(" as ")
    found = re.fullmatch(r"(.*?\S)\s+([-/])\s+(\S.*)", body)
    try:
        if found is None:
            return _written(*_term(body, figure, runs), form.strip())
        first, kind = _term(found[1], figure, runs)
        second, _ = _term(found[3], figure, runs)
        if isinstance(first, str) or isinstance(second, str):
            raise ValueError(f"“{expression}” subtracts or divides words: use numbers")
        if found[2] == "/" and second == 0:
            raise ValueError(f"“{expression}” divides by 0 here: choose another divisor")
        value = first / second if found[2] == "/" else first - second
        return _written(value, kind if found[2] == "-" else "times", form.strip())
    except (Refused, SequenceError) as error:
        raise ValueError(str(error).rstrip(".")) from error


def curve(signal: str, figure: Figure, runs: Runs) -> tuple[list[float], float, float]:
    """A signal of a unit at every step, and the ends of its scale. Raises ValueError."""
    of = runs.of(figure)
    found = re.fullmatch(rf"(\w+)(?:\.({_PLACE}))?", signal)
    run = of.run.layers[_layer(of)]
    if found is None or found[1] not in run.cell.signals:
        raise ValueError(f"“{signal}” is not a signal of this model; choose one of {', '.join(run.cell.signals)}")
    style = run.cell.signals[found[1]]
    unit = _within("unit", int(found[2] or of.link.said.get("unit", 1)), run.cell.units)
    return [float(v) for v in getattr(run, found[1])[:, unit - 1]], style.lowest, style.highest


def steps_where(condition: str, figure: Figure, runs: Runs) -> list[int]:
    """The steps, from 1, at which `z above 0.5` or `z below 0.5`; or the one with `most share@7`. Raises ValueError."""
    words = condition.split(" ", 3)
    limit = decimal(words[2]) if len(words) == 3 and words[1] in ("above", "below") else None
    if limit is not None:
        values, _, _ = curve(words[0], figure, runs)
        return [t for t, value in enumerate(values, 1) if (value > limit if words[1] == "above" else value < limit)]
    found = re.fullmatch(rf"most ((?:share|reach)(?:\.{_PLACE})?@({_PLACE}))", condition)
    if not found:
        raise ValueError(f"“{condition}” is not a condition: write “z above 0.5”, “z below 0.5” or “most share@7”")
    last = int(found[2])
    each = [worked_out(f"{found[1]} from {t}", figure, runs).value for t in range(1, last + 1)]
    return [1 + each.index(max(each))]


def check_figure(figure: Figure, runs: Runs) -> None:
    """Raise ValueError where a figure's link cannot be followed."""
    try:
        if not figure.page.startswith("compare/"):
            runs.of(figure)
    except (Refused, SequenceError) as error:
        raise ValueError(str(error).rstrip(".")) from error


def _lab_keys(figure: Figure) -> dict[str, str]:
    keys = dict(figure.keys)
    if figure.page == "compare":
        task, by = keys.pop("task", presets.TASKS[0]), keys.pop("by", presets.MATCHED[0])
        if task not in presets.TASKS or by not in presets.MATCHED:
            tasks, ways = ", ".join(presets.TASKS), " or ".join(presets.MATCHED)
            wrong = f"there is no comparison of “{task}” by “{by}”"
            raise ValueError(f"{wrong}: the task must be one of {tasks}, and `by` {ways}")
        keys.setdefault("model", presets.contenders(task, by)["gru"])
    elif figure.page == "train":
        name, step = name_of(read_recipes(keys)[-1]), keys.pop("step", "")
        if name not in presets.NAMES:
            raise ValueError("a lesson can show only a preset's training: the link can have only the recipe's task")
        keys.setdefault("model", f"{name}@{step}" if step else name)
    kept = ("model", "sequence", "clamps", "weights", "against", "t", "unit", "layer")
    return {key: value for key, value in keys.items() if key in kept}


@dataclass(frozen=True)
class _Place:
    """Where something is asked for: all places count from 1, `earlier` is a step before t, or 0."""

    of: Followed
    unit: int
    t: int
    earlier: int


def _term(text: str, figure: Figure, runs: Runs) -> tuple[float | str, str]:
    """The value, and what kind of thing it is, which says how it is written."""
    asked, _, link = text.partition("|")
    asked = asked.strip()
    if link:
        query = re.sub(r", (?=\w+=)", "&", link.strip().removeprefix("?")).replace(" ", "+")
        figure = figure_of(f"?{query}", figure)
        if figure.page.startswith("compare/"):
            figure = Figure("", figure.keys)
    words = asked.split()
    if words and words[0] in _LABS:
        return _LABS[words[0]](words[1:])
    found = re.fullmatch(rf"([a-z_][a-z_-]*+)(?:\.({_PLACE}))?(?:@({_PLACE}))?(?: from ({_PLACE}))?", asked)
    if not found:
        raise ValueError(f"“{asked}” cannot be computed: write, for example, z@3, share@7 from 4 or score")
    if figure.page.startswith("compare/"):
        figure = Figure("", {key: value for key, value in figure.keys.items() if key == "model"})
    if found[1] == "score":
        scenario = runs.of(figure).scenario
        scored = scores(scenario, runs.settings)
        return scored.changed, "share" if scored.name == "accuracy" else "error"
    of = runs.of(figure)
    run = of.run.layers[_layer(of)]
    said = of.link.said
    unit = _within("unit", int(found[2] or said.get("unit", 1)), run.cell.units)
    t = _within("t", int(found[3] or said.get("t", 1)), of.about["T"])
    place = _Place(of, unit, t, int(found[4] or 0))
    if found[1] in run.cell.signals:
        return float(getattr(run, found[1])[t - 1, unit - 1]), "value"
    if found[1] not in _QUANTITIES:
        allowed = ", ".join((*run.cell.signals, *_QUANTITIES, "score", *_LABS))
        raise ValueError(f"“{found[1]}” cannot be computed; choose one of {allowed}")
    return _QUANTITIES[found[1]](place)


def _layer(of: Followed) -> int:
    return int(of.link.said.get("layer", len(of.run.layers))) - 1


def _within(what: str, number: int, highest: int) -> int:
    if not 1 <= number <= highest:
        raise ValueError(f"{what} must be from 1 to {highest}, but it is {number}")
    return number


def _answer(at: _Place) -> tuple[float | str, str]:
    model, y = at.of.run.model, at.of.run.y[at.t - 1]
    if model.readout.kind == "linear":
        return float(y[0]), "value"
    return model.readout.labels[int(y.argmax())], "words"


def _read(at: _Place) -> tuple[float | str, str]:
    return (at.of.about["tokens"] or [""] * at.t)[at.t - 1], "words"


def _keeps(at: _Place) -> tuple[float, str]:
    mixture = at.of.run.layers[_layer(at.of)].mixture
    if mixture is None:
        raise ValueError("an RNN keeps no share of its state")
    return float(mixture.keep[at.t - 1, at.unit - 1]), "share"


def _half_life(at: _Place) -> tuple[float, str]:
    found = at.of.run.layers[_layer(at.of)].half_life
    if found is None:
        raise ValueError("this cell has no half-life")
    return float(found[at.t - 1, at.unit - 1]), "steps"


def _share(at: _Place) -> tuple[float, str]:
    if at.earlier > at.t:
        raise ValueError(f"step {at.earlier} comes after step {at.t}: choose a step from 0 to {at.t}")
    return float(at.of.run.ledger(at.unit - 1, _layer(at.of))[at.t - 1, at.earlier]), "share"


def _reach(at: _Place) -> tuple[float, str]:
    _within("from", at.earlier, at.t)
    if at.t * sum(cell.units**2 for cell in at.of.run.model.layers) > MOST_PRODUCTS:
        raise ValueError("reach takes too long to compute for a network of this size: use an earlier step")
    x = at.of.run.sensitivity(at.t - 1).x
    norms = (x**2).sum(1) ** 0.5
    return float(norms[at.earlier - 1] / norms[-1]), "ratio"


def _weights(at: _Place) -> tuple[float, str]:
    return sum(array.size for cell in at.of.run.model.layers for array in cell.parameters.values()), "count"


_QUANTITIES: dict[str, Callable[[_Place], tuple[float | str, str]]] = {
    "y": _answer,
    "x": _read,
    "keeps": _keeps,
    "half-life": _half_life,
    "share": _share,
    "reach": _reach,
    "weights": _weights,
    "units": lambda at: (at.of.run.model.layers[_layer(at.of)].units, "count"),
    "steps": lambda at: (at.of.about["T"], "count"),
}


def _gap(words: list[str]) -> tuple[float, str]:
    *kind, steps = words or [""]
    named = " ".join(kind).replace("-", "−")
    rows = [row for row in labs.result("gap") if labs.kind_of_row(row) == named and str(row["T"] - 1) == steps]
    if not rows:
        example = "write, for example, “gap GRU, b_z = -2 50”"
        raise ValueError(f"the experiment Gradient reach has no “{' '.join(words)}”: {example}")
    return sum(row["good_at"] is not None for row in rows), "count"


def _race(words: list[str]) -> tuple[float | str, str]:
    rows = [row for row in labs.result("race") if [row["task"], row["cell"]] == words]
    if not rows:
        tasks = ", ".join(dict.fromkeys(row["task"] for row in labs.result("race")))
        raise ValueError(f"write “race TASK CELL”, with a task of {tasks} and a cell of {', '.join(labs.EQUAL)}")
    good = [row["good_at"] for row in rows if row["good_at"] is not None]
    if 2 * len(good) <= len(rows):
        return f"more than {max(row['steps'] for row in rows):,}", "words"
    return float(median(row["good_at"] or 10**9 for row in rows)), "count"


def _recall(words: list[str]) -> tuple[float, str]:
    for row in labs.result("bottleneck"):
        if [str(row["units"]), str(row["T"] // 2)] == words:
            return row["score"], "share"
    units, letters = ", ".join(map(str, labs.SIZES)), f"{min(labs.ITEMS)} to {max(labs.ITEMS)}"
    raise ValueError(f"write “recall UNITS LETTERS”, with units of {units} and letters from {letters}")


def _time(words: list[str]) -> tuple[float, str]:
    timing = labs.result("sequence")["timing"]
    if len(words) != 2 or words[1] not in timing or words[0] not in timing[words[1]]:
        kinds, steps = ", ".join(sequence.KINDS), ", ".join(timing)
        raise ValueError(f"write “time KIND STEPS”, with a kind of {kinds} and steps of {steps}")
    return 1000 * timing[words[1]][words[0]], "ms"


def _waits(words: list[str]) -> tuple[float, str]:
    steps = whole(words[1]) if len(words) == 2 else None
    if not steps or words[0] not in sequence.KINDS:
        raise ValueError(f"write “waits KIND STEPS”, with a kind of {', '.join(sequence.KINDS)} and a number of steps")
    return sequence.counts(steps)[words[0]][0], "count"


_LABS: dict[str, Callable[[list[str]], tuple[float | str, str]]] = {
    "gap": _gap,
    "race": _race,
    "recall": _recall,
    "time": _time,
    "waits": _waits,
}


def _written(value: float | str, kind: str, form: str) -> Value:
    """As the page writes it: two decimals, a true minus sign, percentages whole."""
    if isinstance(value, str):
        return Value(value, value)
    if form and not re.fullmatch(r"%|\.\d", form):
        raise ValueError(f"write a number “as %” or “as .3”, not “as {form}”")
    if form == "%" or (kind == "share" and not form):
        share = 100 * value
        # Nearly all is not all, and nearly nothing not nothing.
        decimals = 1 if (0 < abs(share) < 1.5 or 98.5 < abs(share) < 100) else 0
        text = f"{share:.{decimals}f}%" if abs(share) >= 0.05 or share == 0 else "less than 0.1%"
    elif form:
        text = f"{value:.{form[1:]}f}"
    elif kind == "count":
        text = f"{value:,.0f}"
    elif kind == "steps":
        text = "∞" if value == float("inf") else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    elif kind == "times":
        text = f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
    elif abs(value) < 0.005 and kind in ("ratio", "error", "ms") and value != 0:
        mantissa, exponent = f"{value:.0e}".split("e")
        text = _power(mantissa, int(exponent))
    else:
        text = fixed(value)
    return Value(float(value), text.replace("-", "−"))


def fixed(value: float) -> str:
    """Two decimals, and never −0.00."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _power(mantissa: str, exponent: int) -> str:
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} · 10{raised}"
