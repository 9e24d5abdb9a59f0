"""A second implementation of lesson expressions, from runs of the core and stored results of the experiments."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import cache
from math import exp
from statistics import median
from urllib.parse import parse_qsl, urlsplit

import numpy as np

import gru_core as gru
from gru_core import experiments, presets
from gru_core.model import Model
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.training.fit import loss_and_gradients
from gru_core.training.scoring import score

EVERYWHERE = re.compile(r"(\w+)@1-=(.+)")


@cache
def changed(name: str, weights: str) -> Model:
    """Return the model `name` with changed weights in the first layer, for example h.1.U1=1.5,h.1.b=0."""
    model = gru.load(name)
    cell = model.layers[0]
    arrays = {key: array.copy() for key, array in cell.parameters.items()}
    for part in filter(None, weights.split(",")):
        gate, unit, name, index, value = re.fullmatch(r"(\w+)\.(\d+)\.([WUb])(\d*)=(.+)", part).groups()  # type: ignore[union-attr]
        row = cell.gates.index(gate) * cell.units + int(unit) - 1
        arrays[name][(row, int(index) - 1) if index else row] = float(value)
    return replace(model, layers=(cell.with_parameters(arrays), *model.layers[1:]))


def gradient_norm(model: Model) -> float:
    """Return the norm of the gradient of the held-out loss, by central differences."""
    model, batch, total, step = model.astype(float), fresh(PRESETS[model.card.task].recipe), 0.0, 1e-7
    for name, array in model.parameters.items():
        for place in np.ndindex(array.shape):
            losses = []
            for sign in (1, -1):
                moved = array.copy()
                moved[place] += sign * step
                losses.append(loss_and_gradients(model.with_parameters({**model.parameters, name: moved}), batch)[0])
            total += ((losses[0] - losses[1]) / (2 * step)) ** 2
    return float(total**0.5)


def flow(runs: gru.Trace, clamps: str, t: int, earlier: int, unit: int) -> float:
    """Return the norm of the row of `unit` in ∂h_t/∂h_s, or in ∂h_t/∂c_s for an LSTM, by central differences.

    s is `earlier`. The arguments `t`, `earlier` and `unit` count from 0. The result is 0 if `clamps` cut the path.
    """
    if any(earlier < int(step) - 1 <= t for step in re.findall(r"h_prev@(\d+)=", clamps)):
        return 0.0
    layer, cell, step = runs.layers[0], runs.model.astype(float).layers[0], 1e-5
    at = np.concatenate([layer.h[earlier], getattr(layer, "c", layer.h[:, :0])[earlier]]).astype(float)
    total = 0.0
    for i in range(len(at) - cell.units, len(at)):
        ends = []
        for sign in (1, -1):
            state = at.copy()
            state[i] += sign * step
            for x in layer.x[earlier + 1 : t + 1].astype(float):
                state = cell.step(x, state)
            ends.append(state[unit])
        total += ((ends[0] - ends[1]) / (2 * step)) ** 2
    return float(total**0.5)


@cache
def run(
    model: str, sequence: str, clamps: str, weights: str = "", write: tuple[int, float, int] | None = None
) -> gru.Trace:
    """Return a run with clamps, such as z@4=0.5, z@2-101=0.03, z.1@4=0 (unit 1) and L2.z@4=0 (layer 2).

    `weights` are as in `changed`. `write` has the number of timesteps to write, the temperature and the seed.
    """
    clamp_list = []
    for part in filter(None, re.split(r",(?=[\w.]+@)", clamps)):
        match = re.fullmatch(r"(?:L(\d+)\.)?([a-z_]+)(?:\.(\d+))?@(\d+)(?:-(\d*))?=(.+)", part)
        layer, gate, unit, first, to, value = match.groups()  # type: ignore[union-attr]
        steps = slice(int(first) - 1, None if to == "" else int(to or first))
        units = None if unit is None else [int(unit) - 1]
        clamp_list.append(gru.Clamp(gate, float(value), units=units, steps=steps, layer=int(layer or 1) - 1))
    if write:
        steps, temperature, seed = write
        if model.startswith("sunspots"):
            return gru.forecast(changed(model, weights), sequence, steps, clamps=clamp_list).trace
        rng = np.random.default_rng(seed)
        return gru.write(changed(model, weights), sequence, steps, temperature, rng, clamps=clamp_list).trace
    return gru.trace(changed(model, weights), sequence, clamps=clamp_list)


def keys_of(link: str, change: str = "") -> dict[str, str]:
    """Return the keys of a link, and its page as the key "page". The keys in `change` replace keys of the link.

    Missing keys "model" and "sequence" are added, so that the keys name one run.
    """
    parts = urlsplit(link)
    keys = dict(parse_qsl(parts.query)) | {"page": parts.path.strip("/")}
    for part in filter(None, re.split(r", (?=\w+=)", change)):
        key, _, value = part.strip().partition("=")
        keys[key] = value
    if keys["page"] == "compare":
        keys.setdefault("model", presets.contenders(keys.get("task", "flip-flop"), keys.get("by", "units"))["gru"])
    if keys["page"] == "train":
        keys.setdefault("model", keys["task"] + (f"@{keys['step']}" if keys.get("step") else ""))
    keys.setdefault("model", "flip-flop")
    keys.setdefault("sequence", gru.load(keys["model"]).examples[0])
    return keys


def raced(what: str, task: str, cell: str) -> float | str:
    """Return the median over seeds in the experiment Cell comparison, or a ≥ 95% interval of this median as text."""
    rows = [row for row in experiments.result("race") if (row["task"], row["cell"]) == (task, cell)]
    counting = task == "counting"
    values = sorted(row["counted"][20:40].count("1") / 20 if counting else row["good_at"] or math.inf for row in rows)
    if what == "race":
        return float(median(values)) if math.isfinite(median(values)) else "more than 3,000"
    n, below, k = len(values), 0.0, 0
    while 2 * (below + math.comb(n, k) / 2**n) <= 0.05:
        below, k = below + math.comb(n, k) / 2**n, k + 1
    ends = [f"{100 * value:.0f}%" if counting else f"{value:,g}" for value in (values[k - 1], values[n - k])]
    return " to ".join(ends).replace("inf", "more than 3,000")


def of_experiment(words: list[str], change: str) -> float | str | None:
    """Return the value of an expression about an experiment or parameter counts, or None for any other expression."""
    if words[0] == "gap":
        settings = dict(part.strip().split("=") for part in change.split(",") if part.strip())
        kind = {"GRU, b_z = 0": {"z": 0}, "GRU, b_z = -1": {"z": -1}, "GRU, b_z = -2": {"z": -2}}
        runs = [
            row
            for row in experiments.result("gap")
            if row["cell"] == "gru" and row["T"] == int(words[-1]) + 1
            if (row["rate"], row["units"]) == (float(settings.get("rate", 0.01)), int(settings.get("units", 16)))
            if (row["first"] == "chrono" if "chrono" in words else row["biases"] == kind[" ".join(words[1:-1])])
        ]
        return float(sum(row["good_at"] is not None for row in runs))
    if words[0] in ("race", "interval"):
        return raced(*words)
    if words[0] == "recall":
        return next(
            row["score"]
            for row in experiments.result("bottleneck")
            if (row["units"], row["T"]) == (int(words[1]), 2 * int(words[2]))
        )
    if words[0] == "time":
        return 1000 * experiments.result("sequence")["timing"]["1"][words[2]][words[1]]
    if words[0] == "waits":
        steps = int(words[2])
        return float({"gru": steps, "attention": 1, "scan": (steps - 1).bit_length()}[words[1]])
    if words[0] == "products":
        steps, width = int(words[2]), 32
        of_gru = steps * (3 * 2 * width**2 + 3 * width)  # W and U of r, z and the candidate; three products by unit
        of_attention = steps * 3 * width**2 + sum(2 * width * (t + 1) for t in range(steps))  # q, k, v; scores and sum
        return float({"gru": of_gru, "attention": of_attention}[words[1]])
    if words[0] == "attention":
        sharpness, t, timestep = exp(float(words[1])), int(words[2]), int(words[3])
        asked = t - 4  # timestep of the letter that the ? at t asks for; below 1, no letter
        total = t - 1 + sharpness if asked > 0 else t
        return (sharpness if timestep == asked else 1) / total
    if words[0] == "parameters":
        sums, (H, I) = {"rnn": 1, "gru": 3, "lstm": 4}[words[1]], map(int, words[2:])
        return float(sums * (H * I + H * H + H))
    return None


def of_model(words: list[str], model: Model, keys: dict[str, str]) -> float | None:
    """Return the value of an expression about a model that needs no run of it, or None for any other expression."""
    if words[0] == "gradient-norm":
        return gradient_norm(model)
    if words[0] == "score":
        everywhere = EVERYWHERE.fullmatch(keys.get("clamps", ""))
        clamps = [gru.Clamp(everywhere[1], float(everywhere[2]))] if everywhere else []
        return score(model, fresh(PRESETS[model.card.task].recipe), clamps)
    if words[0] == "weights":
        return float(sum(a.size for cell in model.layers for a in cell.parameters.values()))
    if words[0] == "units":
        return float(model.layers[0].units)
    if words[0] == "inputs":
        return float(model.layers[0].inputs)
    return model.card.measured[" ".join(words[1:])] if words[0] == "measured" else None


def term(text: str, link: str) -> float | str:
    """Return the value of an expression without arithmetic, for the run of a link."""
    expression, _, change = text.partition("|")
    words = expression.split()
    if (value := of_experiment(words, change)) is not None:
        return value
    keys = keys_of(link, change.strip())
    model = changed(keys["model"], keys.get("weights", ""))
    if (value := of_model(words, model, keys)) is not None:
        return value
    settings = (int(keys.get("write") or 0), float(keys.get("temperature", 1)), int(keys.get("seed", 0)))
    write = settings if settings[0] else None
    runs = run(keys["model"], keys["sequence"], keys.get("clamps", ""), keys.get("weights", ""), write)
    name, unit, t, earlier, label = re.fullmatch(
        r"([a-z_-]+)(?:\.(\d+))?(?:@(\d+))?(?: from (\d+)| of (\w+))?", expression.strip()
    ).groups()  # type: ignore[union-attr]
    u, i = int(unit or keys.get("unit", 1)) - 1, int(t or keys.get("t", 1)) - 1
    layer = runs.layers[int(keys.get("layer", len(runs.layers))) - 1]
    if name == "steps":
        return float(len(runs.y))
    if name == "x":
        return (runs.tokens or [])[i]
    if name == "y":
        y = runs.y[i]
        return float(y[0]) if model.readout.kind == "linear" else model.readout.labels[int(y.argmax())]
    if name in ("probability", "drawn"):
        p = runs.y[i] ** (1.0 if name == "probability" or write is None else 1 / write[1])
        return float((p / p.sum())[model.readout.labels.index(label)] if label else p.max() / p.sum())
    if name == "written":
        return "".join(token for token in (runs.tokens or []) if len(token) == 1 and token != ".")
    if name == "forecast":
        return float(100 * runs.y[i, 0])
    if name == "keeps":
        return float(1 - runs.z[i, u])
    if name == "half-life":
        stays, n = 1.0, 0
        while stays > 0.5:
            stays, n = stays * (1 - float(runs.z[i, u])), n + 1
        return float(n)  # rounded up to a whole timestep
    if name == "share":
        k = int(earlier) - 1
        backward = u >= layer.cell.units - layer.cell.backward_units
        later = runs.z[i:k, u] if backward else runs.z[k + 1 : i + 1, u]
        is_read = k >= i if backward else k <= i
        return float(runs.z[k, u] * (1 - later).prod()) if is_read else 0.0
    if name == "flow":
        return flow(runs, keys.get("clamps", ""), i, int(earlier) - 1, u)
    if name == "reach":
        x = runs.sensitivity(i).x
        return float((x[int(earlier) - 1] ** 2).sum() ** 0.5 / (x[i] ** 2).sum() ** 0.5)
    return float(getattr(layer, name)[i, u])


def expected(expression: str, link: str) -> float | str:
    """Return the value of a lesson expression, for the run of a link. The format after “as” is ignored."""
    body = expression.partition(" as ")[0]
    match = re.fullmatch(r"(.*?\S)\s+([-/])\s+(\S.*)", body)
    if not match:
        return term(body, link)
    first, second = term(match[1], link), term(match[3], link)
    assert isinstance(first, float)
    assert isinstance(second, float)
    return first / second if match[2] == "/" else first - second


RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def assert_number(text: str, expression: str, link: str) -> None:
    """Assert that the displayed `text` is the value of the expression, rounded to the digits in `text`."""
    value = expected(expression, link)
    if isinstance(value, str):
        assert text == value, (expression, link)
        return
    if text == "less than 0.1%":
        assert 0 < value < 0.0005, (expression, link)
        return
    written = text.replace("−", "-").replace(",", "")
    power = re.fullmatch(r"(-?[\d.]+) · 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", written)
    if power:
        assert float(f"{power[1]}e{power[2].translate(RAISED)}") == float(f"{value:.0e}"), (expression, link)
        return
    percent = written.endswith("%")
    digits = written.removesuffix("%")
    places = len(digits.partition(".")[2])
    close = 0.5 * 10.0**-places + 1e-9
    displayed, exact = float(digits), 100 * value if percent else value
    assert abs(displayed - exact) <= (1 + close if "half-life" in expression else close), (
        expression,
        link,
        text,
        exact,
    )
