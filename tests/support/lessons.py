"""The numbers of lessons, computed here from runs of the core and from the stored results of the experiments."""

from __future__ import annotations

import re
from functools import cache
from statistics import median
from urllib.parse import parse_qsl, urlsplit

import gru_core as gru
from gru_core import experiments, presets
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.training.scoring import score

EVERYWHERE = re.compile(r"(\w+)@1-=(.+)")


@cache
def run(model: str, sequence: str, clamps: str) -> gru.Trace:
    """Return a run with clamps of all units, such as z@4=0.5 and z@2-101=0.03."""
    clamp_list = []
    for part in filter(None, re.split(r",(?=\w+@)", clamps)):
        gate, first, to, value = re.fullmatch(r"(\w+)@(\d+)(?:-(\d*))?=(.+)", part).groups()  # type: ignore[union-attr]
        end = None if to == "" else int(to or first)
        clamp_list.append(gru.Clamp(gate, float(value), steps=slice(int(first) - 1, end)))
    return gru.trace(gru.load(model), sequence, clamps=clamp_list)


def keys_of(link: str, change: str = "") -> dict[str, str]:
    """Return the keys of a link as a scenario of one model; the keys in `change` replace those of the link."""
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


def term(text: str, link: str) -> float | str:
    """Return the value of one term of an expression."""
    expression, _, change = text.partition("|")
    words = expression.split()
    rows = experiments.result(words[0]) if words[0] in ("gap", "race") else []
    if words[0] == "gap":
        settings = dict(part.strip().split("=") for part in change.split(",") if part.strip())
        kind = {"GRU, b_z = 0": {"z": 0}, "GRU, b_z = -1": {"z": -1}, "GRU, b_z = -2": {"z": -2}}
        runs = [
            row
            for row in rows
            if row["cell"] == "gru" and row["T"] == int(words[-1]) + 1
            if (row["rate"], row["units"]) == (float(settings.get("rate", 0.01)), int(settings.get("units", 16)))
            if (row["first"] == "chrono" if "chrono" in expression else row["biases"] == kind[" ".join(words[1:-1])])
        ]
        return float(sum(row["good_at"] is not None for row in runs))
    if words[0] == "race":
        good = [row["good_at"] or 10**9 for row in rows if (row["task"], row["cell"]) == (words[1], words[2])]
        return float(median(good)) if median(good) < 10**9 else "more than 3,000"
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
    keys = keys_of(link, change.strip())
    model = gru.load(keys["model"])
    if words[0] == "score":
        everywhere = EVERYWHERE.fullmatch(keys.get("clamps", ""))
        clamps = [gru.Clamp(everywhere[1], float(everywhere[2]))] if everywhere else []
        return score(model, fresh(PRESETS[model.card.task].recipe), clamps)
    if words[0] == "weights":
        return float(sum(a.size for cell in model.layers for a in cell.parameters.values()))
    if words[0] == "units":
        return float(model.layers[0].units)
    runs = run(keys["model"], keys["sequence"], keys.get("clamps", ""))
    name, unit, t, earlier = re.fullmatch(
        r"([a-z_-]+)(?:\.(\d+))?(?:@(\d+))?(?: from (\d+))?", expression.strip()
    ).groups()  # type: ignore[union-attr]
    u, i = int(unit or keys.get("unit", 1)) - 1, int(t or keys.get("t", 1)) - 1
    if name == "steps":
        return float(len(runs.y))
    if name == "x":
        return (runs.tokens or [])[i]
    if name == "y":
        y = runs.y[i]
        return float(y[0]) if model.readout.kind == "linear" else model.readout.labels[int(y.argmax())]
    if name == "keeps":
        return float(1 - runs.z[i, u])
    if name == "half-life":
        stays, n = 1.0, 0
        while stays > 0.5:
            stays, n = stays * (1 - float(runs.z[i, u])), n + 1
        return float(n)  # to the step
    if name == "share":
        shares = runs.z[:, u].copy()
        for step in range(len(shares)):
            shares[:step] *= 1 - runs.z[step, u]
            if step == i:
                return float(shares[int(earlier) - 1])
    if name == "reach":
        x = runs.sensitivity(i).x
        return float((x[int(earlier) - 1] ** 2).sum() ** 0.5 / (x[i] ** 2).sum() ** 0.5)
    return float(getattr(runs, name)[i, u])


def expected(expression: str, link: str) -> float | str:
    """Return the value of an expression in a lesson, for the run of a link."""
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
    """Assert that a displayed number equals the value of its expression, up to its last digit."""
    value = expected(expression, link)
    if isinstance(value, str):
        assert text == value, (expression, link)
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
